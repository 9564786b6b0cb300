"""Events of one user: the entries of the user's own log. Sparse: a message in a thread never writes one for each
member.

A user's log has offsets of its own, 1, 2, 3, … without a gap, though only the newest are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final

from actors.events import EphemeralKind, EventKind
from actors.queries import Owner, Query
from actors.resources.notifications import Notification, Preferences, Unread
from actors.resources.users import User

Facts = Mapping[str, Any]
"""A few bytes as clients get them, where no resource holds them."""

# Kinds of entries of a user's log; a resource may declare others

NOTIFICATION_CREATED: Final = EventKind("notification.created", Notification | Mapping, "notification", channel="user")
"""Of a notification that was deleted since, only its id."""
NOTIFICATION_READ: Final = EventKind("notification.read", Mapping, None, channel="user")
NOTIFICATIONS_READ_ALL: Final = EventKind("notifications.read_all", Mapping, None, channel="user")
NOTIFICATION_CANCELLED: Final = EventKind("notification.cancelled", Mapping, None, channel="user")
THREAD_JOINED: Final = EventKind("thread.joined", Mapping, None, channel="user")
THREAD_LEFT: Final = EventKind("thread.left", Mapping, None, channel="user")
THREAD_READ: Final = EventKind("thread.read", Mapping, None, channel="user")
PREFERENCES_UPDATED: Final = EventKind("preferences.updated", Preferences | Mapping, "preferences", channel="user")
"""Preferences for one thread are held by the entry itself."""
USER_UPDATED: Final = EventKind("user.updated", User, "user", channel="user")

UNREAD: Final = EphemeralKind("unread", Unread, channel="user")


@dataclass(slots=True)  # not frozen for the reason that commands are not
class UserEvent:
    user_key: int
    offset: int
    type: str
    """The name of its kind."""
    time: int
    data: object
    """Of the type that its kind says."""
    position: int = 0
    """Head of the log of all threads when this was written; 0 for an entry that was read back."""


@dataclass(slots=True)
class UserEphemeral:
    """An ephemeral event of the user's channel: delivered to connected devices, never logged."""

    kind: EphemeralKind
    data: object
    """Of the type `kind.data`."""


@dataclass(frozen=True, slots=True)
class UserLogPage:
    """Some entries of the log of a user, and its head when they were read."""

    events: tuple[UserEvent, ...]
    head: int
    more: bool
    is_whole: bool = True
    """Whether nothing between the position asked for and the first of these has been forgotten."""


@dataclass(frozen=True, slots=True)
class ReadUserLog(Query[UserLogPage]):
    """Entries of a user's own log after `offset`; before it when `reverse`, where 0 means from the newest on."""

    user_key: int
    offset: int
    _: KW_ONLY
    limit: int
    up_to: int | None = None
    reverse: bool = False

    @property
    def owner(self) -> Owner:
        return self.user_key


@dataclass(frozen=True, slots=True)
class GetUserLogHeads(Query[dict[int, int]]):
    """User → where their log stands; without those whose log has no entry."""

    user_keys: Sequence[int]
