"""A thread's memory, and its context for a model."""

from typing import cast

from actors.resources.context import GetContext
from actors.resources.memory import GetMemory, Memory, ReplaceMemory, UpdateMemory
from server.api import prompts
from server.api.registry import Call, Operations, Result
from server.resources.memory.views import (
    ContextRequest,
    ContextView,
    MemoryRequest,
    MemoryView,
    ReplaceMemoryRequest,
    UpdateMemoryRequest,
    memory_view,
)

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
    return _shown(cast(Memory, (await call.services.directory.ask(command)).result))


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
    return _shown(cast(Memory, (await call.services.directory.ask(command)).result))


@operations("GET", "/threads/{thread_id}/context", response=ContextView)
async def get_context(call: Call, request: ContextRequest) -> Result:
    """Context for a model, in at most `max_tokens`: the thread's memory, then the newest messages that fit."""
    context = await call.services.ask(GetContext(call.identity, request.thread_id, request.max_tokens))
    return Result(prompts.context(context, request.format), version=context.offset)


def _shown(memory: Memory) -> Result:
    return Result(memory_view(memory), version=memory.version)
