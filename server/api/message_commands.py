"""Commands about a message, where the caller names only the message."""

from typing import TypeVar

from actors.commands import Makes
from actors.errors import NotFound
from server.api.registry import Call

T = TypeVar("T")


async def about_message(call: Call, command: Makes[T], message_id: str) -> T:
    """What the command comes to. Raises `NotFound` for the message where the caller may not see its thread."""
    try:
        return await call.services.result(command)
    except NotFound:
        raise NotFound("message", message_id) from None
