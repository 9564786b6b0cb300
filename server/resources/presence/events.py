"""Ephemeral events of presence and typing, on the wire."""

from typing import Final, Literal

from pydantic import Field

from actors.delivery.ephemeral import Ephemeral
from actors.resources.presence import PRESENCE, TYPING, USER_STATUS, PresenceChange, Status, StatusChange, TypingUsers
from server.api import render
from server.api.event_views import DataView, EphemeralViews
from server.api.fields import View
from server.resources.users.views import ActorView


class TypingUsersView(View):
    users: list[ActorView] = Field(description="All users who are typing.")


class PresentUserView(ActorView):
    status: Status


class PresenceChangeView(View):
    count: int = Field(description="Number of users present.")
    joined: list[ActorView]
    left: list[ActorView]
    users: list[PresentUserView] | None = Field(
        default=None, description="The complete list, sent to new subscribers first; replaces the previous one."
    )


class StatusChangeView(View):
    user: ActorView
    status: Literal["online", "idle"]


def _typing(_: Ephemeral, typing: TypingUsers) -> render.Json:
    return {"users": list(map(render.actor, typing.users))}


def _presence(_: Ephemeral, change: PresenceChange) -> render.Json:
    shown = {
        "count": change.count,
        "joined": list(map(render.actor, change.joined)),
        "left": list(map(render.actor, change.left)),
    }
    if change.users is None:
        return shown
    return shown | {"users": [{**render.actor(user), "status": status} for user, status in change.users]}


def _status(_: Ephemeral, change: StatusChange) -> render.Json:
    return {"user": render.actor(change.user), "status": change.status}


VIEWS: Final[EphemeralViews] = {
    TYPING: DataView(TypingUsersView, _typing),
    PRESENCE: DataView(PresenceChangeView, _presence),
    USER_STATUS: DataView(StatusChangeView, _status),
}
