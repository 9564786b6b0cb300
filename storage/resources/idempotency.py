"""Requests with an idempotency key: how long they are kept, and whose they are."""

from actors import limits
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema.models import Idempotency


def purge(tx: Transaction, count: int) -> int:
    before = tx.now - limits.IDEMPOTENCY_SECONDS * 1000
    query = Idempotency.select(Idempotency.user, Idempotency.key).where(Idempotency.created_at < before).limit(count)
    keys = rows.fetch(tx.database, query)
    for user, key in keys:
        tx.execute(Idempotency.delete().where((Idempotency.user == user) & (Idempotency.key == key)))
    return len(keys)


PURGES = (purge,)
PERSONAL = (Personal(Idempotency.user, withheld="refers for a day to what a request has made, which is shown itself"),)
