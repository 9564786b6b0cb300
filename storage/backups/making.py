"""One backup onto a shelf: copied, sealed, put there, restored into a scratch file; then those that the rules let go
are removed. It counts as a backup only once it is on the shelf and a restore of it was sound."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from actors import limits
from actors.backups.keeping import Keeping, kept
from storage import private_files
from storage.backups.continuous import marks
from storage.backups.continuous.marks import CONTINUED, Marking
from storage.backups.continuous.pruning import reach
from storage.backups.continuous.survey import Shelves, survey
from storage.backups.keys import SealingKey
from storage.backups.sealing import seal
from storage.backups.shelf import MANIFEST, Backup, Shelf, backups_on, dated, earliest, name_of
from storage.backups.unpacking import unpacked
from storage.database import DatabaseOptions, DatabaseProblem, plain_words
from storage.maintenance import copying
from storage.maintenance.blob_copies import named_in
from storage.maintenance.copying import Along, Progress

WORK = "backup-work"
"""Folder in DATA_DIR: of the backup that is being made, under its lock."""


Prune = Callable[[Callable[[], set[str] | None], float], None]
"""Removes the copies of files that are not among the names which the function answers; None: leave all of them. The
number is a time in seconds: what was stored later stays in any case."""


@dataclass(frozen=True, slots=True)
class Made:
    backup: Backup
    epoch: str
    removed: int
    """Backups that the rules let go."""
    seconds: float
    lineage: str = ""
    """Of the segments that go on from it."""


@dataclass(frozen=True, slots=True)
class Maker:
    options: DatabaseOptions
    shelves: Shelves
    keys: tuple[SealingKey, ...]
    """Empty: backups are plain databases. The first seals."""
    keeping: Keeping
    along: Along
    """Copies the files that the database names."""
    prune_copies: Prune
    marking: Marking

    @property
    def shelf(self) -> Shelf:
        return self.shelves.backups

    def make(self, progress: Progress) -> Made:
        """Raises `DatabaseProblem` and `BlobStoreError`; then the backups that were there are there."""
        began = time.monotonic()
        with work_folder(self.options.path.parent) as work:
            self.marking.begin()
            copy = copying.backup(self.options, work / "copy.db", progress=progress, along=self._along)
            made_at = dated(copy.moment)
            name = name_of(made_at, copy.position, sealed=bool(self.keys))
            names = [self._copied_name(digest) for digest, _ in named_in(copy.path)]
            self._put(copy.path, name, names)
            size = self._verify(name, copy, work)
        removed, mark = self._prune(), self.marking.mark
        return Made(
            Backup(name, made_at, copy.position, size), copy.epoch, removed, time.monotonic() - began,
            mark.lineage if mark else "",
        )  # fmt: skip

    def _along(self, copy: Path) -> None:
        self.marking.note()
        self.along(copy)

    def _copied_name(self, digest: str) -> str:
        return self.keys[0].name_of(digest) if self.keys else digest

    def _put(self, copy: Path, name: str, names: Sequence[str]) -> None:
        """The manifest first: no copy of a file that a backup names is ever removed."""
        manifest = copy.with_name("manifest")
        manifest.write_text(json.dumps(names))
        self.shelf.put(manifest, name + MANIFEST)
        if self.marking.mark is not None:
            note = copy.with_name("mark")
            marks.write(note, self.marking.mark, self.keys)
            self.shelf.put(note, name + CONTINUED)
        if self.keys:
            sealed = copy.with_name("sealed")
            with copy.open("rb") as source, open(sealed, "wb", opener=private_files.private) as target:
                seal(source, target, self.keys[0], compress=True)
            copy.unlink()
            copy = sealed
        self.shelf.put(copy, name)

    def _verify(self, name: str, copy: copying.Copy, work: Path) -> int:
        """What fails is no backup: it would pass for the newest."""
        try:
            there = unpacked(self.shelf, name, self.keys, work)
            copying.must_be_sound(there.path, named=Path(name))
            copying.must_hold(there.path, named=Path(name))
            if there.head != (copy.epoch, copy.position):
                raise DatabaseProblem(f"{name}: what was restored is not what was copied; is the disk sound?")
        except DatabaseProblem:
            for suffix in ("", MANIFEST, CONTINUED):
                self.shelf.delete(name + suffix)
            raise
        return there.size

    def _prune(self) -> int:
        there = backups_on(self.shelf)
        staying = {backup.name for backup in kept(there, self.keeping)}
        going = [backup.name for backup in there if backup.name not in staying]
        for name in going:
            self.shelf.delete(name)
        self._forget_notes(staying)
        since = self._prune_segments()
        self.prune_copies(lambda: self._named_by(staying), since)
        return len(going)

    def _forget_notes(self, staying: set[str]) -> None:
        for name, _ in self.shelf.entries():
            for suffix in (MANIFEST, CONTINUED):
                if name.endswith(suffix) and name.removesuffix(suffix) not in staying:
                    self.shelf.delete(name)

    def _prune_segments(self) -> float:
        """Answers since when copies of files are kept that no backup may name: they came with segments that stay."""
        with work_folder(self.options.path.parent) as work:
            found = survey(self.shelves, self.keys, work)
        reached = reach(found, self.keeping.continuous_days, datetime.now(UTC))
        if not found.unread:  # a key that is missing may be set again
            names = [each.name for each in found.segments if reached is None or not reached.needs(each)]
            self.shelves.segments.delete_all(names)
        beginnings = [backup for backup in found.backups if backup.name in found.unread]
        if reached is not None:
            beginnings.append(reached.oldest)
        return min((earliest(backup).timestamp() for backup in beginnings), default=time.time())

    def _named_by(self, backups: set[str]) -> set[str] | None:
        """Names of all copies of files that these backups need; None where one does not say."""
        needed: set[str] = set()
        with work_folder(self.options.path.parent) as work:
            for name in backups:
                try:
                    needed.update(json.loads(self.shelf.fetch(name + MANIFEST, work / "manifest").read_bytes()))
                except (FileNotFoundError, ValueError):
                    return None
        return needed


@contextlib.contextmanager
def work_folder(data_dir: Path) -> Iterator[Path]:
    """Empty: what a killed backup has left there is removed."""
    folder = data_dir / WORK
    shutil.rmtree(folder, ignore_errors=True)
    with plain_words(folder):
        private_files.make_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_removable(modified: float, since: float) -> bool:
    """A copy of a file, by when it was stored."""
    return modified < min(since, time.time() - limits.BLOB_FRESH_SECONDS)
