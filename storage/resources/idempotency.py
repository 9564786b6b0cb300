"""Requests with an idempotency key: how long they are kept, and whose they are."""

from typing import Any

from actors import limits
from actors.commands import AnswerRetry
from actors.outcomes import Done
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.personal import Personal
from storage.readers import rows
from storage.schema.models import Idempotency


@writes(AnswerRetry)
def answer_retry(tx: Transaction, command: AnswerRetry) -> Done[Any]:
    """What the first request came to was looked for before: see `storage/journal/group_commit.py`."""
    raise command.refusal


def purge(tx: Transaction, count: int) -> int:
    before = tx.now - limits.IDEMPOTENCY_SECONDS * 1000
    query = Idempotency.select(Idempotency.user, Idempotency.key).where(Idempotency.created_at < before).limit(count)
    keys = rows.fetch(tx.database, query)
    for user, key in keys:
        tx.execute(Idempotency.delete().where((Idempotency.user == user) & (Idempotency.key == key)))
    return len(keys)


PURGES = (purge,)
PERSONAL = (Personal(Idempotency.user, withheld="refers for a day to what a request has made, which is shown itself"),)
