"""A thread's memory, and its context for a model: views, events, operations."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from actors import limits
from actors.events import Event
from actors.resources.context import GetContext
from actors.resources.memory import MEMORY_UPDATED, GetMemory, Memory, ReplaceMemory, UpdateMemory
from actors.text.normal import EMPTY
from server.api import prompts, render
from server.api.event_views import DataView, DataViews
from server.api.fields import LEFT_OUT, Id, Request, View, json_object
from server.api.prompts import Format
from server.api.registry import Call, Operations, Result

_ID: dict[str, Any] = {"type": "string", "pattern": "^c[0-9a-z]{24}$"}
_TEXT: dict[str, Any] = {"type": "string", "pattern": rf"^[^\x00]*[^{EMPTY}][^\x00]*$"}
"""Not empty, and not blank."""
_FACT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": limits.MEMORY_FACT_ID_CHARS},
        "text": _TEXT,
        "source_message_id": _ID,
    },
    "required": ["text"],
    "additionalProperties": False,
}
_MEMORY: dict[str, Any] = {
    "type": "object",
    "description": "At most 64 KiB as JSON. Every section is optional; other members belong to the application.",
    "properties": {
        "facts": {"type": "array", "items": {"anyOf": [_TEXT, _FACT]}},
        "summary": _TEXT,
        "summary_up_to": {
            "type": "integer",
            "minimum": 0,
            "description": "Offset of the thread's log up to which the summary covers it.",
        },
        "pins": {"type": "array", "items": _ID, "maxItems": limits.MEMORY_PINS, "uniqueItems": True},
    },
    "dependentRequired": {"summary_up_to": ["summary"]},
    "additionalProperties": True,
}
_PATCH: dict[str, Any] = {
    "type": "object",
    "description": "A merge patch of the memory (RFC 7386): null removes, objects are merged, other values replace.",
    "additionalProperties": True,
}
_object = json_object(limits.MEMORY_BYTES)


class MemoryView(View):
    memory: dict[str, Any] = Field(json_schema_extra=_MEMORY)
    version: int


class MemoryRequest(Request):
    thread_id: Id


class ReplaceMemoryRequest(Request):
    thread_id: Id
    memory: Annotated[Any, _object, Field(json_schema_extra=_MEMORY)]


class UpdateMemoryRequest(Request):
    thread_id: Id
    memory: Annotated[Any, _object, Field(json_schema_extra=_PATCH)] = LEFT_OUT


class ContextRequest(Request):
    thread_id: Id
    max_tokens: Annotated[
        int, Field(ge=1, le=limits.CONTEXT_TOKENS_MAX, description="Largest size of the context, in estimated tokens.")
    ] = limits.CONTEXT_TOKENS
    format: Format = "openai"
    files: bool = Field(default=False, description="Include the thread's files: what they are, and their text.")


class PromptMessageView(View):
    role: Literal["system", "user", "assistant"]
    content: str
    name: Annotated[str, Field(pattern=rf"^[a-zA-Z0-9_-]{{1,{limits.PROMPT_NAME_CHARS}}}$")] = ""


class ContextView(View):
    messages: list[PromptMessageView] = Field(default_factory=list, description="With `format=openai`.")
    text: str = Field(default="", description="With `format=text`.")
    tokens: int = Field(description="Estimated size, see docs/agents.md.")
    truncated: bool = Field(description="Whether messages are missing that the summary does not cover.")
    offset: int = Field(description="Head of the thread's log, read before the context.")
    from_offset: int | None = Field(description="Offset of the oldest message included; null if there is none.")
    to_offset: int | None = Field(description="Offset of the newest message included.")
    memory_version: int
    files_truncated: bool = Field(
        default=False, description="With `files`: whether files are missing, or text of those that are named."
    )


def memory_view(record: Memory) -> render.Json:
    return {"memory": render.carried(record.content), "version": record.version}


def _memory(_: Event, memory: Memory) -> render.Json:
    return memory_view(memory)


VIEWS: Final[DataViews] = {MEMORY_UPDATED: DataView(MemoryView, _memory)}

# Operations

operations = Operations("memory")


@operations("GET", "/threads/{thread_id}/memory", response=MemoryView)
async def get_memory(call: Call, request: MemoryRequest) -> Result:
    """The thread's memory: facts, summary, pinned messages, and data of applications.

    It has its own version, which its ETag carries: messages and changes to the thread do not change it.
    `metadata.offset` is the head of the thread's log, read before the memory.
    """
    memory, head = await call.services.ask(GetMemory(call.identity, request.thread_id))
    return Result(memory_view(memory), version=memory.version, extra={"offset": head})


@operations("PUT", "/threads/{thread_id}/memory", response=MemoryView)
async def replace_memory(call: Call, request: ReplaceMemoryRequest) -> Result:
    """Replace the whole memory. For members who may write."""
    command = ReplaceMemory(
        identity=call.identity, once=call.once, thread_id=request.thread_id, memory=request.memory,
        if_version=call.if_version,
    )  # fmt: skip
    return _shown(await call.services.result(command))


@operations("PATCH", "/threads/{thread_id}/memory", response=MemoryView)
async def update_memory(call: Call, request: UpdateMemoryRequest) -> Result:
    """Update the memory by a JSON merge patch (RFC 7386). For members who may write.

    A null removes a member, objects are merged, all other values (also lists) replace the previous value. Writers who
    change different members do not undo each other.
    """
    command = UpdateMemory(
        identity=call.identity, once=call.once, thread_id=request.thread_id, patch=request.memory or "{}",
        if_version=call.if_version,
    )  # fmt: skip
    return _shown(await call.services.result(command))


@operations("GET", "/threads/{thread_id}/context", response=ContextView)
async def get_context(call: Call, request: ContextRequest) -> Result:
    """Context for a model, in at most `max_tokens`: the thread's memory, then the newest messages that fit.

    With `files`, what its files are and the text in them, in at most half of what the memory leaves.
    """
    query = GetContext(call.identity, request.thread_id, request.max_tokens, request.files)
    context = await call.services.ask(query)
    shown = prompts.context(context, request.format) | {"memory_version": context.notes_version}
    return Result(shown, version=context.offset)


def _shown(memory: Memory) -> Result:
    return Result(memory_view(memory), version=memory.version)
