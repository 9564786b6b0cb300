"""What goes of the log: the entries of a thread that was deleted."""

from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema.models import Event


def purge_thread(tx: Transaction, thread_key: int, count: int) -> int:
    query = Event.select(Event.position).where(Event.thread == thread_key).limit(count)
    keys = [row[0] for row in rows.fetch(tx.database, query)]
    tx.execute(Event.delete().where(Event.position.in_(keys)))
    return len(keys)


PERSONAL = (
    Personal(
        Event.actor,
        kept="the log has no gaps; it refers to contents, and has none",
        withheld="what it refers to is shown",
    ),
)
