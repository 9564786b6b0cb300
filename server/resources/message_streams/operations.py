"""Streamed messages: append, complete, fail, stop. `create_message` opens them."""

from typing import Any, Literal

from actors.errors import NotFound
from actors.resources.message_streams import AppendToMessage, FinishMessage
from server.api import render
from server.api.fields import ById, given
from server.api.message_commands import about_message
from server.api.registry import Call, Operations, Result
from server.resources.message_streams.views import AppendedView, AppendRequest, CompleteRequest, FailRequest
from server.resources.messages.views import MessageView

operations = Operations("messages")


@operations("POST", "/messages/{id}/append", response=AppendedView)
async def append_to_message(call: Call, request: AppendRequest) -> Result:
    """Append text to a message that you are streaming (status STREAMING).

    Subscribers receive it within 40 ms; it is saved about once a second, and when the message is completed.
    """
    command = AppendToMessage(
        identity=call.identity, thread_id=await call.services.places.thread_of(request.id), message_id=request.id,
        text=request.text, index=request.index,
    )  # fmt: skip
    try:
        appended = await call.services.directory.thread(command.thread_id).ask(command)
    except NotFound:  # of the thread: they may not learn that there is such a message in it
        raise NotFound("message", request.id) from None
    return Result({"length": appended.length})


@operations("POST", "/messages/{id}/complete", response=MessageView)
async def complete_message(call: Call, request: CompleteRequest) -> Result:
    """Complete a message that you are streaming; `content` replaces the appended text."""
    return await _finish(call, request.id, "COMPLETE", given(request, "content", "blocks", "metadata"))


@operations("POST", "/messages/{id}/fail", response=MessageView)
async def fail_message(call: Call, request: FailRequest) -> Result:
    """Mark a message that you are streaming as failed. Its text so far stays."""
    return await _finish(call, request.id, "FAILED", given(request, "metadata"))


@operations("POST", "/messages/{id}/cancel", response=MessageView)
async def cancel_message(call: Call, request: ById) -> Result:
    """Stop a message that is being streamed; for all who may write in the thread. Its text so far stays.

    Its author is notified by the event `message.completed` with the status INTERRUPTED, and by the next append.
    """
    return await _finish(call, request.id, "INTERRUPTED", {})


async def _finish(
    call: Call, message_id: str, status: Literal["COMPLETE", "FAILED", "INTERRUPTED"], fields: dict[str, Any]
) -> Result:
    command = FinishMessage(
        identity=call.identity, once=call.once, thread_id=await call.services.places.thread_of(message_id),
        message_id=message_id, status=status, **fields,
    )  # fmt: skip
    message = await about_message(call, command, command.message_id)
    return Result(render.message(message), version=message.version)
