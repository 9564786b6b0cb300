"""Commands about a message, where the caller names only the message."""

from actors.commands import DeleteMessage, EditMessage, React
from actors.errors import NotFound
from actors.stream_commands import FinishMessage
from server.registry import Call


async def about_message(call: Call, command: EditMessage | DeleteMessage | React | FinishMessage) -> object:
    """What the thread answers; where the caller may not see the thread, there is no such message for them."""
    try:
        return (await call.services.directory.ask(command)).result
    except NotFound:
        raise NotFound("message", command.message_id) from None
