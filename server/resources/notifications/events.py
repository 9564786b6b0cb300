"""Entries of a user's own log, on the wire, as the user sees them."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from actors.events import EphemeralKind, EventKind
from actors.resources.members import MemberRole
from actors.resources.notifications import Notification, Preferences, Unread
from actors.resources.user_events import (
    NOTIFICATION_CANCELLED,
    NOTIFICATION_CREATED,
    NOTIFICATION_READ,
    NOTIFICATIONS_READ_ALL,
    PREFERENCES_UPDATED,
    THREAD_JOINED,
    THREAD_LEFT,
    THREAD_READ,
    UNREAD,
    USER_UPDATED,
    Facts,
    UserEphemeral,
    UserEvent,
)
from actors.resources.users import User
from server.api import render
from server.api.event_views import DataView
from server.api.fields import Id, View
from server.resources.notifications.views import (
    NotificationView,
    PreferencesView,
    SumsView,
    ThreadPreferencesView,
    ThreadUnreadView,
)
from server.resources.users.views import UserView


class ByIdView(View):
    id: Id


class NotificationsReadView(View):
    count: int


class CancelledView(View):
    ids: list[Id]
    thread_id: Id | None
    reason: Literal["read", "deleted", "dismissed", "taken_back", "repeated"]


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


def _facts(_: UserEvent, facts: Facts) -> render.Json:
    return dict(facts)


def _notification(_: UserEvent, data: Notification | Facts) -> render.Json:
    """Of a notification that was deleted since, only its id."""
    return render.notification(data) if isinstance(data, Notification) else dict(data)


def _preferences(_: UserEvent, data: Preferences | Facts) -> render.Json:
    return render.preferences(data) if isinstance(data, Preferences) else dict(data)


def _user(_: UserEvent, user: User) -> render.Json:
    return render.user(user, None) | render.private(user)


def _unread(_: UserEphemeral, unread: Unread) -> render.Json:
    return render.unread(unread)


VIEWS: Final[Mapping[EventKind | EphemeralKind, DataView]] = {
    UNREAD: DataView(UnreadNowView, _unread),
    NOTIFICATION_CREATED: DataView(NotificationView | ByIdView, _notification),
    NOTIFICATION_READ: DataView(ByIdView, _facts),
    NOTIFICATIONS_READ_ALL: DataView(NotificationsReadView, _facts),
    NOTIFICATION_CANCELLED: DataView(CancelledView, _facts),
    THREAD_JOINED: DataView(JoinedView, _facts),
    THREAD_LEFT: DataView(LeftView, _facts),
    THREAD_READ: DataView(ThreadReadView, _facts),
    PREFERENCES_UPDATED: DataView(PreferencesView | ThreadPreferencesView, _preferences),
    USER_UPDATED: DataView(UserView, _user),
}
