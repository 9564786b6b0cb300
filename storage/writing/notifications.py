"""Notifications: made in the transaction of their cause, by a handful of statements for a whole batch; and taken back.

Only who is a member now is notified, by what they want to hear; nobody of what they did themselves; and one message
notifies one person once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from peewee import JOIN, SQL

from actors import limits
from actors.identifiers import new_id
from actors.mentions import NOBODY, Mentions
from actors.notifications import Notification, NotificationKind, Preferences, not_before, wants
from actors.records import Author, Message
from actors.user_events import NOTIFICATION_CANCELLED, NOTIFICATION_CREATED, UserEvent
from storage import models, notification_models, rows
from storage.compiled import ManyRows, insert_rows, values
from storage.writing import naming, user_log
from storage.writing.naming import mentions
from storage.writing.transaction import Transaction
from storage.writing.user_log import Entry

_N, _O, _P = notification_models.Notification, notification_models.Outbox, notification_models.Preference
_U, _R = models.User, models.Member


@dataclass(frozen=True, slots=True)
class Written:
    """A message that says something new."""

    message: Message
    thread_key: int
    answers: int | None
    """Author of the message that it answers, where they do not know yet."""
    before: Mentions = NOBODY
    """Whom it named before an edit."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Somebody is to be notified, if they want to be."""

    kind: NotificationKind
    user_key: int
    thread: tuple[int, str]
    message: Message | None
    actor: Author


def _recipients(count: int) -> Any:
    table = values(count, 2)
    given = table.c
    return (
        _R.select(
            _R.thread, _R.user, _R.muted, _R.notify, _P.notify, _P.deliver, _P.quiet_from, _P.quiet_to, _P.time_zone
        )
        .join(table, on=((_R.thread == given.column1) & (_R.user == given.column2)))
        .join_from(_R, _U, on=((_R.user == _U.id) & (_U.status == _ACTIVE)))
        .join_from(_R, _P, JOIN.LEFT_OUTER, on=(_P.user == _R.user))
    )


_ACTIVE = SQL("'ACTIVE'")
"""Not a parameter: those belong to the rows."""


def _insert(count: int) -> Any:
    fields = [_N.uid, _N.user, _N.kind, _N.thread, _N.message, _N.actor, _N.created_at]
    return _N.insert_many([[0] * len(fields)] * count, fields=fields).on_conflict_ignore().returning(_N.uid, _N.id)


RECIPIENTS = ManyRows(_recipients)
INSERT_NOTIFICATIONS = ManyRows(_insert)
INSERT_OUTBOX = insert_rows(
    _O, (_O.user, _O.kind, _O.notification, _O.not_before, _O.attempts, _O.state, _O.created_at)
)

# Made


def of_messages(tx: Transaction, written: Iterable[Written]) -> tuple[UserEvent, ...]:
    """Notify those whom messages answer and name."""
    found = [(item, mentions(item.message.content, item.message.blocks) - item.before) for item in written]
    named = naming.Named(tx, ((item.thread_key, each) for item, each in found))
    causes: dict[tuple[int, int], Cause] = {}
    for item, each in found:
        message, thread = item.message, (item.thread_key, item.message.thread_id)
        kinds: dict[int, NotificationKind] = dict.fromkeys(named.users(item.thread_key, each), "mention")
        if item.answers is not None:
            kinds.setdefault(item.answers, "reply")
        kinds.pop(message.author.key, None)
        for user_key, kind in kinds.items():
            causes[message.key, user_key] = Cause(kind, user_key, thread, message, message.author)
    return notify(tx, list(causes.values()))


def notify(tx: Transaction, causes: Sequence[Cause]) -> tuple[UserEvent, ...]:
    """Those of them whom it concerns and who want to know; nobody a second time of the same message."""
    if not causes:
        return ()
    pairs = {(cause.thread[0], cause.user_key) for cause in causes}
    wishes = {(row[0], row[1]): row[2:] for row in RECIPIENTS.run(tx.database, list(pairs))}
    wanted: dict[str, Cause] = {}
    for cause in causes:
        wish = wishes.get((cause.thread[0], cause.user_key))
        if wish is not None and wants(cause.kind, everywhere=wish[2] or "all", here=wish[1], muted=bool(wish[0])):
            wanted[new_id()] = cause
    if not wanted:
        return ()
    made = INSERT_NOTIFICATIONS.run(tx.database, [_row(tx, uid, cause) for uid, cause in wanted.items()])
    keys = dict(made)
    created = [(cause, _created(tx, uid, keys[uid], cause)) for uid, cause in wanted.items() if uid in keys]
    _deliver(tx, [(found, wishes[cause.thread[0], cause.user_key], cause.user_key) for cause, found in created])
    return user_log.tell(
        tx, (Entry(cause.user_key, NOTIFICATION_CREATED, found, {"id": found.id}) for cause, found in created)
    )


def _row(tx: Transaction, uid: str, cause: Cause) -> tuple[Any, ...]:
    message_key = cause.message.key if cause.message is not None else None
    return (uid, cause.user_key, cause.kind, cause.thread[0], message_key, cause.actor.key, tx.now)


def _created(tx: Transaction, uid: str, key: int, cause: Cause) -> Notification:
    message = cause.message
    excerpt = message.content[: limits.EXCERPT_CHARS] if message is not None else ""
    message_id = message.id if message is not None else None
    return Notification(key, uid, cause.kind, cause.thread[1], message_id, cause.actor, excerpt, tx.now)


def _deliver(tx: Transaction, created: Sequence[tuple[Notification, tuple[Any, ...], int]]) -> None:
    """Only for those who have chosen a way outside; most have not."""
    waiting = []
    for found, wish, user_key in created:
        deliver, quiet_from, quiet_to, time_zone = wish[3:]
        if deliver is None or deliver == "[]":
            continue
        chosen = Preferences(quiet_from=quiet_from, quiet_to=quiet_to, time_zone=time_zone)
        due = not_before(tx.now, chosen)
        waiting += [(user_key, kind, found.key, due, 0, "pending", tx.now) for kind in orjson.loads(deliver)]
    if waiting:
        INSERT_OUTBOX.run(tx.database, waiting)


# Taken back


def read_up_to(tx: Transaction, thread: tuple[int, str], user_key: int, offset: int) -> tuple[UserEvent, ...]:
    """What is about messages that somebody has read is no news for them any more."""
    M = models.Message
    reached = M.select(M.id).where((M.thread == thread[0]) & (M.offset <= offset)).order_by(M.offset.desc()).limit(1)
    theirs = (_N.user == user_key) & (_N.thread == thread[0]) & _N.read_at.is_null()
    seen = _N.message.is_null() | (_N.message <= reached)
    update = _N.update(read_at=tx.now).where(theirs & seen).returning(_N.uid, _N.id)
    found = [tuple(row) for row in update.tuples().execute(tx.database)]
    withdraw(tx, [key for _, key in found])
    return _cancelled(tx, [(user_key, uid) for uid, _ in found], thread[1], "read")


def withdraw(tx: Transaction, keys: Collection[int]) -> None:
    """What still waits to be delivered outside need not be any more."""
    if keys:
        tx.execute(_O.delete().where(_O.notification.in_(list(keys)) & (_O.state == "pending")))


def forget_message(tx: Transaction, message_key: int, thread_id: str) -> tuple[UserEvent, ...]:
    """It was deleted: nothing of it stays."""
    return _forget(tx, _N.message == message_key, thread_id, "deleted")


def forget_reactions(tx: Transaction, message_key: int, thread_id: str, actor_key: int) -> tuple[UserEvent, ...]:
    """Somebody has taken theirs back."""
    theirs = (_N.message == message_key) & (_N.actor == actor_key) & (_N.kind == "reaction")
    return _forget(tx, theirs, thread_id, "taken_back")


def forget_member(tx: Transaction, thread: tuple[int, str], user_key: int) -> None:
    """They may not see the thread any more; `thread.left` tells them."""
    tx.execute(_N.delete().where((_N.thread == thread[0]) & (_N.user == user_key)))


def _forget(tx: Transaction, condition: Any, thread_id: str, reason: str) -> tuple[UserEvent, ...]:
    gone = rows.fetch(tx.database, _N.select(_N.user, _N.uid).where(condition))
    if not gone:
        return ()
    tx.execute(_N.delete().where(condition))
    return _cancelled(tx, gone, thread_id, reason)


def _cancelled(tx: Transaction, gone: Sequence[Sequence[Any]], thread_id: str, reason: str) -> tuple[UserEvent, ...]:
    by_user: dict[int, list[str]] = {}
    for user_key, uid in gone:
        by_user.setdefault(user_key, []).append(uid)
    return user_log.tell(
        tx,
        (
            Entry(user_key, NOTIFICATION_CANCELLED, {"ids": uids, "thread_id": thread_id, "reason": reason})
            for user_key, uids in by_user.items()
        ),
    )
