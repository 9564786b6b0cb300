"""Notices: mails that tell a user of a change by which an account can be taken over. No preference ends them.

A notice is written in the transaction of the change, and waits in the database until the mail server has taken it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from actors import limits
from actors.commands import Makes
from actors.queries import Query
from actors.resources.backoff import pause
from actors.resources.users import User

NoticeKind = Literal["password_changed", "email_changed", "account_linked", "api_key_created"]
NOTICE_KINDS: Final[tuple[NoticeKind, ...]] = (
    "password_changed", "email_changed", "account_linked", "api_key_created",
)  # fmt: skip
NoticeState = Literal["pending", "sent", "failed"]
NOTICE_STATES: Final[tuple[NoticeState, ...]] = ("pending", "sent", "failed")
Doer = Literal["user", "administrator", "provider"]
DOERS: Final[tuple[Doer, ...]] = ("user", "administrator", "provider")
"""Who made the change; `provider`: an issuer of tokens, by what a token of the user says."""


@dataclass(frozen=True, slots=True)
class Notice:
    key: int
    kind: NoticeKind
    user: User
    address: str
    """It is sent to: the one that the user had at that moment."""
    at: int
    """Of the change: milliseconds since 1970."""
    by: Doer
    came_from: str
    """Network address, as the list of sessions has it; empty where another than the user made the change."""
    user_agent: str
    detail: str
    """Name of an API key, or issuer of an account; else empty."""


@dataclass(frozen=True, slots=True)
class EndNotice(Makes[NoticeState]):
    """What came of an attempt; one that `failed` and may succeed later is pending again."""

    key: int
    state: Literal["sent", "failed"]
    retry: bool = False


@dataclass(frozen=True, slots=True)
class DropNotices(Makes[int]):
    """None of those that wait is sent: after a restore, because they are of another time. Answers how many waited."""


@dataclass(frozen=True, slots=True)
class ListDueNotices(Query[Sequence[int]]):
    """Keys of those that are due, the oldest first, without those that are on their way."""

    busy: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GetNotice(Query[Notice | None]):
    """None: it is not to be sent any more, because its user or their address has changed, or it is too late."""

    key: int


def is_late(created_at: int, now: int) -> bool:
    return now >= created_at + limits.NOTICE_DAY_SECONDS * 1000


def next_attempt(created_at: int, attempts: int, now: int) -> int | None:
    """When it is tried again, in milliseconds since 1970; None: never."""
    seconds = pause(limits.LETTER_DELAYS, attempts, None, most=limits.NOTICE_DAY_SECONDS, spread=0.0, chance=0.5)
    if seconds is None:
        return None
    at = now + round(seconds * 1000)
    return None if is_late(created_at, at) else at
