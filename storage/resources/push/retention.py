"""What goes of subscriptions to Web Push: those whose session or API key has ended."""

from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.resources.push.reading import P, is_good


def purge_ended(tx: Transaction, count: int) -> int:
    keys = [row[0] for row in rows.fetch(tx.database, P.select(P.id).where(~is_good(tx.now)).limit(count))]
    tx.execute(P.delete().where(P.id.in_(keys)))
    return len(keys)


PURGES = (purge_ended,)
PERSONAL = (Personal(P.user, withheld="keys of a browser, and an address that takes messages from any sender"),)
