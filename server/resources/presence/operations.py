"""Presence and typing. Never logged."""

from actors import limits
from actors.delivery.channel import ListPresent
from actors.resources.users import Author
from actors.threads.inbox import SetTyping
from server.api import render
from server.api.registry import Call, Operations, Result
from server.resources.presence.views import PresenceView, TypingRequest, TypingView
from server.resources.threads.views import ThreadRequest

operations = Operations("presence")


@operations("GET", "/threads/{thread_id}/presence", response=PresenceView)
async def get_presence(call: Call, request: ThreadRequest) -> Result:
    """Current subscribers of the thread, by WebSocket or stream; only their number above 200 connections."""
    clients = await call.services.directory.thread(request.thread_id).ask(ListPresent(call.identity))
    people: dict[str, tuple[Author, int]] = {}
    for _, identity in clients:
        author, count = people.get(identity.user.id, (identity.author, 0))
        people[identity.user.id] = (author, count + 1)
    listed = people.values() if len(clients) <= limits.PRESENCE_USERS else ()
    status = call.services.activity.status
    users = [
        {"user": render.author(author), "status": status(author.key), "connections": count} for author, count in listed
    ]
    return Result({"count": len(people), "connections": len(clients), "users": users})


@operations("POST", "/threads/{thread_id}/typing", response=TypingView)
async def set_typing(call: Call, request: TypingRequest) -> Result:
    """Say that you are typing, or have stopped. It expires after 6 s, and ends when you write a message."""
    command = SetTyping(call.identity, request.typing)
    await call.services.directory.thread(request.thread_id).ask(command)
    return Result({"typing": request.typing})
