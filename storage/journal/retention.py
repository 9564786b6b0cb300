"""Taking away what is one's own and old: entries of users' logs, notifications, what was never delivered."""

from typing import Any

from peewee import fn

from actors import limits
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.schema import notification_models as models

_L, _E, _N, _O = models.UserLog, models.UserEvent, models.Notification, models.Outbox


def purge(tx: Transaction, count: int) -> int:
    """Answers how many rows were taken, `count` at most."""
    taken = 0
    for model, column, seconds in (
        (_O, _O.created_at, limits.OUTBOX_SECONDS),
        (_N, _N.created_at, limits.NOTIFICATION_SECONDS),
    ):
        if taken < count:
            taken += _older(tx, model, column < tx.now - seconds * 1000, count - taken)
    taken += _entries(tx, count - taken) if taken < count else 0
    return taken + _long_logs(tx, count - taken) if taken < count else taken


def _older(tx: Transaction, model: Any, condition: Any, count: int) -> int:
    keys = [row[0] for row in rows.fetch(tx.database, model.select(model.id).where(condition).limit(count))]
    tx.execute(model.delete().where(model.id.in_(keys)))
    return len(keys)


def _entries(tx: Transaction, count: int) -> int:
    """Entries that are a month old."""
    before = tx.now - limits.USER_EVENT_SECONDS * 1000
    query = _E.select(_E.user, _E.offset).where(_E.time < before).order_by(_E.time).limit(count)
    last: dict[int, int] = {}
    for user, offset in rows.fetch(tx.database, query):
        last[user] = max(offset, last.get(user, 0))
    return sum(_forget_up_to(tx, user, offset) for user, offset in last.items())


def _long_logs(tx: Transaction, count: int) -> int:
    """Of logs that have more entries than are kept, the oldest."""
    query = _L.select(_L.user, _L.first, _L.offset).where(models.is_long(_L)).limit(count)
    taken = 0
    for user, first, head in rows.fetch(tx.database, query):
        if taken < count:
            taken += _forget_up_to(tx, user, min(head - limits.USER_EVENTS, first + count - taken - 1))
    return taken


def _forget_up_to(tx: Transaction, user: int, offset: int) -> int:
    taken: int = tx.execute(_E.delete().where((_E.user == user) & (_E.offset <= offset)))
    tx.execute(_L.update(first=fn.MAX(_L.first, offset + 1)).where(_L.user == user))
    return taken


def of_thread(tx: Transaction, thread_key: int, count: int) -> int:
    """What is about a deleted thread itself; what is about its messages goes with them."""
    return _older(tx, _N, _N.thread == thread_key, count)
