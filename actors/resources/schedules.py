"""Schedules: a message that is written later, or a reminder to oneself; each once, at a moment.

A message is written in the name of its author, who needs the rights for it then, not only now. It goes from pending to
sending, which nobody can cancel, to sent or failed: the id of its message is chosen before, so that a message that was
written is found after a crash, and never written again. A reminder is sent in one step.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from actors.commands import UNSET, Command, IfVersion, Makes, Unset
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery, Query
from actors.resources.users import User

ScheduleKind = Literal["message", "reminder"]
SCHEDULE_KINDS: tuple[ScheduleKind, ...] = ("message", "reminder")
ScheduleStatus = Literal["pending", "sending", "sent", "failed", "cancelled"]
SCHEDULE_STATUSES: tuple[ScheduleStatus, ...] = ("pending", "sending", "sent", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Moment:
    """When: by the clock on the wall of a place, and the instant that this is."""

    due_at: int
    """Milliseconds since 1970."""
    local: str
    """`2026-03-29T09:00:00`, without an offset."""
    time_zone: str
    """An IANA name."""


@dataclass(frozen=True, slots=True)
class Schedule:
    key: int
    id: str
    kind: ScheduleKind
    user_key: int
    thread_id: str | None
    """None: a reminder without a subject."""
    message_id: str | None
    """Of a message: the one that was, or will be, written. Of a reminder: its subject."""
    content: str
    """Of the message; the note of a reminder."""
    blocks: str | None
    metadata: str
    at: Moment
    status: ScheduleStatus
    reason: str
    """Why it failed, in a sentence."""
    version: int
    created_at: int
    ended_at: int | None


def moment_of(local: datetime, zone: str) -> Moment:
    """Of a time on the wall. One that the clock skips when it is put forward is as long after midnight as it would have
    been; of one that comes twice when it is put back the first is meant. Raises `ValueError` for an unknown zone."""
    here = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    return at_instant(here.astimezone(UTC), zone)


def at_instant(instant: datetime, zone: str) -> Moment:
    shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return Moment((instant - _EPOCH) // timedelta(milliseconds=1), shown.isoformat(timespec="seconds"), zone)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


# Events

SCHEDULE_UPDATED: Final = EventKind("schedule.updated", Schedule | Mapping, "schedule", channel="user")
"""Made, changed, cancelled, sent or failed: in its user's own log. Of one that is gone since, only its id."""


# Commands


@dataclass(slots=True, kw_only=True)
class CreateSchedule(Command[Schedule]):
    """Answers the `Schedule`."""

    kind: ScheduleKind
    at: Moment
    thread_id: str | None = None
    message_id: str | None = None
    """The subject of a reminder."""
    content: str = ""
    blocks: str | None = None
    metadata: str = "{}"


@dataclass(slots=True, kw_only=True)
class UpdateSchedule(Command[Schedule]):
    """While it is pending. Answers the `Schedule`."""

    schedule_id: str
    at: Moment | Unset = UNSET
    content: str | Unset = UNSET
    blocks: str | Unset | None = UNSET
    metadata: str | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class CancelSchedule(Command[Schedule]):
    """While it is pending. Answers the `Schedule`."""

    schedule_id: str
    if_version: IfVersion = None


@dataclass(frozen=True, slots=True)
class TakeSchedule(Makes[int]):
    """One that is due: a message from pending to sending; a reminder is sent, or fails where its user may not see its
    subject any more. Answers whether it was there to be taken."""

    key: int


@dataclass(frozen=True, slots=True)
class EndSchedule(Makes[int]):
    """What came of one that was being sent; one that has ended stays as it is. Answers whether it was sending."""

    key: int
    status: Literal["sent", "failed"]
    reason: str = ""


# Queries


@dataclass(frozen=True, slots=True)
class DueSchedule:
    schedule: Schedule
    user: User
    """As the author is now."""


@dataclass(frozen=True, slots=True)
class Due:
    schedules: tuple[DueSchedule, ...]
    next_at: int | None
    """When the next one after these is due; None: there is none."""


@dataclass(frozen=True, slots=True)
class ListDueSchedules(Query[Due]):
    """The earliest that are due at `now` (milliseconds since 1970), `limit` at most; also those that were being sent
    when the process ended."""

    now: int
    limit: int


@dataclass(frozen=True, slots=True)
class GetSchedule(IdentityQuery[Schedule]):
    """Raises `NotFound`, also for another's."""

    schedule_id: str


@dataclass(frozen=True, slots=True)
class ListSchedules(IdentityQuery[Page[Schedule]]):
    """One's own, the newest first."""

    _: KW_ONLY
    status: ScheduleStatus | None
    thread_id: str | None
    limit: int
    before: int | None
