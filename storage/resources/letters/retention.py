"""What goes of letters: those that were sent, or given up, a day ago."""

from actors import limits
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema import letter_models

L = letter_models.Letter


def purge(tx: Transaction, count: int) -> int:
    outdated = L.created_at < tx.now - limits.LETTER_DAY_SECONDS * 1000
    keys = [row[0] for row in rows.fetch(tx.database, L.select(L.id).where(outdated).limit(count))]
    tx.execute(L.delete().where(L.id.in_(keys)))
    return len(keys)


PURGES = (purge,)
PERSONAL = (
    Personal(L.user, withheld="that a mail was sent within a day; the audit log has who asked for it"),
    Personal(L.inviter, withheld="that a mail was sent within a day; the thread shows who was added"),
)
