"""Letters: mails to one user with a link that signs in, which they asked for by their address, or which invites them.

A letter waits in the database until the mail server has taken it. Its link is made for each attempt, and only the hash
of it is stored; a mail that was sent twice, because the process was killed, has two links that are good.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from actors import limits
from actors.auth.identity import Origin
from actors.commands import Makes
from actors.queries import Query
from actors.resources.backoff import pause
from actors.resources.users import User

LetterKind = Literal["sign_in", "invitation"]
LETTER_KINDS: tuple[LetterKind, ...] = ("sign_in", "invitation")
LetterState = Literal["pending", "sent", "failed"]
LETTER_STATES: tuple[LetterState, ...] = ("pending", "sent", "failed")
Asked = Literal["asked", "unknown", "too_soon"]

SECONDS: Final[dict[LetterKind, int]] = {
    "sign_in": limits.LETTER_SECONDS, "invitation": limits.LETTER_INVITATION_SECONDS,
}  # fmt: skip
"""For which a link is good."""


@dataclass(frozen=True, slots=True)
class Letter:
    key: int
    kind: LetterKind
    user: User
    inviter: str
    """Name of the user who invites; empty where it was asked for."""
    thread: str | None
    """Title of the thread that the user was added to."""
    return_to: str
    """Path of this server that is opened after the sign-in; empty: none was asked for."""


@dataclass(frozen=True, slots=True)
class AskForLink(Makes[Asked]):
    """A link that signs in, to the user of an address. Answers `unknown` if no user may sign in by it, `too_soon`
    where they were sent some just now."""

    email: str
    return_to: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class SealLetter(Makes[Letter | None]):
    """Store the hash of the link that is about to be sent. None: it is not to be sent any more, because its user or
    their address has changed, or it is too late."""

    key: int
    link_hash: bytes


@dataclass(frozen=True, slots=True)
class EndLetter(Makes[LetterState]):
    """What came of an attempt; one that `failed` and may succeed later is pending again."""

    key: int
    state: Literal["sent", "failed"]
    retry: bool = False


@dataclass(frozen=True, slots=True)
class ListDueLetters(Query[Sequence[int]]):
    """Keys of those that are due, the oldest first, without those that are on their way."""

    busy: tuple[int, ...] = ()


def is_late(kind: LetterKind, created_at: int, now: int) -> bool:
    """Whether a letter is of no use any more."""
    most = limits.LETTER_SECONDS if kind == "sign_in" else limits.LETTER_DAY_SECONDS
    return now >= created_at + most * 1000


def next_attempt(kind: LetterKind, created_at: int, attempts: int, now: int) -> int | None:
    """When it is tried again, in milliseconds since 1970; None: never."""
    seconds = pause(limits.LETTER_DELAYS, attempts, None, most=limits.LETTER_DAY_SECONDS, spread=0.0, chance=0.5)
    if seconds is None:
        return None
    at = now + round(seconds * 1000)
    return None if is_late(kind, created_at, at) else at
