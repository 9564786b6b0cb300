"""The journal's store: a batch of commands becomes one transaction, durable when `apply` returns.

A batch runs without savepoints until one of its commands is refused; then it is rolled back and run again, each command
under a savepoint of its own, so that a refusal undoes only itself.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import peewee

from actors import commands
from actors.commands import Done, Once
from actors.errors import Conflict, Internal, XpError
from storage import models
from storage.database import DatabaseOptions, is_storage_failure, open_writer, unavailable
from storage.schema import migrate
from storage.writing import housekeeping, members, messages, outcomes, posting, threads, users
from storage.writing.transaction import Transaction

logger = logging.getLogger("storage.journal")

HANDLERS: dict[type, Callable[[Transaction, Any], Done]] = {
    commands.EnsureUser: users.ensure_user,
    commands.CreateUser: users.create_user,
    commands.UpdateUser: users.update_user,
    commands.DeleteUser: users.delete_user,
    commands.CreateThread: threads.create_thread,
    commands.UpdateThread: threads.update_thread,
    commands.DeleteThread: threads.delete_thread,
    commands.AddMember: members.add_member,
    commands.UpdateMember: members.update_member,
    commands.RemoveMember: members.remove_member,
    commands.MarkRead: members.mark_read,
    commands.EditMessage: messages.edit_message,
    commands.DeleteMessage: messages.delete_message,
    commands.React: messages.react,
    commands.Purge: housekeeping.purge,
}
"""Every command but PostMessage, which is done many at a time."""

_Outcome = Done | XpError


class JournalStore:
    """Owns the connection that writes. All methods are called from the journal's OS thread."""

    def __init__(self, options: DatabaseOptions, *, migrate_on_open: bool = True) -> None:
        self._options = options
        self._migrate = migrate_on_open
        self._is_open = False

    def open(self) -> None:
        """Open, and bring the schema up to date; raises `DatabaseProblem`."""
        self.database = open_writer(self._options)
        self._is_open = True
        models.database_proxy.initialize(self.database)
        migrate(self.database, self._options.path, apply=self._migrate)

    def close(self) -> None:
        """Also after an `open` that failed, wherever it did."""
        if self._is_open:
            self.database.close()
            self._is_open = False

    @property
    def epoch(self) -> str:
        return str(models.LogHead.select(models.LogHead.epoch).scalar(self.database))

    def apply(self, batch: Sequence[Any]) -> list[_Outcome]:
        """Make all of them durable, in order; an outcome each. Raises `StorageUnavailable` when nothing was written."""
        try:
            try:
                return self._together(batch)
            except Exception as error:
                if is_storage_failure(error):
                    raise
                return self._apart(batch)
        except Exception as error:
            if not is_storage_failure(error):
                raise
            self._abandon()
            logger.warning("the database did not take a batch of %d: %s", len(batch), error)
            raise unavailable(error) from error

    def _abandon(self) -> None:
        """A failed COMMIT may leave its transaction open; the next batch must find none."""
        try:
            if self.database.connection().in_transaction:
                self.database.connection().rollback()
        except Exception as error:
            if not is_storage_failure(error):
                raise
            self.database.close()
            self.database.connect()

    def _together(self, batch: Sequence[Any]) -> list[_Outcome]:
        with self.database.atomic("IMMEDIATE"):
            tx = self._begin()
            outcomes: list[_Outcome] = [done for run in _runs(batch) for done in self._run(tx, run)]
            self._set_head(tx)
        return outcomes

    def _apart(self, batch: Sequence[Any]) -> list[_Outcome]:
        with self.database.atomic("IMMEDIATE"):
            tx = self._begin()
            outcomes = [self._alone(tx, command) for command in batch]
            self._set_head(tx)
        return outcomes

    def _alone(self, tx: Transaction, command: Any) -> _Outcome:
        position = tx.position
        try:
            with self.database.savepoint():
                return self._run(tx, [command])[0]
        except XpError as refusal:
            tx.position = position
            return refusal
        except peewee.IntegrityError as error:
            tx.position = position
            return _taken(error, command)
        except Exception as error:
            if is_storage_failure(error):
                raise
            tx.position = position
            logger.exception("%s failed", type(command).__name__)
            return Internal()

    def _begin(self) -> Transaction:
        position = next(self.database.execute_sql('SELECT "position" FROM "log_head"'))[0]
        return Transaction(self.database, position)

    def _set_head(self, tx: Transaction) -> None:
        if tx.position == tx.start:
            return  # nothing was logged: a batch of known users signing in writes no page, and costs no fsync
        self.database.execute_sql('UPDATE "log_head" SET "position" = ?', (tx.position,))

    def _run(self, tx: Transaction, run: Sequence[Any]) -> list[Done]:
        """Commands of one kind in order: posts many at a time, others one by one."""
        if not isinstance(run[0], commands.PostMessage):
            return [self._once(tx, command) for command in run]
        if all(post.once is None for post in run):
            return posting.post_messages(tx, run)
        return [self._once(tx, post) for post in run]

    def _once(self, tx: Transaction, command: Any) -> Done:
        once: Once | None = getattr(command, "once", None)
        if once is None:
            return self._do(tx, command)
        before = outcomes.find(tx, command.identity, once)
        if before is not None:
            return before
        done = self._do(tx, command)
        outcomes.keep(tx, command.identity, once, done)
        return done

    def _do(self, tx: Transaction, command: Any) -> Done:
        if isinstance(command, commands.PostMessage):
            return posting.post_messages(tx, [command])[0]
        return HANDLERS[type(command)](tx, command)


def _runs(batch: Sequence[Any]) -> Iterator[list[Any]]:
    """Neighbours of one kind, so that posts between two other commands are one run."""
    for _, run in groupby(batch, key=lambda command: (type(command), getattr(command, "once", None) is None)):
        yield list(run)


def _taken(error: peewee.IntegrityError, command: Any) -> XpError:
    if "uid" in str(error):
        return Conflict("The id in the request is taken; leave it out, or make a new one.", code="id_taken")
    logger.error("%s broke a constraint: %s", type(command).__name__, error)
    return Internal()
