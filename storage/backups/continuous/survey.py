"""What is on the shelf: backups, after which segment each goes on, and the segments."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.backups.continuous import marks
from storage.backups.continuous.marks import CONTINUED, Mark
from storage.backups.continuous.plans import Plan, plans
from storage.backups.continuous.segments import Segment, segment_of
from storage.backups.keys import SealingKey
from storage.backups.shelf import Backup, Shelf, backups_of
from storage.database import DatabaseProblem


@dataclass(frozen=True, slots=True)
class Shelves:
    backups: Shelf
    segments: Shelf
    """Of continuous backup; an empty one where there is none."""


@dataclass(frozen=True, slots=True)
class Survey:
    backups: tuple[Backup, ...]
    """The newest first."""
    marks: dict[str, Mark]
    """By name of the backup."""
    segments: tuple[Segment, ...]
    unread: frozenset[str]
    """Names of backups whose mark cannot be read: it is damaged, or by another key."""

    def plans(self, until: int | None = None) -> list[Plan]:
        return plans(self.backups, self.marks, self.segments, until)


def survey(shelves: Shelves, keys: tuple[SealingKey, ...], work: Path) -> Survey:
    """Raises `BlobStoreError`. A mark that cannot be read is none: then the backup is what it is by itself."""
    entries = shelves.backups.entries()
    backups = backups_of(entries, datetime.now(UTC))
    marked = {name.removesuffix(CONTINUED) for name, _ in entries if name.endswith(CONTINUED)}
    found = {
        backup.name: _mark(shelves.backups, backup.name, keys, work) for backup in backups if backup.name in marked
    }
    segments = [segment_of(name, size) for name, size in shelves.segments.entries()]
    return Survey(
        tuple(backups), {name: mark for name, mark in found.items() if mark is not None},
        tuple(segment for segment in segments if segment is not None),
        frozenset(name for name, mark in found.items() if mark is None),
    )  # fmt: skip


def _mark(shelf: Shelf, name: str, keys: tuple[SealingKey, ...], work: Path) -> Mark | None:
    with contextlib.suppress(FileNotFoundError, DatabaseProblem):
        return marks.read(shelf.fetch(name + CONTINUED, work / "mark"), keys, named=name + CONTINUED)
    return None
