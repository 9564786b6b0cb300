"""What happened to one person: the entries of their own log. Sparse: a message in a thread never writes one for each
member.

A user's log has offsets of its own, 1, 2, 3, … without a gap, though only the newest are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from actors.resources.notifications import Notification, Preferences
from actors.resources.users import User

NOTIFICATION_CREATED: Final = "notification.created"
NOTIFICATION_READ: Final = "notification.read"
NOTIFICATIONS_READ_ALL: Final = "notifications.read_all"
NOTIFICATION_CANCELLED: Final = "notification.cancelled"
THREAD_JOINED: Final = "thread.joined"
THREAD_LEFT: Final = "thread.left"
THREAD_READ: Final = "thread.read"
PREFERENCES_UPDATED: Final = "preferences.updated"
USER_UPDATED: Final = "user.updated"

USER_EVENT_TYPES: Final = (
    NOTIFICATION_CREATED,
    NOTIFICATION_READ,
    NOTIFICATIONS_READ_ALL,
    NOTIFICATION_CANCELLED,
    THREAD_JOINED,
    THREAD_LEFT,
    THREAD_READ,
    PREFERENCES_UPDATED,
    USER_UPDATED,
)

Facts = Mapping[str, Any]
"""A few bytes as clients get them, where nothing that can be read anew stands for them."""
UserEventData = Notification | Preferences | User | Facts


@dataclass(slots=True)  # not frozen for the reason that commands are not
class UserEvent:
    user_key: int
    offset: int
    type: str
    time: int
    data: UserEventData
    position: int = 0
    """Where the log of all threads stood when this was written; 0 for what was read back."""


@dataclass(slots=True)
class UserEphemeral:
    """Something that matters only now: told to who is there, in no log."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UserLogPage:
    """A piece of somebody's log, and where it stood when it was read."""

    events: tuple[UserEvent, ...]
    head: int
    more: bool
    is_whole: bool = True
    """Whether nothing between the position asked for and the first of these has been forgotten."""
