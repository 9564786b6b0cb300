"""The outbox: notifications that leave the server, a row for each way that their user has chosen.

A row is written with its notification, and goes with it: what was read is not sent. It is pending until it was sent, or
given up; attempts and their outcome are written to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from actors import limits
from actors.commands import Makes
from actors.queries import Query
from actors.resources.backoff import pause
from actors.resources.notifications import DeliveryKind, DeliveryState, Notification, Preferences
from actors.resources.users import User

Way = Literal["web_push", "email"]
"""The ways for which the server has a sender."""
WAYS: Final[tuple[Way, ...]] = ("web_push", "email")
OutboxError = Literal["no_recipient", "not_allowed", "refused", "unreachable"]
"""Why a row was given up, or is tried again: its user has no device or address; they may not sign in; the service
refused; the service failed or did not answer."""


@dataclass(frozen=True, slots=True)
class DueRows:
    """What is due to one user by one way, the oldest first."""

    user: User
    way: Way
    keys: tuple[int, ...]
    created_at: int
    """Of the newest: a user who is active gets a moment to read it."""


@dataclass(frozen=True, slots=True)
class ListDueRows(Query[Sequence[DueRows]]):
    """The oldest rows of a way, `limits.OUTBOX_DUE` at most, without those of `busy` users."""

    way: Way
    gathered: int = 0
    """Seconds: the rows of a user are due together, once one of them is so old."""
    busy: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordSent(Makes[None]):
    """They were sent."""

    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WithdrawRows(Makes[None]):
    """They need not be sent: what they are about was read, or is gone with its thread."""

    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RecordFailed(Makes[DeliveryState]):
    """They were not. Answers the `DeliveryState` that they have now."""

    keys: tuple[int, ...]
    error: OutboxError
    retry: bool
    """Whether another attempt may succeed."""
    retry_after: float | None = None
    """Seconds that the service asked for."""
    chance: float = 0.5
    """From 0 to 1: spreads retries."""
    reached: tuple[int, ...] = ()
    """Keys of devices that have got it: they do not get it again."""


@dataclass(frozen=True, slots=True)
class CountRows(Query[dict[tuple[DeliveryKind, DeliveryState], int]]):
    """How many rows of ways with a sender wait, and how many were given up within a week; for metrics."""


SentBy = Literal["email", "web_push", "webhook"]
"""What leaves the server: all mails, pushes to browsers, deliveries to webhooks."""
SENT_BY: Final[tuple[SentBy, ...]] = ("email", "web_push", "webhook")


@dataclass(frozen=True, slots=True)
class Waiting:
    count: int
    oldest_at: int | None
    """When the oldest of them was written: milliseconds since 1970. None: there is none."""


@dataclass(frozen=True, slots=True)
class CountWaiting(Query[dict[SentBy, Waiting]]):
    """For the status of the server."""


@dataclass(frozen=True, slots=True)
class RedateWaiting(Makes[int]):
    """What waits to leave the server, and was dated by a clock that was ahead, is due now: up to `rows` of each kind.
    Answers how many of them there were."""

    rows: int = 100


def next_attempt(now: int, attempts: int, created_at: int, retry_after: float | None, chance: float) -> int | None:
    """When it is tried again, in milliseconds since 1970; None: never, it is too late for news."""
    most = limits.PUSH_TTL_SECONDS
    seconds = pause(limits.PUSH_DELAYS, attempts, retry_after, most=most, spread=0.2, chance=chance)
    if seconds is None:
        return None
    at = now + round(seconds * 1000)
    return at if at < created_at + most * 1000 else None


# Explained


@dataclass(frozen=True, slots=True)
class RowTrace:
    way: DeliveryKind
    state: DeliveryState
    attempts: int
    due_at: int
    error: OutboxError | None


@dataclass(frozen=True, slots=True)
class OutboxTrace:
    """A notification, and what decides whether it leaves the server."""

    notification: Notification
    user_id: str
    user_name: str
    preferences: Preferences
    """As they are now."""
    devices: int
    has_address: bool
    """Whether the user has confirmed the address that they have now."""
    rows: tuple[RowTrace, ...]
    """None are left of what was read before it was sent, and of what is a week old."""
