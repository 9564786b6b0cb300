"""A database is brought from a backup to a later state, segment by segment."""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from actors import limits
from storage.backups.continuous.plans import Plan, holds_until
from storage.backups.continuous.segments import Segment, apply
from storage.backups.keys import SealingKey
from storage.backups.shelf import Shelf
from storage.database import DatabaseProblem, plain_words


@dataclass(frozen=True, slots=True)
class Replayed:
    segments: int = 0
    """That were applied."""
    reached_at: int | None = None
    """Milliseconds since 1970: the state is of this moment. None: of the backup itself."""
    fault: str | None = None
    """Why it ends before the newest segment."""
    lost_ms: int = 0
    """From there to the newest segment."""


def replay(plan: Plan, shelf: Shelf, keys: tuple[SealingKey, ...], database: Path, work: Path) -> Replayed:
    """Up to the last segment that is good. Raises `Broken` where the state in between was never one, and
    `BlobStoreError`."""
    number, reached, fault = 0, None, None if plan.missing is None else f"segment {plan.missing:,} is missing"
    try:
        for segment, path in _fetched(plan.segments, shelf, work):
            apply(path, segment, keys, database)
            number, reached = segment.number, segment.at
    except DatabaseProblem as problem:
        fault = str(problem)
    if fault is not None and number < plan.whole_from and number:
        raise Broken(fault)
    if number:
        _as_one_file(database)
    applied = 0 if not plan.segments or not number else number - plan.segments[0].number + 1
    lost = max(0, plan.newest_at - (reached or holds_until(plan.backup))) if fault else 0
    return Replayed(applied, reached, fault, lost)


class Broken(DatabaseProblem):
    """Applied in part: the file is to be thrown away."""


def _fetched(segments: tuple[Segment, ...], shelf: Shelf, work: Path) -> Iterator[tuple[Segment, Path]]:
    """Some are fetched ahead. Raises `DatabaseProblem` where one is not there."""
    waiting: deque[tuple[Segment, Future[Path]]] = deque()
    with ThreadPoolExecutor(limits.SEGMENTS_AHEAD // 2) as pool:
        for segment in segments:
            waiting.append((segment, pool.submit(shelf.fetch, segment.name, work / segment.name)))
            if len(waiting) >= limits.SEGMENTS_AHEAD:
                yield from _next(waiting, work)
        while waiting:
            yield from _next(waiting, work)


def _next(waiting: "deque[tuple[Segment, Future[Path]]]", work: Path) -> Iterator[tuple[Segment, Path]]:
    segment, future = waiting.popleft()
    try:
        yield segment, future.result()
    except FileNotFoundError:
        raise DatabaseProblem(f"{segment.name}: it is missing.") from None
    finally:
        (work / segment.name).unlink(missing_ok=True)


def _as_one_file(database: Path) -> None:
    """Its header says that it has a write-ahead log, as the server's has."""
    with plain_words(database), contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
