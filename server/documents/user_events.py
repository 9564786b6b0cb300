"""Entries of one's own log on the wire, for the documents: each type's `data`."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, create_model

from actors.resources.members import MemberRole
from actors.resources.user_events import USER_EVENT_TYPES
from server.api.fields import Id, View
from server.resources.notifications.views import (
    NotificationView,
    PreferencesView,
    SumsView,
    ThreadPreferencesView,
    ThreadUnreadView,
    UserEventView,
)
from server.resources.users.views import UserView


class ByIdView(View):
    id: Id


class NotificationsReadView(View):
    count: int


class CancelledView(View):
    ids: list[Id]
    thread_id: Id
    reason: Literal["read", "deleted", "dismissed", "taken_back"]


class JoinedView(View):
    thread_id: Id
    role: MemberRole


class LeftView(View):
    thread_id: Id
    reason: Literal["removed", "deleted"]


class ThreadReadView(View):
    thread_id: Id
    last_read_offset: int
    last_read_number: int = Field(description="Number of messages of the thread that are read.")
    unread_count: int = Field(description="Value at the time of the event.")
    message_count: int = Field(description="Of the thread, at the time of the event.")


class UnreadNowView(View):
    """Current unread counts: in total, and of the threads where they have changed."""

    threads: int
    messages: int
    mentions: int
    muted: SumsView = Field(description="The part of these sums that is in muted threads.")
    by_thread: list[ThreadUnreadView]


DATA: Final[Mapping[str, Any]] = {
    "notification.created": NotificationView | ByIdView,
    "notification.read": ByIdView,
    "notifications.read_all": NotificationsReadView,
    "notification.cancelled": CancelledView,
    "thread.joined": JoinedView,
    "thread.left": LeftView,
    "thread.read": ThreadReadView,
    "preferences.updated": PreferencesView | ThreadPreferencesView,
    "user.updated": UserView,
}


def _event(type_: str) -> type[View]:
    name = "".join(map(str.capitalize, type_.replace("_", ".").split(".")))
    fields: dict[str, Any] = {"type": Literal[type_], "data": DATA[type_]}
    return create_model(f"Own{name}Event", __base__=UserEventView, **fields)


USER_EVENTS: Final[Mapping[str, type[View]]] = {type_: _event(type_) for type_ in USER_EVENT_TYPES}


class UnreadEvent(View):
    """An ephemeral event; `GET /unread` returns the same at any time."""

    type: Literal["unread"]
    data: UnreadNowView
