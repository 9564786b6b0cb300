"""A user acknowledges a message; urgent requests notify pending recipients again."""

from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden
from actors.outcomes import Done
from actors.resources.acknowledgements import MESSAGE_ACKNOWLEDGED, Acknowledge, Acknowledged, RepeatUrgent
from actors.resources.messages import Message
from actors.resources.user_events import UserEvent
from actors.resources.users import Author
from storage.compiled import Prepared
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.acknowledgements.asking import causes
from storage.resources.acknowledgements.records import A, R
from storage.resources.messages import writing as messages
from storage.resources.notifications import writing as notifications
from storage.schema import models, notification_models


@writes(Acknowledge)
def acknowledge(tx: Transaction, command: Acknowledge) -> Done[Acknowledged]:
    place = messages.find(tx, command.thread_id, command.message_id, command.identity)
    message, author = place.message, command.identity.author
    if message.deleted_at is not None:
        raise Conflict("The message was deleted.", code="message_deleted")
    row = _MINE.first(tx.database, message=message.key, user=author.key)
    if row is None:
        raise Forbidden("You are not asked to acknowledge this message.")
    if row[0] is not None:
        return Done(_acknowledged(message, author, row[0]))
    tx.execute(A.update(acknowledged_at=tx.now).where(_mine(message.key, author.key)))
    now = _acknowledged(_again(tx, message), author, tx.now)
    if now.acknowledged == now.asked:
        _rest(tx, message.key)
    small = {"asked": now.asked, "acknowledged": now.acknowledged}
    event = tx.log(place.thread, MESSAGE_ACKNOWLEDGED, author, now, ref=message.key, small=small)
    read = notifications.acknowledged(tx, message.key, message.thread_id, author.key)
    return Done(now, (event,), user_events=read)


def _again(tx: Transaction, message: Message) -> Message:
    again = rows.message_by_key(tx.database, message.key, None)
    assert again is not None
    return again


def _acknowledged(message: Message, user: Author, at: int) -> Acknowledged:
    asked = message.acknowledgement
    assert asked is not None, "who is asked is asked by a request"
    return Acknowledged(message.key, message.id, user, at, asked.asked, asked.acknowledged)


def _rest(tx: Transaction, message_key: int) -> None:
    tx.execute(R.update(repeat_at=None).where(R.message == message_key))


def _mine(message: Any, user: Any) -> Any:
    return (A.message == message) & (A.user == user)


_MINE = Prepared(lambda given: A.select(A.acknowledged_at).where(_mine(given.message, given.user)))


# Urgent


@writes(RepeatUrgent)
def repeat_urgent(tx: Transaction, command: RepeatUrgent) -> Done[int]:
    furthest = tx.now + limits.URGENT_REPEAT_SECONDS * 1000  # beyond it only a clock that was ahead has dated
    due = (R.repeat_at <= tx.now) | (R.repeat_at > furthest)
    query = R.select(R.message, R.repeats).where(due).order_by(R.repeat_at).limit(command.rows)
    found = rows.fetch(tx.database, query)
    user_events: tuple[UserEvent, ...] = ()
    for message_key, repeats in found:
        user_events += _repeat(tx, message_key)
        is_last = repeats + 1 >= limits.URGENT_REPEATS
        at = None if is_last else tx.now + limits.URGENT_REPEAT_SECONDS * 1000
        tx.execute(R.update(repeats=repeats + 1, repeat_at=at).where(R.message == message_key))
    return Done(len(found), user_events=user_events)


def _repeat(tx: Transaction, message_key: int) -> tuple[UserEvent, ...]:
    """A notification of each of them takes the place of the one before. Where the thread was closed or deleted, or its
    author may not be heard any more, nobody is notified."""
    M, T, U = models.Message, models.Thread, models.User
    query = M.select(T.id, T.uid).join(T, on=(M.thread == T.id)).join_from(M, U, on=(M.author == U.id))
    is_open = (M.id == message_key) & T.deleted_at.is_null() & (T.status != "CLOSED") & (U.status == "ACTIVE")
    thread = rows.first(tx.database, query.where(is_open))
    if thread is None:
        return ()
    message = rows.message_by_key(tx.database, message_key, None)
    assert message is not None
    waiting = _WAITING.all(tx.database, message=message_key)
    N = notification_models.Notification
    before = (N.message == message_key) & N.user.in_([user for (user,) in waiting])
    gone = rows.fetch(tx.database, N.select(N.user, N.uid).where(before))
    replaced = notifications.withdrawn(tx, gone, thread[1], "repeated")
    return replaced + notifications.notify(tx, causes(message, (thread[0], thread[1]), [user for (user,) in waiting]))


_WAITING = Prepared(lambda given: A.select(A.user).where(A.message == given.message, A.acknowledged_at.is_null()))


# Results, read again for an idempotency key


def _read_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Acknowledged | None:
    message = rows.message_by_key(tx.database, reference["key"], None)
    row = _MINE.first(tx.database, message=reference["key"], user=identity.user.key)
    return _acknowledged(message, identity.author, row[0]) if message and row and row[0] is not None else None


results.keep(Acknowledged, refer=lambda done: {"key": done.key}, load=_read_again)
