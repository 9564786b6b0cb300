"""Events about messages, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.messages import (
    MESSAGE_COMPLETED,
    MESSAGE_CREATED,
    MESSAGE_DELETED,
    MESSAGE_UPDATED,
    Message,
)
from server.api import render
from server.api.event_views import DataView, DataViews, shared
from server.resources.messages.views import MessageView, ReactionGroupView

SharedReactionGroupView = shared(ReactionGroupView, without=("reacted_by_me",))
SharedMessageView = shared(MessageView, reactions=list[SharedReactionGroupView])  # type: ignore[valid-type]


def _message(_: Event, message: Message) -> render.Json:
    return render.message(message, personal=False)


_MESSAGE = DataView(SharedMessageView, _message)
VIEWS: Final[DataViews] = {
    MESSAGE_CREATED: _MESSAGE,
    MESSAGE_UPDATED: _MESSAGE,
    MESSAGE_DELETED: _MESSAGE,
    MESSAGE_COMPLETED: _MESSAGE,
}
