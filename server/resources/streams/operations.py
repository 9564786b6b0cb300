"""Messages that are written while others read: more text, the end, a stop. They begin with `create_message`."""

from typing import Any, Literal, cast

from actors.errors import NotFound
from actors.resources.messages import Message
from actors.resources.streams import Appended, AppendToMessage, FinishMessage
from server.api import render
from server.api.asking import about_message
from server.api.fields import ById, given
from server.api.registry import Call, Operations, Result
from server.resources.messages.views import MessageView
from server.resources.streams.views import AppendedView, AppendRequest, CompleteRequest, FailRequest

operations = Operations("messages")


@operations("POST", "/messages/{id}/append", response=AppendedView)
async def append_to_message(call: Call, request: AppendRequest) -> Result:
    """More text for a message that one is writing (status STREAMING).

    Viewers see it within 40 ms; it is saved about once a second, and for good when the message is completed.
    """
    command = AppendToMessage(
        identity=call.identity, thread_id=await call.services.history.thread_of(request.id), message_id=request.id,
        text=request.text, index=request.index,
    )  # fmt: skip
    try:
        appended = cast(Appended, await call.services.directory.ask(command))
    except NotFound:  # of the thread: they may not learn that there is such a message in it
        raise NotFound("message", request.id) from None
    return Result({"length": appended.length})


@operations("POST", "/messages/{id}/complete", response=MessageView)
async def complete_message(call: Call, request: CompleteRequest) -> Result:
    """Say that a message is written to its end; `content` replaces what was appended."""
    return await _finish(call, request.id, "COMPLETE", given(request, "content", "blocks", "metadata"))


@operations("POST", "/messages/{id}/fail", response=MessageView)
async def fail_message(call: Call, request: FailRequest) -> Result:
    """Say that a message will not be written to its end. What there is of it stays."""
    return await _finish(call, request.id, "FAILED", given(request, "metadata"))


@operations("POST", "/messages/{id}/cancel", response=MessageView)
async def cancel_message(call: Call, request: ById) -> Result:
    """Stop a message that somebody is writing; for everybody who may write here. What there is of it stays.

    Its author hears of it by the event `message.completed` with the status INTERRUPTED, and when they append.
    """
    return await _finish(call, request.id, "INTERRUPTED", {})


async def _finish(
    call: Call, message_id: str, status: Literal["COMPLETE", "FAILED", "INTERRUPTED"], fields: dict[str, Any]
) -> Result:
    command = FinishMessage(
        identity=call.identity, once=call.once, thread_id=await call.services.history.thread_of(message_id),
        message_id=message_id, status=status, **fields,
    )  # fmt: skip
    message = cast(Message, await about_message(call, command))
    return Result(render.message(message), version=message.version)
