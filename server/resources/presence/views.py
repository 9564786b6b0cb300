"""Presence and typing on the wire."""

from typing import Literal

from pydantic import Field

from actors.resources.presence import Status
from server.api.fields import Id, Request, Time, View
from server.resources.users.views import AuthorView


class PresentView(View):
    user: AuthorView
    status: Status
    connections: int


class PresenceView(View):
    count: int = Field(description="Number of users present; also if they are too many to be listed.")
    connections: int
    users: list[PresentView]


class StatusView(View):
    user_id: Id
    status: Status
    last_active_at: Time | None = Field(
        description="When the user last wrote, connected, or set their status to online."
    )


class SetStatusRequest(Request):
    status: Literal["online", "idle"] = "online"
    client: Id | None = Field(
        default=None, description="The connection whose status to set: `client` of its connect reply."
    )


class TypingRequest(Request):
    thread_id: Id
    typing: bool = Field(default=True, description="Repeat every few seconds while typing.")


class TypingView(View):
    typing: bool
