"""Presence and typing: ephemeral, in no log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from actors.events import EphemeralKind
from actors.resources.users import Author

Status = Literal["online", "idle", "offline"]


@dataclass(frozen=True, slots=True)
class PresenceChange:
    count: int
    """Number of present users."""
    joined: Sequence[Author] = ()
    left: Sequence[Author] = ()
    users: Sequence[tuple[Author, Status]] | None = None
    """The whole list, which replaces the one that a client has; None where this is only a change."""


@dataclass(frozen=True, slots=True)
class TypingUsers:
    """All typing users: a client that missed one such event needs only the next."""

    users: Sequence[Author] = ()


@dataclass(frozen=True, slots=True)
class StatusChange:
    user: Author
    status: Status


PRESENCE: Final = EphemeralKind("presence", PresenceChange)
TYPING: Final = EphemeralKind("typing", TypingUsers)
USER_STATUS: Final = EphemeralKind("user.status", StatusChange)
