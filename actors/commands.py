"""What can be asked to change: commands, imperative, each answered once it is durable.

Every command carries the identity of its caller. `Once` is its idempotency key: the store answers a retry with the
result of the first request.

Commands are never changed once they are made. They are not frozen, because making a frozen dataclass takes three times
as long (1.6 µs for eleven fields), and each message makes several.
"""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.errors import XpError

IfVersion = int | frozenset[int] | None
"""The version that must be found, or several of which one must be; None for any."""


class _Unset:
    """Type of UNSET: a field that a partial update leaves as it is (None may be a value)."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()

Unset = _Unset


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotency key and a fingerprint of the request it came with."""

    key: str
    fingerprint: str
    renews: bool = False
    """Whether what the first request made is made again where it is gone; else that is refused (`NotFound`)."""


T_co = TypeVar("T_co", covariant=True)


class Makes(Generic[T_co]):
    """What the store writes, and what that comes to: `class Purge(Makes[int])`,
    `class AddMember(ThreadCommand[Member])`."""

    __slots__ = ()


@dataclass(slots=True, kw_only=True)
class Command(Makes[T_co]):
    identity: Identity
    once: Once | None = None
    origin: Origin | None = None
    """Where it comes from, for the audit log; None: from the terminal."""


@dataclass(slots=True, kw_only=True)
class AnswerRetry(Command[Any]):
    """In place of a command that is refused before it is made, because of how things stand now. A retry is answered
    with what the first request came to; raises `refusal` where this is the first."""

    refusal: XpError


@dataclass(slots=True, kw_only=True)
class ThreadCommand(Command[T_co]):
    """A command to one thread; its actor serializes them."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class Gone:
    """What a delete answers."""

    id: str


@dataclass(frozen=True, slots=True)
class NotifyThreadDeleted(Makes[int]):
    """End the memberships of a deleted thread, `rows` at most, and tell those members; answers how many. Without
    `thread_id`: of one where that was broken off."""

    thread_id: str | None = None
    rows: int = 500


@dataclass(frozen=True, slots=True)
class Purge(Makes[int]):
    """Delete up to `rows` expired rows; answers how many were deleted."""

    rows: int = 500


@dataclass(frozen=True, slots=True)
class ShrinkDatabase(Makes[int]):
    """Give back up to `rows` free pages of the database, beyond a reserve; answers how many were given back."""

    rows: int = limits.SHRINK_PAGES
