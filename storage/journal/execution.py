"""A batch of commands, executed in one transaction: an outcome each, and what is refused undoes only itself.

Nearly every command looks before it writes. What is refused before it has written a row needs no undoing, so it costs
the others nothing. Else the whole batch is rolled back and runs `apart`: with a savepoint for each run of new messages,
which then find all that is refused before they write, and one for each other command.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import peewee

from actors import commands
from actors.commands import Once
from actors.errors import Conflict, Internal, XpError
from actors.outcomes import Done
from actors.resources.api_keys import CreateApiKey, RevokeApiKey
from actors.resources.audit import NoteForAudit
from actors.resources.members import AddMember, MarkRead, RemoveMember, UpdateMember
from actors.resources.memory import ReplaceMemory, UpdateMemory
from actors.resources.messages import DeleteMessage, EditMessage, InterruptMessage, PostMessage
from actors.resources.notifications import (
    DismissNotification,
    MarkUnread,
    ReadAllNotifications,
    ReadNotification,
    SetThreadPreferences,
    UpdatePreferences,
)
from actors.resources.reactions import React
from actors.resources.sessions import (
    CreateLink,
    EndSession,
    EndSessions,
    FollowLink,
    NoteUse,
    RefreshSession,
    RevokeToken,
    SetPassword,
    SignInByProvider,
    StartSession,
)
from actors.resources.streams import FinishMessage, InterruptAbandoned, SaveProgress
from actors.resources.threads import CreateThread, DeleteThread, HandOver, UpdateThread
from actors.resources.users import CreateUser, DeleteUser, EnsureUser, EraseContent, UpdateUser
from actors.users.activity import SaveActivity
from storage.database import is_storage_failure
from storage.journal import housekeeping, posting
from storage.journal import idempotency as outcomes
from storage.journal.transaction import Transaction
from storage.resources.activity import writing as activity
from storage.resources.audit import writing as audit
from storage.resources.credentials import writing as credentials
from storage.resources.members import writing as members
from storage.resources.memory import writing as memory
from storage.resources.messages import streams
from storage.resources.messages import writing as messages
from storage.resources.notifications import state as feed
from storage.resources.sessions import writing as sessions
from storage.resources.threads import writing as threads
from storage.resources.users import deletion as leaving
from storage.resources.users import token_users
from storage.resources.users import writing as users

logger = logging.getLogger("storage.journal")

Outcome = Done | XpError

HANDLERS: dict[type, Callable[[Transaction, Any], Done]] = {
    EnsureUser: token_users.ensure_user,
    CreateUser: users.create_user,
    UpdateUser: users.update_user,
    DeleteUser: leaving.delete_user,
    CreateThread: threads.create_thread,
    UpdateThread: threads.update_thread,
    HandOver: threads.hand_over,
    DeleteThread: threads.delete_thread,
    commands.TellThreadGone: threads.tell_thread_gone,
    AddMember: members.add_member,
    UpdateMember: members.update_member,
    RemoveMember: members.remove_member,
    MarkRead: members.mark_read,
    ReplaceMemory: memory.replace_memory,
    UpdateMemory: memory.update_memory,
    EditMessage: messages.edit_message,
    DeleteMessage: messages.delete_message,
    React: messages.react,
    commands.Purge: housekeeping.purge,
    StartSession: sessions.start_session,
    FollowLink: sessions.follow_link,
    SignInByProvider: sessions.sign_in_by_provider,
    RefreshSession: sessions.refresh_session,
    EndSession: sessions.end_session,
    EndSessions: sessions.end_sessions,
    NoteUse: credentials.note_use,
    CreateApiKey: credentials.create_api_key,
    RevokeApiKey: credentials.revoke_api_key,
    RevokeToken: credentials.revoke_token,
    SetPassword: credentials.set_password,
    CreateLink: credentials.create_link,
    EraseContent: leaving.erase_content,
    NoteForAudit: audit.note_for_audit,
    MarkUnread: members.mark_unread,
    ReadNotification: feed.read_notification,
    ReadAllNotifications: feed.read_all_notifications,
    DismissNotification: feed.dismiss_notification,
    UpdatePreferences: feed.update_preferences,
    SetThreadPreferences: feed.set_thread_preferences,
    SaveActivity: activity.save_activity,
    FinishMessage: streams.finish_message,
    SaveProgress: streams.save_progress,
    InterruptMessage: streams.interrupt_message,
    InterruptAbandoned: streams.interrupt_abandoned,
}
"""Every command but PostMessage, which is done many at a time."""


def together(tx: Transaction, batch: Sequence[Any]) -> list[Outcome]:
    """Without savepoints. Raises what was refused too late for that: then nothing of the batch may be kept."""
    return [outcome for run in _runs(batch) for outcome in _run(tx, run)]


def _run(tx: Transaction, run: Sequence[Any]) -> list[Outcome]:
    if _is_plain_post(run[0]):
        return _post(tx, run)
    return [_light(tx, command) for command in run]


def apart(tx: Transaction, batch: Sequence[Any]) -> list[Outcome]:
    """With savepoints. Raises only what the database itself cannot do."""
    return [outcome for run in _runs(batch) for outcome in _run_apart(tx, run)]


def _run_apart(tx: Transaction, run: Sequence[Any]) -> list[Outcome]:
    if _is_plain_post(run[0]):
        return _halved(tx, run)
    return [_alone(tx, command) for command in run]


def _halved(tx: Transaction, posts: Sequence[PostMessage]) -> list[Outcome]:
    """All by one savepoint; a defect with one of them is found by halves."""
    if len(posts) == 1:
        return [_alone(tx, posts[0])]
    position = tx.position
    try:
        with tx.database.savepoint():
            return _post(tx, posts, carefully=True)
    except Exception as error:
        if is_storage_failure(error):
            raise
        logger.warning("%d messages could not be posted together: %s", len(posts), error)
    tx.position = position
    middle = len(posts) // 2
    return _halved(tx, posts[:middle]) + _halved(tx, posts[middle:])


def _light(tx: Transaction, command: Any) -> Outcome:
    """Whose refusal is its outcome, if it came before anything was written."""
    position, written = tx.position, tx.written
    try:
        return _once(tx, command)
    except Exception as error:
        if is_storage_failure(error) or tx.written != written:
            raise
        tx.position = position
        return _refusal(error, command)


def _alone(tx: Transaction, command: Any) -> Outcome:
    position = tx.position
    try:
        with tx.database.savepoint():
            return _once(tx, command)
    except Exception as error:
        if is_storage_failure(error):
            raise
        tx.position = position
        return _refusal(error, command)


def _refusal(error: Exception, command: Any) -> XpError:
    if isinstance(error, XpError):
        return error
    if isinstance(error, peewee.IntegrityError) and "uid" in str(error):
        return Conflict("The id in the request is taken; leave it out, or make a new one.", code="id_taken")
    logger.error("%s failed", type(command).__name__, exc_info=error)
    return Internal()


def _once(tx: Transaction, command: Any) -> Done:
    once: Once | None = getattr(command, "once", None)
    if once is None:
        return _do(tx, command)
    before = outcomes.find(tx, command.identity, once)
    if before is not None:
        return before
    done = _do(tx, command)
    outcomes.keep(tx, command.identity, once, done)
    return done


def _do(tx: Transaction, command: Any) -> Done:
    if not isinstance(command, PostMessage):
        return HANDLERS[type(command)](tx, command)
    stopped = [event for stop in command.interrupts for event in streams.interrupt_message(tx, stop).events]
    (outcome,) = posting.post_messages(tx, [command])
    if isinstance(outcome, XpError):
        raise outcome
    return replace(outcome, events=(*stopped, *outcome.events)) if stopped else outcome


def _post(tx: Transaction, posts: Sequence[PostMessage], *, carefully: bool = False) -> list[Outcome]:
    """Many at a time, also where some of them have idempotency keys."""
    before = _seen_before(tx, posts)
    fresh = [post for index, post in enumerate(posts) if index not in before]
    made = posting.post_messages(tx, fresh, carefully=carefully) if fresh else []
    kept = [
        (post.identity, post.once, outcome)
        for post, outcome in zip(fresh, made, strict=True)
        if post.once is not None and isinstance(outcome, Done)
    ]
    if kept:
        outcomes.keep_all(tx, kept)
    rest = iter(made)
    return [before[index] if index in before else next(rest) for index in range(len(posts))]


def _seen_before(tx: Transaction, posts: Sequence[PostMessage]) -> dict[int, Outcome]:
    asked = [(index, post.identity, post.once) for index, post in enumerate(posts) if post.once is not None]
    if not asked:
        return {}
    found = outcomes.find_all(tx, [(identity, once) for _, identity, once in asked])
    return {index: seen for (index, _, _), seen in zip(asked, found, strict=True) if seen is not None}


def _runs(batch: Sequence[Any]) -> Iterator[list[Any]]:
    """Neighbours of one kind, so that posts between two other commands are one run."""
    for (_, is_plain), same in groupby(batch, key=lambda command: (type(command), _is_plain_post(command))):
        if is_plain:
            yield from _independent(same)
        else:
            yield list(same)


def _is_plain_post(command: Any) -> bool:
    """One that interrupts others is done by itself: they end before it, or not at all."""
    return isinstance(command, PostMessage) and not command.interrupts


def _independent(posts: Iterator[PostMessage]) -> Iterator[list[PostMessage]]:
    """Runs in which none has the id or the idempotency key of another one, or answers it."""
    run: list[PostMessage] = []
    known: set[Any] = set()
    for post in posts:
        key = (post.identity.user.key, post.once.key) if post.once is not None else None
        if post.message_id in known or post.parent_id in known or key in known:
            yield run
            run, known = [], set()
        run.append(post)
        known.add(post.message_id)
        if key is not None:
            known.add(key)
    yield run
