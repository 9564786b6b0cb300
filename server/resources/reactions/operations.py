"""Reactions to messages."""

from actors.resources.reactions import ListReactions, React
from server.api import render
from server.api.cursors import integer
from server.api.message_commands import about_message
from server.api.registry import Call, Operations, Result
from server.resources.messages.views import ListReactionsRequest, ReactedView, ReactionView, ReactRequest

operations = Operations("reactions")


@operations("GET", "/messages/{message_id}/reactions", response=ReactionView, paged=True)
async def list_reactions(call: Call, request: ListReactionsRequest) -> Result:
    """All reactions to a message, oldest first."""
    after = integer(request.cursor, prefix="after:")
    page = await call.services.ask(ListReactions(call.identity, request.message_id, limit=request.limit, after=after))
    shown = [render.reaction(reaction) for reaction in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/messages/{message_id}/reactions", response=ReactedView, status=201)
async def toggle_reaction(call: Call, request: ReactRequest) -> Result:
    """Add your reaction, or remove it if it exists: 201 when it was added, 200 when it was removed."""
    return await _react(call, request, None)


@operations("PUT", "/messages/{message_id}/reactions/{emoji}", response=ReactedView)
async def add_reaction(call: Call, request: ReactRequest) -> Result:
    """Add your reaction; changes nothing if it exists."""
    return await _react(call, request, True)


@operations("DELETE", "/messages/{message_id}/reactions/{emoji}", response=ReactedView)
async def remove_reaction(call: Call, request: ReactRequest) -> Result:
    """Remove your reaction; changes nothing if there is none."""
    return await _react(call, request, False)


async def _react(call: Call, request: ReactRequest, wanted: bool | None) -> Result:
    thread_id = await call.services.places.thread_of(request.message_id)
    command = React(
        identity=call.identity, once=call.once, thread_id=thread_id, message_id=request.message_id,
        emoji=request.emoji, wanted=wanted,
    )  # fmt: skip
    reacted = await about_message(call, command, command.message_id)
    status = None if wanted is not None or reacted.added else 200
    return Result(render.reacted(reacted), status=status)
