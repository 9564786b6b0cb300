"""What goes of notices: those that are a day old."""

from actors import limits
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema import notice_models

N = notice_models.Notice


def purge(tx: Transaction, count: int) -> int:
    outdated = N.created_at < tx.now - limits.NOTICE_DAY_SECONDS * 1000
    keys = [row[0] for row in rows.fetch(tx.database, N.select(N.id).where(outdated).limit(count))]
    tx.execute(N.delete().where(N.id.in_(keys)))
    return len(keys)


PURGES = (purge,)
PERSONAL = (Personal(N.user, withheld="that a mail was sent within a day; the audit log has the change it was about"),)
