"""Commands about a message, where the caller names only the message."""

from actors.errors import NotFound
from actors.resources.actions import Act
from actors.resources.messages import DeleteMessage, EditMessage
from actors.resources.reactions import React
from actors.resources.streams import FinishMessage
from server.api.registry import Call


async def about_message(call: Call, command: EditMessage | DeleteMessage | React | FinishMessage | Act) -> object:
    """The reply of the thread. Raises `NotFound` for the message where the caller may not see its thread."""
    try:
        return (await call.services.directory.ask(command)).result
    except NotFound:
        raise NotFound("message", command.message_id) from None
