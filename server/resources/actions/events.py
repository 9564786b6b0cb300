"""Entries of logs about actions, on the wire: of users' own logs, and of the threads of artifacts."""

from collections.abc import Mapping
from typing import Final

from actors.events import EphemeralKind, Event, EventKind
from actors.resources.actions import (
    ACTION_CREATED,
    ACTION_UPDATED,
    ACTIONS_DELETED,
    ARTIFACT_ACTION_CREATED,
    ARTIFACT_ACTION_UPDATED,
    FORM_EXPIRED,
    OPTIONS_REQUESTED,
    Action,
    ArtifactAction,
    OptionsRequest,
)
from actors.resources.user_events import Facts, UserEphemeral, UserEvent
from server.api import render
from server.api.event_views import DataView
from server.api.fields import Id, Time, View
from server.resources.actions.views import (
    ActionView,
    ArtifactActionView,
    DeletedActionView,
    OptionsRequestView,
    action_view,
    artifact_action_view,
    options_request_view,
)
from server.resources.notifications.events import ByIdView


class ActionsDeletedView(View):
    """All those on one message or artifact; the other one is null."""

    message_id: Id | None
    artifact_id: Id | None
    thread_id: Id


class FormExpiredView(View):
    """A form was not answered in time. Either the message or the artifact is null."""

    message_id: Id | None
    artifact_id: Id | None
    thread_id: Id
    block_id: str
    expires_at: Time


def _action(_: UserEvent, data: Action | Facts) -> render.Json:
    """Of an action that is not there any more, only its id."""
    return action_view(data) if isinstance(data, Action) else dict(data)


def _options_request(_: UserEphemeral, request: OptionsRequest) -> render.Json:
    return options_request_view(request)


def _deleted(_: UserEvent, facts: Facts) -> render.Json:
    return {"message_id": None, "artifact_id": None, **facts}


def _expired(_: UserEvent, facts: Facts) -> render.Json:
    return {"message_id": None, "artifact_id": None, **facts, "expires_at": render.iso_time(facts["expires_at"])}


def _of_artifact(_: Event, found: ArtifactAction) -> render.Json:
    return artifact_action_view(found)


_OF_ARTIFACT = DataView(ArtifactActionView | DeletedActionView, _of_artifact)
VIEWS: Final[Mapping[EventKind | EphemeralKind, DataView]] = {
    ACTION_CREATED: DataView(ActionView | ByIdView, _action),
    ACTION_UPDATED: DataView(ActionView | ByIdView, _action),
    ACTIONS_DELETED: DataView(ActionsDeletedView, _deleted),
    FORM_EXPIRED: DataView(FormExpiredView, _expired),
    ARTIFACT_ACTION_CREATED: _OF_ARTIFACT,
    ARTIFACT_ACTION_UPDATED: _OF_ARTIFACT,
    OPTIONS_REQUESTED: DataView(OptionsRequestView, _options_request),
}
