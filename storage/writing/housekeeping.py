"""Taking away, in small steps, what nobody needs any more: deleted threads and old idempotency keys."""

from typing import Any

from actors import commands, limits
from actors.commands import Done
from storage import models, rows
from storage.writing.transaction import Transaction


def purge(tx: Transaction, command: commands.Purge) -> Done:
    """Answers how many rows were taken; fewer than `rows` means that there are no more."""
    taken = _idempotency(tx, command.rows)
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


def _deleted_thread(tx: Transaction) -> int | None:
    """A thread deleted an hour ago: till then its log can still tell a late subscriber that it is gone."""
    Thread = models.Thread
    row = rows.first(tx.database, Thread.select(Thread.id).where(Thread.deleted_at < tx.now - 3_600_000).limit(1))
    return row[0] if row else None


def _thread(tx: Transaction, thread_key: int, count: int) -> int:
    taken = 0
    for model in (models.Message, models.Event):
        taken += _some(tx, model, thread_key, count - taken)
        if taken >= count:
            return taken
    tx.execute(models.Thread.delete().where(models.Thread.id == thread_key))
    return taken + 1


def _some(tx: Transaction, model: Any, thread_key: int, count: int) -> int:
    key = model._meta.primary_key
    keys = [row[0] for row in rows.fetch(tx.database, model.select(key).where(model.thread == thread_key).limit(count))]
    tx.execute(model.delete().where(key.in_(keys)))
    return len(keys)
