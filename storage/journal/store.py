"""The journal's store: a batch of commands becomes one transaction, durable when `apply` returns.

A batch runs without savepoints. Nearly every refusal comes before its command has written anything, and is just its
outcome. One that comes later rolls the batch back; it runs again with savepoints
(`storage/journal/group_commit.py`), so that a refusal undoes only itself.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import peewee

from actors import limits
from actors.outcomes import Done
from actors.ports import Outcome
from actors.resources.files.file import NO_QUOTAS, Quotas
from storage.database import ANY_FAILURE, DatabaseOptions, is_passing, is_storage_failure, open_writer, unavailable
from storage.journal import group_commit
from storage.journal.checkpoints import Checkpoints
from storage.journal.scrubbing import Scrubbing
from storage.journal.transaction import Transaction
from storage.schema import check as schema_check
from storage.schema import models
from storage.schema.migrating import migrate
from storage.search.index_updates import IndexUpdates

T = TypeVar("T", bound=Outcome)
logger = logging.getLogger("storage.journal")


class JournalStore:
    """Owns the connection that writes. All methods are called from the journal's OS thread."""

    def __init__(
        self,
        options: DatabaseOptions,
        *,
        migrate_on_open: bool = True,
        quotas: Quotas = NO_QUOTAS,
        artifact_versions: int = limits.ARTIFACT_VERSIONS,
    ) -> None:
        self._options = options
        self._quotas = quotas
        self._artifact_versions = artifact_versions
        self._migrate = migrate_on_open
        self._is_open = False
        self._wary = 0
        """Batches that run apart at once: one had to run twice a moment ago, and the same client may try again."""

    def open(self) -> None:
        """Open, and bring the schema up to date; raises `DatabaseProblem`."""
        self.database = open_writer(self._options)
        self._checkpoints = Checkpoints(self.database, self._options)
        self._is_open = True
        migrate(self.database, self._options.path, apply=self._migrate)
        schema_check.watch(self.database, self._options.path)
        self._index = IndexUpdates(self.database)
        self._scrubbing = Scrubbing(self.database, self._checkpoints)
        self._log = self.epoch

    def close(self) -> None:
        """Also after an `open` that failed, wherever it did."""
        if self._is_open:
            self._is_open = False
            self._checkpoints.stop()
            self.database.close()

    @property
    def epoch(self) -> str:
        return str(models.LogHead.select(models.LogHead.epoch).scalar(self.database))

    def apply(self, batch: Sequence[Any]) -> list[Outcome]:
        """Make all of them durable, in order; an outcome each. Raises `StorageUnavailable` when nothing was written."""
        return self._applied(batch, self._execute)

    def apply_whole(self, batch: Sequence[Any]) -> list[Done[Any]]:
        """The same for commands that belong together: where one is refused, its refusal is raised, and nothing is
        written."""
        return self._applied(batch, lambda batch: self._commit(batch, group_commit.whole))

    def _applied(self, batch: Sequence[Any], execute: Callable[[Sequence[Any]], list[T]]) -> list[T]:
        try:
            self._reconnect()
            return execute(batch)
        except Exception as error:
            raise self._failed(error, f"the database did not take a batch of {len(batch)}") from error

    def _execute(self, batch: Sequence[Any]) -> list[Outcome]:
        if self._wary > 0:
            self._wary -= 1
            return self._commit(batch, group_commit.apart)
        try:
            return self._commit(batch, group_commit.together)
        except Exception as error:
            if is_storage_failure(error):
                raise
        self._wary = limits.WARY_BATCHES
        return self._commit(batch, group_commit.apart)

    def catch_up(self, *, idle: bool) -> bool:
        """One step of indexing for search, where it is time for it; see `actors.ports.Store`. Then what was deleted
        leaves the write-ahead log, also where the index had to be joined for it."""
        if not self._is_open or self.database.is_closed():
            return False
        try:
            self._checkpoints.look()
            if self._index.step(idle=idle):
                return True
            if idle:
                self._scrubbing.step()
            return False
        except Exception as error:
            self._index.rest()
            raise self._failed(error, "the search index does not catch up") from error

    def settle(self, seconds: float) -> None:
        """For who writes beside a server, and ends: all that waits for an idle moment, now."""
        until = time.monotonic() + seconds
        while self.catch_up(idle=True) or (self._scrubbing.is_due and time.monotonic() < until):
            pass

    def heal(self) -> None:
        """Write something that changes nothing, by another connection where this one was lost."""
        try:
            self._reconnect()
            with self.database.atomic("IMMEDIATE"):
                self.database.execute_sql('UPDATE "log_head" SET "position" = "position"')
        except Exception as error:
            raise self._failed(error, "the database still fails") from error
        self._index.resume()

    def _failed(self, error: Exception, what: str) -> Exception:
        """What is raised in place of an error. The next batch finds no transaction, and where the file cannot be
        reached, no connection either: one that was opened before it went away may never find it again."""
        if not is_storage_failure(error):
            self._abandon()
            return error
        logger.warning("%s: %s", what, error)
        self._index.rest()
        if is_passing(error):
            self._abandon()
        else:
            self._disconnect()
        return unavailable(error)

    def _abandon(self) -> None:
        """A failed COMMIT may leave its transaction open."""
        try:
            if self.database.connection().in_transaction:
                self.database.connection().rollback()
        except ANY_FAILURE:
            self._disconnect()

    def _disconnect(self) -> None:
        try:
            self.database.close()
        except ANY_FAILURE as error:
            logger.warning("the database could not be closed: %s", error)

    def _reconnect(self) -> None:
        """Where the connection was given up. Never to another database, nor to a new one: the volume may be away."""
        if not self.database.is_closed():
            return
        if not self._options.path.exists():
            raise peewee.OperationalError("unable to open database file")
        self.database.connect()
        if self.epoch != self._log:
            raise peewee.OperationalError("another database is in its place; the server has to be started again")

    def _commit(self, batch: Sequence[Any], execute: Callable[[Transaction, Sequence[Any]], list[T]]) -> list[T]:
        with self.database.atomic("IMMEDIATE"):
            tx = self._begin()
            outcomes = execute(tx, batch)
            self._set_head(tx)
        self._index.note(tx.position, batch)
        self._scrubbing.note(batch, outcomes)
        return outcomes

    def _begin(self) -> Transaction:
        position = next(self.database.execute_sql('SELECT "position" FROM "log_head"'))[0]
        return Transaction(self.database, position, self._quotas, self._artifact_versions)

    def _set_head(self, tx: Transaction) -> None:
        if tx.position == tx.start:
            return  # nothing was logged: a batch of known users signing in writes no page, and costs no fsync
        self.database.execute_sql('UPDATE "log_head" SET "position" = ?', (tx.position,))
