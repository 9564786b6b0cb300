"""What can be asked about what is one's own. See `actors/commands.py` for how commands work."""

from dataclasses import dataclass

from actors.commands import UNSET, Command, IfVersion, ThreadCommand, Unset
from actors.notifications import DeliveryKind, Notify


@dataclass(slots=True, kw_only=True)
class MarkUnread(ThreadCommand):
    """Move the caller's marker back, so that the first message at or after `offset` is unread. Answers the `Member`."""

    offset: int


@dataclass(slots=True, kw_only=True)
class ReadNotification(Command):
    notification_id: str


@dataclass(slots=True, kw_only=True)
class ReadAllNotifications(Command):
    """Answers how many were unread."""


@dataclass(slots=True, kw_only=True)
class DismissNotification(Command):
    notification_id: str


@dataclass(slots=True, kw_only=True)
class UpdatePreferences(Command):
    """Answers the `Preferences`."""

    notify: Notify | Unset = UNSET
    deliver: tuple[DeliveryKind, ...] | Unset = UNSET
    quiet: tuple[int, int] | Unset | None = UNSET
    """(from, to) in minutes since midnight; None: never."""
    time_zone: str | Unset = UNSET
    show_read: bool | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class SetThreadPreferences(Command):
    """Answers the `ThreadPreferences`."""

    thread_id: str
    notify: Notify | None
