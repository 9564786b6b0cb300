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
from actors.resources.comments.comment import Comment
from actors.resources.messages import Message
from actors.resources.notifications import (
    DeliveryKind,
    Notification,
    NotificationKind,
    Preferences,
    not_before,
    wants,
)
from actors.resources.user_events import NOTIFICATION_CANCELLED, NOTIFICATION_CREATED, UserEvent
from actors.resources.users import Author
from actors.text.mentions import Mentions
from storage.compiled import ManyRows, Prepared, insert_many, insert_rows, values
from storage.journal import user_log
from storage.journal.transaction import Transaction
from storage.journal.user_log import Entry
from storage.resources.notifications import mention_lookup as naming
from storage.resources.notifications.mention_lookup import mentions
from storage.schema import models, notification_models

_N, _O, _P = notification_models.Notification, notification_models.Outbox, notification_models.Preference
_U, _R = models.User, models.Member


@dataclass(frozen=True, slots=True)
class Written:
    """A message that says something new."""

    message: Message
    thread_key: int
    answers: int | None
    """Author of the message that it answers."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A user is to be notified, if their preferences allow it."""

    kind: NotificationKind
    user_key: int
    thread: tuple[int, str]
    message: Message | None
    actor: Author
    read_at: int | None = None
    """Where it takes the place of one that was read."""
    comment: Comment | None = None
    """The comment on an artifact that it is about, in place of a message."""
    is_urgent: bool = False
    """Delivered in quiet hours too."""


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
    fields = [_N.uid, _N.user, _N.kind, _N.thread, _N.message, _N.actor, _N.created_at, _N.comment]
    return insert_many(_N, fields, count).on_conflict_ignore().returning(_N.uid, _N.id)


RECIPIENTS = ManyRows(_recipients)
INSERT_NOTIFICATIONS = ManyRows(_insert)
INSERT_OUTBOX = insert_rows(
    _O, (_O.user, _O.kind, _O.notification, _O.not_before, _O.attempts, _O.state, _O.created_at, _O.reached)
)

# Made


def of_messages(tx: Transaction, written: Iterable[Written]) -> tuple[UserEvent, ...]:
    """Notify the authors replied to, and the mentioned members."""
    found = [(item, mentions(item.message.content, item.message.blocks)) for item in written]
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


_Wish = tuple[Any, ...]
"""What a member wants to hear of, and by what ways: the columns of `_recipients` after the first two."""


def notify(tx: Transaction, causes: Sequence[Cause]) -> tuple[UserEvent, ...]:
    """The recipients who may see it and want it; each once for a message."""
    return _make(tx, _wanted(tx, causes)) if causes else ()


def _wanted(tx: Transaction, causes: Sequence[Cause]) -> list[tuple[Cause, _Wish]]:
    pairs = {(cause.thread[0], cause.user_key) for cause in causes}
    wishes = {(row[0], row[1]): row[2:] for row in RECIPIENTS.run(tx.database, list(pairs))}
    wanted = []
    for cause in causes:
        wish = wishes.get((cause.thread[0], cause.user_key))
        if wish is not None and wants(cause.kind, everywhere=wish[2] or "all", here=wish[1], muted=bool(wish[0])):
            wanted.append((cause, wish))
    return wanted


def _make(tx: Transaction, wanted: Sequence[tuple[Cause, _Wish]]) -> tuple[UserEvent, ...]:
    if not wanted:
        return ()
    named = [(new_id(), cause, wish) for cause, wish in wanted]
    keys = dict(INSERT_NOTIFICATIONS.run(tx.database, [_row(tx, uid, cause) for uid, cause, _ in named]))
    made = [(_created(tx, uid, keys[uid], cause), cause, wish) for uid, cause, wish in named if uid in keys]
    for found, cause, _ in made:
        if cause.read_at is not None:
            tx.execute(_N.update(read_at=cause.read_at).where(_N.id == found.key))
    _deliver(tx, [(found, wish, cause) for found, cause, wish in made if cause.read_at is None])
    created = [(cause, found) for found, cause, _ in made]
    return user_log.tell(
        tx, (Entry(cause.user_key, NOTIFICATION_CREATED, found, {"id": found.id}) for cause, found in created)
    )


def _row(tx: Transaction, uid: str, cause: Cause) -> tuple[Any, ...]:
    message_key = cause.message.key if cause.message is not None else None
    comment_key = cause.comment.key if cause.comment is not None else None
    return (uid, cause.user_key, cause.kind, cause.thread[0], message_key, cause.actor.key, tx.now, comment_key)


def _created(tx: Transaction, uid: str, key: int, cause: Cause) -> Notification:
    message, comment = cause.message, cause.comment
    said = message or comment
    return Notification(
        key, uid, cause.kind, cause.thread[1], message.id if message else None, cause.actor,
        said.content[: limits.EXCERPT_CHARS] if said else "", tx.now, cause.read_at,
        artifact_id=comment.artifact_id if comment else None, comment_id=comment.id if comment else None,
    )  # fmt: skip


def _deliver(tx: Transaction, created: Sequence[tuple[Notification, _Wish, Cause]]) -> None:
    """Only for those who have chosen a way outside; most have not."""
    waiting = []
    for found, wish, cause in created:
        waiting += outbox_rows(tx, cause.user_key, found.key, wish[3:], is_urgent=cause.is_urgent)
    if waiting:
        INSERT_OUTBOX.run(tx.database, waiting)


def outbox_rows(
    tx: Transaction, user_key: int, notification_key: int, ways: Sequence[Any], *, is_urgent: bool = False
) -> list[tuple[Any, ...]]:
    """A row for each way by which it leaves. `ways`: deliver, quiet_from, quiet_to and time_zone of the user."""
    deliver, quiet_from, quiet_to, time_zone = ways
    if deliver is None or deliver == "[]":
        return []
    chosen = Preferences(quiet_from=quiet_from, quiet_to=quiet_to, time_zone=time_zone)
    due = tx.now if is_urgent else not_before(tx.now, chosen)
    return [(user_key, kind, notification_key, due, 0, "pending", tx.now, "[]") for kind in orjson.loads(deliver)]


def of_edit(tx: Transaction, written: Written, before: Mentions) -> tuple[UserEvent, ...]:
    """Notify those whom a message names now and did not name before; withdraw from those whom it names no more.

    One message notifies one person by its strongest reason, so who is named no more may still be answered, and who was
    answered is named now.
    """
    message, thread = written.message, (written.thread_key, written.message.thread_id)
    now = mentions(message.content, message.blocks)
    names = naming.Named(tx, [(written.thread_key, now), (written.thread_key, now - before)])
    there = {user: (kind, uid, read_at) for user, kind, uid, read_at in _OF_MESSAGE.all(tx.database, key=message.key)}
    gone: list[tuple[int, str]] = []
    causes: list[Cause] = []
    if now.leaves_out(before):
        still = names.users(written.thread_key, now)
        for user, (kind, uid, read_at) in there.items():
            if kind == "mention" and user not in still:
                gone.append((user, uid))
                if user == written.answers:
                    causes.append(Cause("reply", user, thread, message, message.author, read_at))
    named = set(names.users(written.thread_key, now - before)) - {message.author.key}
    causes += [Cause("mention", user, thread, message, message.author) for user in named]
    wanted = _wanted(tx, causes) if causes else []
    for cause, _ in wanted:
        if cause.kind == "mention" and cause.user_key in there and there[cause.user_key][0] == "reply":
            gone.append((cause.user_key, there[cause.user_key][1]))
    return withdrawn(tx, gone, message.thread_id, "taken_back") + _make(tx, wanted)


# Taken back


def read_up_to(tx: Transaction, thread: tuple[int, str], user_key: int, offset: int) -> tuple[UserEvent, ...]:
    """Notifications of messages that a user has read are read too."""
    M = models.Message
    # Its value is that of its first row.
    reached = M.select(M.id).where((M.thread == thread[0]) & (M.offset <= offset)).order_by(M.offset.desc())
    theirs = (_N.user == user_key) & (_N.thread == thread[0]) & _N.read_at.is_null()
    seen = (_N.kind == "added") | (_N.message <= reached)
    update = _N.update(read_at=tx.now).where(theirs & seen).returning(_N.uid, _N.id)
    found = [tuple(row) for row in update.tuples().execute(tx.database)]
    withdraw(tx, [key for _, key in found])
    return _cancelled(tx, [(user_key, uid) for uid, _ in found], thread[1], "read")


def acknowledged(tx: Transaction, message_key: int, thread_id: str, user_key: int) -> tuple[UserEvent, ...]:
    """A user has acknowledged a message, and so has read what notified them of it."""
    unread = (_N.message == message_key) & (_N.user == user_key) & _N.read_at.is_null()
    update = _N.update(read_at=tx.now).where(unread).returning(_N.uid, _N.id)
    found = [tuple(row) for row in update.tuples().execute(tx.database)]
    withdraw(tx, [key for _, key in found])
    return _cancelled(tx, [(user_key, uid) for uid, _ in found], thread_id, "read")


def withdraw(tx: Transaction, keys: Collection[int]) -> None:
    """What still waits to be delivered outside need not be any more."""
    if keys:
        tx.execute(_O.delete().where(_O.notification.in_(list(keys)) & (_O.state == "pending")))


def withdraw_ways(tx: Transaction, user_key: int, ways: Collection[DeliveryKind]) -> None:
    """The same of all that waits to leave by ways that its user has given up."""
    if ways:
        tx.execute(_O.delete().where((_O.user == user_key) & _O.kind.in_(list(ways)) & (_O.state == "pending")))


def forget_message(tx: Transaction, message_key: int, thread_id: str) -> tuple[UserEvent, ...]:
    """It was deleted: nothing of it stays, nor that others have answered it."""
    gone = _GONE.all(tx.database, key=message_key) + _ANSWERS.all(tx.database, key=message_key)
    return withdrawn(tx, gone, thread_id, "deleted")


def forget_reactions(
    tx: Transaction, message: Message, thread: tuple[int, str], actor_key: int
) -> tuple[UserEvent, ...]:
    """A user has taken a reaction back. One row stands for all reactions to a message: another's takes its place."""
    found = _OF_REACTIONS.first(tx.database, key=message.key, actor=actor_key)
    if found is None:
        return ()
    user_key, uid, read_at = found
    user_events = withdrawn(tx, [(user_key, uid)], thread[1], "taken_back")
    other = _OTHER_REACTION.first(tx.database, key=message.key, author=message.author.key)
    if other is None:
        return user_events
    return user_events + notify(tx, [Cause("reaction", user_key, thread, message, tx.author(other[0]), read_at)])


def forget_member(tx: Transaction, thread: tuple[int, str], user_key: int) -> None:
    """They may not see the thread any more; `thread.left` tells them."""
    tx.execute(_N.delete().where((_N.thread == thread[0]) & (_N.user == user_key)))


def withdrawn(tx: Transaction, gone: Sequence[Sequence[Any]], thread_id: str, reason: str) -> tuple[UserEvent, ...]:
    """`gone`: (user, id) of each."""
    if not gone:
        return ()
    DELETE_NOTIFICATIONS.run(tx.database, [(uid,) for _, uid in gone])
    return _cancelled(tx, gone, thread_id, reason)


DELETE_NOTIFICATIONS = ManyRows(lambda count: _N.delete().where(_N.uid.in_([""] * count)))
_OF_MESSAGE = Prepared(lambda given: _N.select(_N.user, _N.kind, _N.uid, _N.read_at).where(_N.message == given.key))
_GONE = Prepared(lambda given: _N.select(_N.user, _N.uid).where(_N.message == given.key))
_ANSWERS = Prepared(
    lambda given: (
        _N.select(_N.user, _N.uid)
        .join(models.Message, on=(_N.message == models.Message.id))
        .where(models.Message.parent == given.key, _N.kind == "reply")
    )
)
_OF_REACTIONS = Prepared(
    lambda given: _N.select(_N.user, _N.uid, _N.read_at).where(
        _N.message == given.key, _N.actor == given.actor, _N.kind == "reaction"
    )
)
_OTHER_REACTION = Prepared(
    lambda given: (
        models.Reaction.select(models.Reaction.user)
        .where(models.Reaction.message == given.key, models.Reaction.user != given.author)
        .order_by(models.Reaction.position)
        .limit(1)
    )
)


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
