"""Entries of a user's own log about actions, on the wire: for who acted, and for the author of the message."""

from collections.abc import Mapping
from typing import Final

from actors.events import EphemeralKind, EventKind
from actors.resources.actions import (
    ACTION_CREATED,
    ACTION_UPDATED,
    ACTIONS_DELETED,
    OPTIONS_REQUESTED,
    Action,
    OptionsRequest,
)
from actors.resources.user_events import Facts, UserEphemeral, UserEvent
from server.api import render
from server.api.event_views import DataView
from server.api.fields import Id, View
from server.resources.actions.views import ActionView, OptionsRequestView, action_view, options_request_view
from server.resources.notifications.events import ByIdView


class ActionsDeletedView(View):
    message_id: Id
    thread_id: Id


def _action(_: UserEvent, data: Action | Facts) -> render.Json:
    """Of an action that is not there any more, only its id."""
    return action_view(data) if isinstance(data, Action) else dict(data)


def _options_request(_: UserEphemeral, request: OptionsRequest) -> render.Json:
    return options_request_view(request)


def _facts(_: UserEvent, facts: Facts) -> render.Json:
    return dict(facts)


VIEWS: Final[Mapping[EventKind | EphemeralKind, DataView]] = {
    ACTION_CREATED: DataView(ActionView | ByIdView, _action),
    ACTION_UPDATED: DataView(ActionView | ByIdView, _action),
    ACTIONS_DELETED: DataView(ActionsDeletedView, _facts),
    OPTIONS_REQUESTED: DataView(OptionsRequestView, _options_request),
}
