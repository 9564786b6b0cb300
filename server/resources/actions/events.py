"""Entries of a user's own log about actions, on the wire: for who acted, and for the author of the message."""

from typing import Final

from actors.resources.actions import ACTION_CREATED, ACTION_UPDATED, ACTIONS_DELETED, Action
from actors.resources.user_events import Facts, UserEvent
from server.api import render
from server.api.event_views import DataView, DataViews
from server.api.fields import Id, View
from server.resources.actions.views import ActionView, action_view
from server.resources.notifications.events import ByIdView


class ActionsDeletedView(View):
    message_id: Id
    thread_id: Id


def _action(_: UserEvent, data: Action | Facts) -> render.Json:
    """Of an action that is not there any more, only its id."""
    return action_view(data) if isinstance(data, Action) else dict(data)


def _facts(_: UserEvent, facts: Facts) -> render.Json:
    return dict(facts)


VIEWS: Final[DataViews] = {
    ACTION_CREATED: DataView(ActionView | ByIdView, _action),
    ACTION_UPDATED: DataView(ActionView | ByIdView, _action),
    ACTIONS_DELETED: DataView(ActionsDeletedView, _facts),
}
