"""Copies what the write-ahead log gained into segments, in a folder from which they are shipped."""

import contextlib
import os
import secrets
import time
from pathlib import Path

from storage import private_files
from storage.backups.continuous.frames import ContinuityLost, newest_pages, open_log
from storage.backups.continuous.segments import Content, Segment, write
from storage.backups.continuous.wal_hold import Hold
from storage.backups.continuous.wal_index import Head, WalIndex
from storage.backups.keys import SealingKey
from storage.database import DatabaseOptions


class Capture:
    """One lineage. Blocking, for one OS thread of a process that does not write the database otherwise.

    Raises `ContinuityLost`, `DatabaseProblem`, `sqlite3.Error` and `OSError`; then the lineage has ended."""

    def __init__(self, options: DatabaseOptions, spool: Path, keys: tuple[SealingKey, ...]) -> None:
        self.lineage = secrets.token_hex(8)
        self.number = 0
        """Of the newest segment."""
        self.at = 0
        """When that was: milliseconds since 1970."""
        self._options = options
        self._spool = spool
        self._keys = keys
        with contextlib.ExitStack() as closing:
            self._index: WalIndex | None = None
            closing.callback(self._close_index)  # after the hold: it is the last of SQLite's here
            self._hold = Hold(options)
            closing.callback(self._hold.close)
            self._index = WalIndex(options.path)
            self._file = _identity(options.path)
            self._done = self._index.head()
            self._closing = closing.pop_all()

    def _close_index(self) -> None:
        if self._index is not None:
            self._index.close()

    @property
    def frames(self) -> int:
        """In the log, at the last look."""
        return self._done.frames

    def step(self) -> Segment | None:
        """What was committed since the last step; None where nothing was."""
        with self._hold.renewed():
            return self._copy()

    def turn(self, *, empty: bool) -> bool:
        """Let the log start over; see `Hold.turn`."""
        return self._hold.turn(self._copy_along, empty=empty)

    def _copy_along(self) -> None:
        self._copy()

    def _copy(self) -> Segment | None:
        assert self._index is not None
        if _identity(self._options.path) != self._file:
            raise ContinuityLost("another database is in the place of the one that was followed")
        at = max(self.at + 1, time.time_ns() // 1_000_000)  # the clock may be set back; order is what counts
        head = self._index.head()
        first = _first(self._done, head)
        segment = None
        if first < head.frames:
            segment = self._write(head, first, Segment(self.lineage, self.number + 1, at))
            self.number, self.at = segment.number, segment.at
        self._done = head
        return segment

    def _write(self, head: Head, first: int, segment: Segment) -> Segment:
        log = open_log(self._options.path)
        partial = self._spool / f"{segment.name}.partial"
        try:
            pages = newest_pages(log, head, first)
            content = Content(segment.lineage, segment.number, segment.at, pages.size, head.pages, tuple(pages.places))
            with open(partial, "wb", opener=private_files.private) as target:
                write(target, content, pages.contents(log), self._keys, self._spool)
            os.replace(partial, self._spool / segment.name)
        except BaseException:
            partial.unlink(missing_ok=True)  # a disk that is full needs the room
            raise
        finally:
            os.close(log)
        return segment

    def close(self) -> None:
        self._closing.close()


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _first(done: Head, head: Head) -> int:
    """The first frame that was not copied. While the log is held, it starts over only after all of it was copied."""
    if head.salts != done.salts:
        return 0
    if head.frames < done.frames:
        raise ContinuityLost("the write-ahead log has lost frames")
    return done.frames
