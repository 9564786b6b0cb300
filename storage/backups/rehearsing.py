"""Would a restore succeed? The newest backup is restored into a scratch file, migrated and checked; where it is no
good, the next one is."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from storage.backups.keys import SealingKey
from storage.backups.making import work_folder
from storage.backups.shelf import Backup, Shelf, backups_on
from storage.backups.unpacking import unpacked
from storage.database import DatabaseProblem
from storage.maintenance import copying
from storage.maintenance.copying import Along


@dataclass(slots=True)
class Rehearsed:
    backup: Backup | None = None
    """The newest that can be restored."""
    seconds: float = 0.0
    migrated: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Of newer ones, in sentences."""


def rehearse(
    shelf: Shelf, keys: tuple[SealingKey, ...], data_dir: Path, *, only: str | None, along: Along
) -> Rehearsed:
    """`only`: this backup. `along` looks for the files that the restored database names. Raises `BlobStoreError`."""
    done = Rehearsed()
    for backup in backups_on(shelf):
        if only in (None, backup.name):
            try:
                _rehearse(shelf, keys, data_dir, backup, along, done)
            except DatabaseProblem as problem:
                done.faults.append(str(problem))
            else:
                break
    return done


def _rehearse(
    shelf: Shelf, keys: tuple[SealingKey, ...], data_dir: Path, backup: Backup, along: Along, done: Rehearsed
) -> None:
    began = time.monotonic()
    with work_folder(data_dir) as work:
        there = unpacked(shelf, backup.name, keys, work)
        named = Path(backup.name)
        copying.must_be_sound(there.path, named=named)
        done.migrated = copying.migrate(there.path, named=named)
        copying.must_hold(there.path, named=named)
        along(there.path)
    done.backup, done.seconds = backup, time.monotonic() - began


def newest_good(shelf: Shelf, keys: tuple[SealingKey, ...], data_dir: Path) -> Rehearsed:
    return rehearse(shelf, keys, data_dir, only=None, along=copying.nothing_along)
