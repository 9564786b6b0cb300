"""The journal's store: a batch of commands becomes one transaction, durable when `apply` returns.

A batch runs without savepoints until one of its commands is refused; then it is rolled back and run again, each command
under a savepoint of its own, so that a refusal undoes only itself.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import peewee

from actors import account_commands, commands, notification_commands, stream_commands
from actors.activity import SaveActivity
from actors.commands import Done, Once
from actors.errors import Conflict, Internal, XpError
from storage import models
from storage.database import DatabaseOptions, is_storage_failure, open_writer, unavailable
from storage.schema import migrate
from storage.searching.catching_up import CatchingUp
from storage.writing import (
    activity,
    audit,
    credentials,
    feed,
    housekeeping,
    leaving,
    members,
    memory,
    messages,
    outcomes,
    posting,
    sessions,
    streams,
    threads,
    users,
)
from storage.writing.transaction import Transaction

logger = logging.getLogger("storage.journal")

HANDLERS: dict[type, Callable[[Transaction, Any], Done]] = {
    commands.EnsureUser: users.ensure_user,
    commands.CreateUser: users.create_user,
    commands.UpdateUser: users.update_user,
    commands.DeleteUser: leaving.delete_user,
    commands.CreateThread: threads.create_thread,
    commands.UpdateThread: threads.update_thread,
    commands.HandOver: threads.hand_over,
    commands.DeleteThread: threads.delete_thread,
    commands.AddMember: members.add_member,
    commands.UpdateMember: members.update_member,
    commands.RemoveMember: members.remove_member,
    commands.MarkRead: members.mark_read,
    commands.ReplaceMemory: memory.replace_memory,
    commands.UpdateMemory: memory.update_memory,
    commands.EditMessage: messages.edit_message,
    commands.DeleteMessage: messages.delete_message,
    commands.React: messages.react,
    commands.Purge: housekeeping.purge,
    account_commands.StartSession: sessions.start_session,
    account_commands.FollowLink: sessions.follow_link,
    account_commands.SignInByProvider: sessions.sign_in_by_provider,
    account_commands.RefreshSession: sessions.refresh_session,
    account_commands.ResumeSession: sessions.resume_session,
    account_commands.EndSession: sessions.end_session,
    account_commands.EndSessions: sessions.end_sessions,
    account_commands.UseApiKey: credentials.use_api_key,
    account_commands.CreateApiKey: credentials.create_api_key,
    account_commands.RevokeApiKey: credentials.revoke_api_key,
    account_commands.RevokeToken: credentials.revoke_token,
    account_commands.SetPassword: credentials.set_password,
    account_commands.CreateLink: credentials.create_link,
    account_commands.EraseContent: leaving.erase_content,
    account_commands.NoteForAudit: audit.note_for_audit,
    notification_commands.MarkUnread: members.mark_unread,
    notification_commands.ReadNotification: feed.read_notification,
    notification_commands.ReadAllNotifications: feed.read_all_notifications,
    notification_commands.DismissNotification: feed.dismiss_notification,
    notification_commands.UpdatePreferences: feed.update_preferences,
    notification_commands.SetThreadPreferences: feed.set_thread_preferences,
    SaveActivity: activity.save_activity,
    stream_commands.FinishMessage: streams.finish_message,
    stream_commands.SaveProgress: streams.save_progress,
    stream_commands.InterruptMessage: streams.interrupt_message,
    stream_commands.InterruptAbandoned: streams.interrupt_abandoned,
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
        self._index = CatchingUp(self.database)

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
            self._index.rest()
            logger.warning("the database did not take a batch of %d: %s", len(batch), error)
            raise unavailable(error) from error

    def catch_up(self, *, idle: bool) -> bool:
        """One step of indexing for search, where it is time for it; see `actors.ports.Store`."""
        try:
            return self._is_open and self._index.step(idle=idle)
        except Exception as error:
            self._abandon()
            self._index.rest()
            logger.warning("the search index does not catch up: %s", error, exc_info=not is_storage_failure(error))
            return False

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
        self._index.note(tx.position, batch)
        return outcomes

    def _apart(self, batch: Sequence[Any]) -> list[_Outcome]:
        with self.database.atomic("IMMEDIATE"):
            tx = self._begin()
            outcomes = [self._alone(tx, command) for command in batch]
            self._set_head(tx)
        self._index.note(tx.position, batch)
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
