"""The log: what has happened in threads, read back."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from actors.events import Event, LogPage
from actors.queries import IdentityQuery, Query


@dataclass(frozen=True, slots=True)
class ReadThreadLog(IdentityQuery[LogPage]):
    """Events of one thread after `offset`; before it when `reverse`, where 0 means from the newest on."""

    thread_id: str
    offset: int
    _: KW_ONLY
    limit: int
    up_to: int | None = None
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class ReadLog(IdentityQuery[LogPage]):
    """Events of many threads after `position`, in the one order of all; threads not visible are left out."""

    thread_ids: Sequence[str]
    position: int
    _: KW_ONLY
    limit: int


@dataclass(frozen=True, slots=True)
class GetLogHead(Query[tuple[str, int]]):
    """(epoch of the log, its newest position)."""


@dataclass(frozen=True, slots=True)
class ReadLogBetween(Query[Sequence[Event]]):
    """Events of these threads with a position after `after` and up to `up_to`, in order; for the follower."""

    thread_ids: Sequence[str]
    after: int
    up_to: int
