"""Deletes expired data in small steps: deleted threads, old idempotency keys, expired credentials."""

from typing import Any

from peewee import fn

from actors import commands, limits
from actors.outcomes import Done
from storage import declared
from storage.journal import retention
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.files import writing as files
from storage.schema import identity_models, models
from storage.search import index


@writes(commands.Purge)
def purge(tx: Transaction, command: commands.Purge) -> Done:
    """Answers how many rows were taken; fewer than `rows` means that there are no more."""
    taken = _idempotency(tx, command.rows)
    taken += _credentials(tx, command.rows - taken) if taken < command.rows else 0
    taken += retention.purge(tx, command.rows - taken) if taken < command.rows else 0
    taken += declared.purge(tx, declared.each("PURGES"), count=command.rows - taken)
    while taken < command.rows and (thread_key := _deleted_thread(tx)) is not None:
        taken += _thread(tx, thread_key, command.rows - taken)
    return Done(taken)


def _idempotency(tx: Transaction, count: int) -> int:
    Idempotency = models.Idempotency
    before = tx.now - limits.IDEMPOTENCY_SECONDS * 1000
    query = Idempotency.select(Idempotency.user, Idempotency.key).where(Idempotency.created_at < before).limit(count)
    keys = rows.fetch(tx.database, query)
    for user, key in keys:
        tx.execute(Idempotency.delete().where((Idempotency.user == user) & (Idempotency.key == key)))
    return len(keys)


def _credentials(tx: Transaction, count: int) -> int:
    """Expired sessions, sign-in links and revoked tokens; changes of access that every process has seen."""
    month, day = tx.now - limits.SESSION_SECONDS * 1000, tx.now - limits.ACCESS_CHANGES_SECONDS * 1000
    Change = identity_models.AccessChange
    newest = Change.select(fn.MAX(Change.id))  # kept: no key may be used again, because other processes follow by it
    outdated = (
        (identity_models.Session, identity_models.Session.expires_at < month),
        (identity_models.SignInLink, identity_models.SignInLink.expires_at < day),
        (identity_models.RevokedToken, identity_models.RevokedToken.expires_at < tx.now),
        (Change, (Change.changed_at < day) & (Change.id < newest)),
    )
    taken = 0
    for model, condition in outdated:
        if taken < count:
            key: Any = model._meta.primary_key
            query = model.select(key).where(condition).limit(count - taken)
            keys = [row[0] for row in rows.fetch(tx.database, query)]
            tx.execute(model.delete().where(key.in_(keys)))
            taken += len(keys)
    return taken


def _deleted_thread(tx: Transaction) -> int | None:
    """A thread deleted an hour ago: till then its log can still tell a late subscriber that it is gone."""
    Thread = models.Thread
    row = rows.first(tx.database, Thread.select(Thread.id).where(Thread.deleted_at < tx.now - 3_600_000).limit(1))
    return row[0] if row else None


def _thread(tx: Transaction, thread_key: int, count: int) -> int:
    taken = 0
    for take in (_messages, _entries, files.purge_thread, retention.of_thread):
        taken += take(tx, thread_key, count - taken)
        if taken >= count:
            return taken
    taken += declared.purge(tx, declared.each("THREAD_PURGES"), thread_key, count=count - taken)
    if taken >= count:
        return taken
    tx.execute(models.Thread.delete().where(models.Thread.id == thread_key))
    return taken + 1


def _messages(tx: Transaction, thread_key: int, count: int) -> int:
    """Out of the search index too, word by word: where they are long, some of them count as `count`."""
    Message = models.Message
    query = Message.select(Message.id, fn.LENGTH(Message.content) + fn.IFNULL(fn.LENGTH(Message.blocks), 0))
    keys, chars = [], 0
    for key, length in rows.fetch(tx.database, query.where(Message.thread == thread_key).limit(count)):
        keys.append(key)
        chars += length
        if chars > limits.INDEX_STEP_CHARS:
            break
    with index.rewriting(tx.database, keys):
        tx.execute(Message.delete().where(Message.id.in_(keys)))
    return count if chars > limits.INDEX_STEP_CHARS else len(keys)


def _entries(tx: Transaction, thread_key: int, count: int) -> int:
    Event = models.Event
    query = Event.select(Event.position).where(Event.thread == thread_key).limit(count)
    keys = [row[0] for row in rows.fetch(tx.database, query)]
    tx.execute(Event.delete().where(Event.position.in_(keys)))
    return len(keys)
