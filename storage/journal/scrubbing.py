"""What was deleted leaves the write-ahead log, too.

`secure_delete` overwrites what is deleted in the database file, but the pages as they were stand in the write-ahead log
until something else is written over them. So after an erasure, and a minute after a deletion, when there is nothing
else to write, the log is folded into the file and emptied.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from peewee import SqliteDatabase

from actors import commands, limits
from actors.outcomes import Done
from actors.resources.artifacts.commands import DeleteArtifact
from actors.resources.artifacts.data_sets import DeleteData
from actors.resources.comments.comment import DeleteComment
from actors.resources.files.commands import DeleteFile
from actors.resources.files.retention import PruneFiles
from actors.resources.messages import DeleteMessage
from actors.resources.retention import RemoveOutdated
from actors.resources.threads import DeleteThread
from actors.resources.users import DeleteUser, EraseContent
from storage.journal.checkpoints import Checkpoints

_SECONDS: dict[type, float] = {
    DeleteUser: 0.0,
    EraseContent: 0.0,
    DeleteArtifact: limits.SCRUB_SECONDS,
    DeleteComment: limits.SCRUB_SECONDS,
    DeleteData: limits.SCRUB_SECONDS,
    DeleteFile: limits.SCRUB_SECONDS,
    DeleteMessage: limits.SCRUB_SECONDS,
    DeleteThread: limits.SCRUB_SECONDS,
    PruneFiles: limits.SCRUB_SECONDS,
    RemoveOutdated: limits.SCRUB_SECONDS,
    commands.Purge: limits.SCRUB_SECONDS,
}
"""How soon the log is to be emptied after a command that takes something away."""


class Scrubbing:
    """Belongs to the connection that writes."""

    def __init__(
        self, database: SqliteDatabase, checkpoints: Checkpoints, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._clock = clock
        self._due_at: float | None = None
        """When the log is to be emptied; None where nothing was deleted since."""

    @property
    def is_due(self) -> bool:
        return self._due_at is not None and self._clock() >= self._due_at

    def note(self, batch: Sequence[Any], outcomes: Sequence[Any]) -> None:
        """A batch was committed."""
        for command, outcome in zip(batch, outcomes, strict=True):
            seconds = _SECONDS.get(type(command))
            if seconds is not None and _has_taken(outcome):
                self._due_within(seconds)

    def _due_within(self, seconds: float) -> None:
        at = self._clock() + seconds
        self._due_at = at if self._due_at is None else min(at, self._due_at)

    def step(self) -> None:
        """Empty the write-ahead log when due. While a reader uses older pages it stays due; it never waits."""
        if self.is_due:
            with self._checkpoints.paused():
                if self._empty():
                    self._due_at = None

    def _empty(self) -> bool:
        connection = self._database.connection()
        (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {patience:d}")
        return not is_busy


def _has_taken(outcome: Any) -> bool:
    """Steps answer how many rows they have taken, or which."""
    return isinstance(outcome, Done) and outcome.result not in (0, ())
