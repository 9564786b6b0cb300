"""Notifications of a user, their preferences, and what they have not read. Frozen records.

Times are integer milliseconds since 1970 UTC; times of day are minutes since midnight.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from actors.commands import UNSET, Command, Gone, IfVersion, ThreadCommand, Unset
from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.members import Member
from actors.resources.users import Author

NotificationKind = Literal["acknowledgement", "mention", "reply", "reaction", "added", "reminder"]
Notify = Literal["all", "mentions", "none"]
DeliveryKind = Literal["web_push", "webhook", "email"]
DeliveryState = Literal["pending", "sent", "failed"]

NOTIFICATION_KINDS: tuple[NotificationKind, ...] = (
    "acknowledgement", "mention", "reply", "reaction", "added", "reminder",
)  # fmt: skip
"""The strongest first: one message notifies one person once. A reminder, which its user has asked for, comes beside
what else notifies of its message."""
NOTIFY: tuple[Notify, ...] = ("all", "mentions", "none")
DELIVERY_KINDS: tuple[DeliveryKind, ...] = ("web_push", "webhook", "email")
DELIVERY_STATES: tuple[DeliveryState, ...] = ("pending", "sent", "failed")


@dataclass(frozen=True, slots=True)
class Notification:
    key: int
    id: str
    kind: NotificationKind
    thread_id: str | None
    """None: a reminder without a subject."""
    message_id: str | None
    """The message that mentions or answers, that was reacted to, or that a reminder is about; None where it is about
    the thread or a comment."""
    actor: Author
    """Who did it."""
    excerpt: str
    """How the message or the comment begins, as it says now; of a reminder its note, or else its message."""
    created_at: int
    read_at: int | None = None
    artifact_id: str | None = None
    """Where it is about a comment."""
    comment_id: str | None = None
    schedule_id: str | None = None
    """The reminder that was due."""


@dataclass(frozen=True, slots=True)
class Preferences:
    notify: Notify = "all"
    """Of what to hear in threads that have no choice of their own."""
    deliver: tuple[DeliveryKind, ...] = ()
    """By what ways outside the application, too."""
    quiet_from: int | None = None
    quiet_to: int | None = None
    """Between the two nothing is delivered outside; both None: at any time."""
    time_zone: str = "UTC"
    show_read: bool = True
    """Whether others may know how far one has read."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class ThreadPreferences:
    thread_id: str
    notify: Notify | None
    """None: as everywhere."""
    muted: bool


@dataclass(frozen=True, slots=True)
class ThreadUnread:
    thread_id: str
    messages: int
    mentions: int
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    threads: int = 0
    messages: int = 0
    mentions: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """Unread counts of a user: in total, and of each thread that has any."""

    threads: int
    messages: int
    mentions: int
    by_thread: Sequence[ThreadUnread]
    muted: Sums = Sums()
    """The part that is in muted threads."""


def wants(kind: NotificationKind, *, everywhere: Notify, here: Notify | None, muted: bool) -> bool:
    """Whether a user is to be notified."""
    chosen = "none" if muted else here or everywhere
    return chosen == "all" or (chosen == "mentions" and kind in ("mention", "acknowledgement"))


def not_before(now: int, preferences: Preferences) -> int:
    """When something may be delivered outside: now, or at the end of the quiet hours that now falls into."""
    start, end = preferences.quiet_from, preferences.quiet_to
    if start is None or end is None or start == end:
        return now
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(_zone(preferences.time_zone))
    minute = local.hour * 60 + local.minute
    is_quiet = start <= minute < end if start < end else minute >= start or minute < end
    if not is_quiet:
        return now
    day = local + timedelta(days=1) if minute >= end else local
    # By the clock on the wall: a night in which clocks are put forward or back ends at the same hour.
    ends = day.replace(hour=end // 60, minute=end % 60, second=0, microsecond=0)
    return max(now, int(ends.timestamp() * 1000))


def _zone(name: str) -> tzinfo:
    """It was known when it was chosen; on another machine it may not be."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


@dataclass(slots=True, kw_only=True)
class MarkUnread(ThreadCommand[Member]):
    """Move the caller's marker back, so that the first message at or after `offset` is unread. Answers the `Member`."""

    offset: int


@dataclass(slots=True, kw_only=True)
class ReadNotification(Command[None]):
    notification_id: str


@dataclass(slots=True, kw_only=True)
class ReadAllNotifications(Command[int]):
    """Answers how many were unread."""


@dataclass(slots=True, kw_only=True)
class DismissNotification(Command[Gone]):
    notification_id: str


@dataclass(slots=True, kw_only=True)
class UpdatePreferences(Command[Preferences]):
    """Answers the `Preferences`."""

    notify: Notify | Unset = UNSET
    deliver: tuple[DeliveryKind, ...] | Unset = UNSET
    quiet: tuple[int, int] | Unset | None = UNSET
    """(from, to) in minutes since midnight; None: never."""
    time_zone: str | Unset = UNSET
    show_read: bool | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class SetThreadPreferences(Command[ThreadPreferences]):
    """Answers the `ThreadPreferences`."""

    thread_id: str
    notify: Notify | None


@dataclass(frozen=True, slots=True)
class ListNotifications(IdentityQuery[Page[Notification]]):
    """The newest first."""

    _: KW_ONLY
    limit: int
    before: int | None
    unread: bool


@dataclass(frozen=True, slots=True)
class GetNotification(IdentityQuery[Notification]):
    """Raises `NotFound`, also for another's."""

    notification_id: str


@dataclass(frozen=True, slots=True)
class CountUnreadNotifications(IdentityQuery[int]):
    pass


@dataclass(frozen=True, slots=True)
class GetPreferences(Query[Preferences]):
    """The preferences of a user, or the defaults."""

    user_key: int

    @property
    def owner(self) -> Owner:
        return self.user_key


@dataclass(frozen=True, slots=True)
class GetThreadPreferences(IdentityQuery[ThreadPreferences]):
    """Raises `NotFound` where the identity is no member."""

    thread_id: str
