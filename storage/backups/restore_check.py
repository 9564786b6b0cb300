"""Would a restore succeed? The newest state that can be had is restored into a scratch file, migrated and checked;
where it is no good, the next one is."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.backups.continuous.plans import Plan
from storage.backups.continuous.replaying import Replayed, replay
from storage.backups.continuous.survey import Shelves, survey
from storage.backups.keys import SealingKey
from storage.backups.making import work_folder
from storage.backups.shelf import Backup
from storage.backups.unpacking import unpacked
from storage.database import DatabaseProblem
from storage.maintenance import copying
from storage.maintenance.copying import Along


@dataclass(slots=True)
class Rehearsed:
    backup: Backup | None = None
    """The one from which the newest state comes that can be restored."""
    replayed: Replayed = field(default_factory=Replayed)
    """What followed it, by continuous backup."""
    gap_until: int | None = None
    """See `Plan`."""
    seconds: float = 0.0
    migrated: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Of newer states, in sentences."""


def rehearse(
    shelves: Shelves, keys: tuple[SealingKey, ...], data_dir: Path, *, along: Along, only: str | None = None,
    until: int | None = None,
) -> Rehearsed:  # fmt: skip
    """`only`: this backup, by itself. `until`: a time in milliseconds. `along` looks for the files that the restored
    database names. Raises `BlobStoreError`."""
    with restored(shelves, keys, data_dir, along=along, only=only, until=until) as (done, _):
        return done


@contextlib.contextmanager
def restored(
    shelves: Shelves, keys: tuple[SealingKey, ...], data_dir: Path, *, along: Along = copying.nothing_along,
    only: str | None = None, until: int | None = None,
) -> Iterator[tuple[Rehearsed, Path]]:  # fmt: skip
    """The same, with the restored file while inside, if `backup` is one."""
    with work_folder(data_dir) as work:
        found = survey(shelves, keys, work)
        wanted = found.plans(until) if only is None else [Plan(each) for each in found.backups if each.name == only]
        yield _first_good(_Rehearsal(shelves, keys, work, along), wanted), work / "restored.db"


def _first_good(rehearsal: "_Rehearsal", plans: list[Plan]) -> Rehearsed:
    done = Rehearsed()
    while plans and done.backup is None:
        plan = plans.pop(0)
        try:
            rehearsal.go(plan, done)
        except DatabaseProblem as problem:
            done.faults.append(str(problem))
            if plan.segments and rehearsal.is_unpacked:  # the backup by itself may be good
                plans.append(Plan(plan.backup))
                plans.sort(key=lambda each: each.reaches, reverse=True)
    return done


@dataclass(slots=True)
class _Rehearsal:
    shelves: Shelves
    keys: tuple[SealingKey, ...]
    work: Path
    along: Along
    is_unpacked: bool = False
    """Whether the backup of the last plan was whole; what followed it was not, then."""

    def go(self, plan: Plan, done: Rehearsed) -> None:
        """Raises `DatabaseProblem`."""
        began, named, self.is_unpacked = time.monotonic(), Path(plan.backup.name), False
        there = unpacked(self.shelves.backups, plan.backup.name, self.keys, self.work)
        self.is_unpacked = True
        replayed = replay(plan, self.shelves.segments, self.keys, there.path, self.work)
        copying.must_be_sound(there.path, named=named)
        migrated = copying.migrate(there.path, named=named)
        copying.must_hold(there.path, named=named)
        self.along(there.path)
        if replayed.fault is not None:
            done.faults.append(f"{plan.backup.name} is followed as far as its segments are good: {replayed.fault}")
        done.backup, done.replayed, done.migrated = plan.backup, replayed, migrated
        done.gap_until = plan.gap_until if replayed.fault is None else None
        done.seconds = time.monotonic() - began
