"""What goes of users' own logs: entries that are a month old, and the oldest of a long one."""

from peewee import fn

from actors import limits
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema import notification_models as models

_L, _E = models.UserLog, models.UserEvent


def purge(tx: Transaction, count: int) -> int:
    """Answers how many rows were taken, `count` at most."""
    taken = _old(tx, count)
    return taken + _long_logs(tx, count - taken) if taken < count else taken


def _old(tx: Transaction, count: int) -> int:
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


PURGES = (purge,)
PERSONAL = (
    Personal(_E.user, withheld="entries say what has changed, and what changed is shown itself"),
    Personal(_L.user, kept="a counter: no offset is given twice", withheld="a counter"),
)
