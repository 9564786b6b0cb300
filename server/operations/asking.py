"""Commands about a message, where the caller names only the message."""

from actors.commands import DeleteMessage, EditMessage, React
from actors.errors import NotFound
from server.registry import Call


async def about_message(call: Call, command: EditMessage | DeleteMessage | React) -> object:
    """What the thread answers; where the caller may not see the thread, there is no such message for them."""
    try:
        return (await call.services.directory.ask(command)).result
    except NotFound:
        raise NotFound("message", command.message_id) from None
