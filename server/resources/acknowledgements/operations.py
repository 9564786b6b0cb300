"""Acknowledgements of messages."""

from actors.resources.acknowledgements import Acknowledge, ListAcknowledgements, ListUnacknowledged
from server.api import render
from server.api.cursors import integer
from server.api.fields import Paged
from server.api.message_commands import about_message
from server.api.registry import Call, Operations, Result
from server.resources.acknowledgements.views import (
    AcknowledgedView,
    AcknowledgementView,
    AcknowledgeRequest,
    ListAcknowledgementsRequest,
    acknowledged,
    acknowledgement,
)
from server.resources.messages.views import MessageView

operations = Operations("acknowledgements")


@operations("GET", "/acknowledgements", response=MessageView, paged=True)
async def list_unacknowledged(call: Call, request: Paged) -> Result:
    """Messages that wait for your acknowledgement, newest first."""
    before = integer(request.cursor, prefix="before:")
    page = await call.services.ask(ListUnacknowledged(call.identity, limit=request.limit, before=before))
    shown = [render.message(message) for message in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("GET", "/messages/{message_id}/acknowledgements", response=AcknowledgementView, paged=True)
async def list_acknowledgements(call: Call, request: ListAcknowledgementsRequest) -> Result:
    """The people whom a message asks to acknowledge it, and when they did. For all who see the message."""
    after = integer(request.cursor, prefix="after:")
    query = ListAcknowledgements(
        call.identity, request.message_id, answer=request.status, limit=request.limit, after=after
    )
    page = await call.services.ask(query)
    shown = [acknowledgement(record) for record in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("PUT", "/messages/{message_id}/acknowledgement", response=AcknowledgedView)
async def acknowledge_message(call: Call, request: AcknowledgeRequest) -> Result:
    """Acknowledge that you have read a message that asks you to; again it changes nothing."""
    thread_id = await call.services.places.thread_of(request.message_id)
    command = Acknowledge(
        identity=call.identity, once=call.once, thread_id=thread_id, message_id=request.message_id
    )  # fmt: skip
    return Result(acknowledged(await about_message(call, command, request.message_id)))
