"""Notifications, preferences, the user's log and unread counts, on the wire."""

from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints

from actors import limits
from actors.resources.notifications import DeliveryKind, NotificationKind, Notify
from server.api.fields import LEFT_OUT, Id, Limit, Offset, Paged, Request, Time, View
from server.resources.users.views import AuthorView


class NotificationView(View):
    id: Id
    kind: NotificationKind = Field(description="The strongest reason: a mention takes precedence over a reply.")
    thread_id: Id | None = Field(description="Null only for a reminder without a subject.")
    message_id: Id | None = Field(description="Null if it is about the thread itself, a comment, or no message.")
    artifact_id: Id | None = Field(description="Of the comment that it is about.")
    comment_id: Id | None = Field(
        description="A comment on an artifact: it mentions you, or it is on an artifact or in a conversation of yours."
    )
    schedule_id: Id | None = Field(description="Of a reminder: the schedule that was due.")
    actor: AuthorView = Field(description="Of a reminder: you.")
    excerpt: str = Field(
        description="The beginning of the message or comment, in its current version; of a reminder, its note."
    )
    created_at: Time
    read_at: Time | None


class ListNotificationsRequest(Paged):
    unread: bool = Field(default=False, description="Only unread ones.")


class CountView(View):
    count: int


# Preferences

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("expected the name of a time zone, such as Europe/Berlin")
    return name


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]


def _once_each(kinds: list[DeliveryKind]) -> list[DeliveryKind]:
    return list(dict.fromkeys(kinds))


class QuietHours(Request):
    """By the clock of `time_zone`; over midnight where it ends before it starts."""

    start: ClockTime
    end: ClockTime


class QuietHoursView(View):
    start: str
    end: str


class PreferencesView(View):
    notify: Notify = Field(description="Default for threads without their own preference.")
    deliver: list[DeliveryKind] = Field(description="Further ways of delivery, outside the application.")
    quiet_hours: QuietHoursView | None = Field(description="Times without delivery outside the application.")
    time_zone: str
    show_read: bool = Field(description="Whether others see your read marker.")


class UpdatePreferencesRequest(Request):
    notify: Notify = LEFT_OUT
    deliver: Annotated[list[DeliveryKind], Field(max_length=10), AfterValidator(_once_each)] = LEFT_OUT
    quiet_hours: QuietHours | None = LEFT_OUT
    time_zone: TimeZone = LEFT_OUT
    show_read: bool = LEFT_OUT


class ThreadPreferencesView(View):
    thread_id: Id
    notify: Notify | None = Field(description="Null: your general preference.")
    muted: bool = Field(description="The same as `none`, regardless of `notify`.")


class UpdateThreadPreferencesRequest(Request):
    thread_id: Id
    notify: Notify | None = LEFT_OUT


# Reading


class ThreadUnreadView(View):
    thread_id: Id
    messages: int
    mentions: int
    muted: bool


class SumsView(View):
    threads: int
    messages: int
    mentions: int


class UnreadView(View):
    threads: int
    messages: int
    mentions: int
    muted: SumsView = Field(description="The part of these sums that is in muted threads; a badge should not count it.")
    by_thread: list[ThreadUnreadView] = Field(
        description=f"The {limits.UNREAD_THREADS} with most mentions, then messages; the sums include all threads."
    )


class MarkUnreadRequest(Request):
    thread_id: Id
    offset: Offset = Field(description="Messages from this offset on become unread.")


class ListReadersRequest(Paged):
    thread_id: Id
    message_id: Id | None = Field(default=None, description="By default the newest message.")


class ListOwnLogRequest(Request):
    after: Offset = 0
    limit: Limit = limits.PAGE_DEFAULT


class UserEventView(View):
    type: str
    offset: int
    time: Time
    data: dict[str, Any]
