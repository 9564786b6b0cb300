"""Checkpoints, off the path of commits.

A checkpoint writes what the write-ahead log holds into the database file and syncs both: up to 100 ms, in which SQLite
lets the commit wait that found the log full. Here another OS thread does it, on a connection of its own, while commits
go on. What these append meanwhile keeps the log from starting over; so once the log is long, and nearly all of it is
in the file, the connection that writes folds the few pages that are left, between two batches: about a millisecond.

A reader that holds an old page holds checkpoints back, here as there: the log grows until it ends, and each further
step tries anew. Should no step get through at all, the connection that writes folds the log itself from
`DatabaseOptions.wal_autocheckpoint` pages on.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from peewee import SqliteDatabase

from storage.database import ANY_FAILURE, DatabaseOptions

logger = logging.getLogger("storage.journal")


@dataclass(frozen=True, slots=True)
class Folded:
    """What a checkpoint found and did."""

    pages: int
    """In the log."""
    done: int
    """Of these, as many are in the database file now."""
    was_busy: bool
    """Another process was at it."""


def fold(connection: sqlite3.Connection) -> Folded:
    """Never wait, neither for readers nor for writers."""
    busy, pages, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return Folded(pages, done, bool(busy))


class Checkpoints:
    """Called by the OS thread that writes; the one that folds is started when it is needed first."""

    def __init__(self, database: SqliteDatabase, options: DatabaseOptions) -> None:
        self._database = database
        self._options = options
        self._counted = 0
        """Rows that the connection had changed when the log was folded last."""
        self._due = threading.Event()
        self._folding = threading.Lock()
        """Held while the other OS thread folds."""
        self._is_nearly_done = False
        """A long log is in the file, but for what was appended meanwhile: set there, cleared here."""
        self._has_ended = False
        self._os_thread: threading.Thread | None = None

    def look(self) -> None:
        """After a batch, once it was answered."""
        connection = self._database.connection()
        if self._is_nearly_done:
            self._is_nearly_done = False
            with contextlib.suppress(*ANY_FAILURE):  # a disk that fails says so with the next batch
                fold(connection)
        changed = connection.total_changes
        if not 0 <= changed - self._counted < self._options.checkpoint_rows:  # less than nothing: a new connection
            self._counted = changed
            self._wake()

    def _wake(self) -> None:
        if self._os_thread is None:
            self._os_thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._os_thread.start()
        self._due.set()

    def _run(self) -> None:
        while self._due.wait() and not self._has_ended:
            with self._folding:
                self._due.clear()
                self._is_nearly_done = self._fold_on_its_own()

    def _fold_on_its_own(self) -> bool:
        """Whether a long log is in the file. By a connection for this once: none is left of a file that went away."""
        uri = f"{self._options.path.absolute().as_uri()}?mode=rw"  # never a new database
        try:
            with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                connection.execute(f"PRAGMA synchronous = {self._options.synchronous}")
                folded = fold(connection)
        except ANY_FAILURE as error:
            logger.warning("the write-ahead log could not be folded into the database: %s", error)
            return False
        return folded.pages >= self._options.wal_pages and folded.done == folded.pages

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is folded by the other OS thread meanwhile; what it has begun is waited for."""
        with self._folding:
            yield

    def stop(self) -> None:
        """What it has begun is waited for; closing the last connection folds what is left."""
        self._has_ended = True
        self._due.set()
        if self._os_thread is not None:
            self._os_thread.join()
