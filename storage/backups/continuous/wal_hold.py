"""Holds SQLite's write-ahead log, so that it never starts over before its frames were copied.

A log starts over when all of its frames are in the database file and no reader needs any. So one read transaction is
always open here: the next begins before the one before ends, and frames are copied in between. A reader that began
while the log had frames keeps it from starting over; one that began while all of them were in the file reads no log,
but keeps every checkpoint away, so that the log may start over once, and not again before the next look. Whichever it
is, no process, server, command or shell, can take frames away that were not copied.

The price is that the log never starts over by itself while something is written: `turn` makes the moment for it.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from actors import limits
from storage.database import DatabaseOptions
from storage.journal.checkpoints import fold


class Hold:
    """Connections of one process, which reads frames and writes nothing. Any OS thread, one at a time."""

    def __init__(self, options: DatabaseOptions) -> None:
        """Raises `sqlite3.Error`."""
        self._options = options
        with contextlib.ExitStack() as closing:
            self._held, self._next, self._folding, self._writing = (
                closing.enter_context(contextlib.closing(self._connect())) for _ in range(4)
            )
            _begin(self._held)
            self._closing = closing.pop_all()

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self._options.path.absolute().as_uri()}?mode=rw"  # never a new database
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout = {limits.SHIPPING_BUSY_MS:d}")
        connection.execute(f"PRAGMA synchronous = {self._options.synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection

    @contextlib.contextmanager
    def renewed(self) -> Iterator[None]:
        """The next read transaction has begun, and the one before has not ended: the moment to copy frames."""
        _begin(self._next)
        try:
            yield
        except BaseException:
            self._next.rollback()
            raise
        self._held.rollback()
        self._held, self._next = self._next, self._held

    def turn(self, copy: Callable[[], None], *, empty: bool) -> bool:
        """Let the log start over with the next write, where no reader needs it; False where it is to be tried again.
        `empty`: also cut it to nothing, for which the moment has to be quiet.

        Most of the log is folded beside writers. Then they wait for the rest: a second's writes at most."""
        fold(self._folding)
        with self.renewed():
            copy()
        try:
            self._writing.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:  # a long write of another process
            return False
        try:
            is_folded = self._fold_all(copy)
        finally:
            self._writing.rollback()
        return is_folded and (not empty or self._cut())

    def _fold_all(self, copy: Callable[[], None]) -> bool:
        """Nobody writes meanwhile. All is copied, all is in the file, and the last transaction reads no log."""
        with self.renewed():
            copy()
        folded = fold(self._folding)
        with self.renewed():
            pass
        return not folded.was_busy and folded.done == folded.pages

    def _cut(self) -> bool:
        """Frames of deleted contents go from the disk, too. What was written meanwhile keeps it from happening."""
        self._folding.execute("PRAGMA busy_timeout = 0")
        is_busy, _, _ = self._folding.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    def close(self) -> None:
        self._closing.close()


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
