"""Events about reactions, on the wire."""

from typing import Final

from pydantic import Field

from actors.events import Event
from actors.resources.reactions import REACTION_ADDED, REACTION_REMOVED, ReactionChange
from server.api import render
from server.api.event_views import DataView, DataViews
from server.api.fields import Id, View
from server.resources.users.views import AuthorView


class ReactionChangeView(View):
    message_id: Id
    emoji: str
    user: AuthorView
    count: int = Field(description="Current number of reactions with that emoji.")


def _change(_: Event, change: ReactionChange) -> render.Json:
    return {
        "message_id": change.message_id,
        "emoji": change.emoji,
        "user": render.author(change.user),
        "count": change.count,
    }


_CHANGE = DataView(ReactionChangeView, _change)
VIEWS: Final[DataViews] = {REACTION_ADDED: _CHANGE, REACTION_REMOVED: _CHANGE}
