"""What goes of notifications: those that are old, what was never delivered, and all with their user or thread."""

from typing import Any

from actors import limits
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema.notification_models import Notification, Outbox


def purge(tx: Transaction, count: int) -> int:
    """Answers how many rows were taken, `count` at most."""
    taken = _older(tx, Outbox, Outbox.created_at < tx.now - limits.OUTBOX_SECONDS * 1000, count)
    before = tx.now - limits.NOTIFICATION_SECONDS * 1000
    return taken + _older(tx, Notification, Notification.created_at < before, count - taken) if taken < count else taken


def purge_thread(tx: Transaction, thread_key: int, count: int) -> int:
    """What is about a deleted thread itself; what is about its messages goes with them."""
    return _older(tx, Notification, Notification.thread == thread_key, count)


def _older(tx: Transaction, model: Any, condition: Any, count: int) -> int:
    keys = [row[0] for row in rows.fetch(tx.database, model.select(model.id).where(condition).limit(count))]
    tx.execute(model.delete().where(model.id.in_(keys)))
    return len(keys)


PURGES = (purge,)
THREAD_PURGES = (purge_thread,)
PERSONAL = (
    Personal(Notification.user, withheld="each is about a message or a membership, which are shown themselves"),
    Personal(Notification.actor, kept="it is another user's, from a nameless one", withheld="it is another user's"),
    Personal(Outbox.user, withheld="a notification that waits for delivery outside"),
)
