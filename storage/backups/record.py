"""What came of the last backups, in a file of the data folder: for the server that makes them, and for people."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from storage import private_files
from storage.database import DatabaseProblem, plain_words

FILE_NAME = "backups.json"
LOCK = "backup.lock"


@dataclass(frozen=True, slots=True)
class Record:
    """Times are milliseconds since 1970; None: never."""

    good_at: int | None = None
    """Of the database as it is in the newest good backup."""
    name: str = ""
    size: int = 0
    seconds: float = 0.0
    failed_at: int | None = None
    """Of the last attempt that failed, or after which files were missing."""
    failing_since: int | None = None
    """Of the first failure since the last good one."""
    reason: str = ""
    lineage: str = ""
    """Of the segments of continuous backup that go on from the newest good one."""

    def succeeded(self, *, at: int, name: str, size: int, seconds: float, lineage: str = "") -> "Record":
        return Record(at, name, size, seconds, self.failed_at, None, "", lineage)

    def failed(self, *, at: int, reason: str) -> "Record":
        since = at if self.failing_since is None else self.failing_since
        return replace(self, failed_at=at, failing_since=since, reason=reason)


def read(folder: Path) -> Record:
    """An empty one where there is none, or one that cannot be read."""
    try:
        return Record(**json.loads((folder / FILE_NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return Record()


def write(folder: Path, record: Record) -> None:
    """Whole or not at all. Raises `OSError`."""
    partial = folder / f"{FILE_NAME}.partial"
    with open(partial, "w", opener=private_files.private) as file:
        json.dump(asdict(record), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / FILE_NAME)


@contextlib.contextmanager
def backup_lock(folder: Path) -> Iterator[None]:
    """One backup or rehearsal at a time. Raises `DatabaseProblem` where another runs."""
    with plain_words(folder / LOCK):
        private_files.make_folder(folder)  # on another machine, a rehearsal is the first that happens
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, private_files.FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DatabaseProblem(f"{folder}: another backup or rehearsal runs; wait for its end.") from None
    try:
        yield
    finally:
        os.close(descriptor)
