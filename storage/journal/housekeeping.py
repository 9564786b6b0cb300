"""Deletes expired data in small steps: what resources declare as outdated, then threads that were deleted."""

from actors import commands
from actors.outcomes import Done
from storage import declared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.log import retention
from storage.schema import models


@writes(commands.Purge)
def purge(tx: Transaction, command: commands.Purge) -> Done[int]:
    """Answers how many rows were taken; fewer than `rows` means that there are no more."""
    taken = declared.purge(tx, declared.each("PURGES"), count=command.rows)
    while taken < command.rows and (thread_key := _deleted_thread(tx)) is not None:
        taken += _thread(tx, thread_key, command.rows - taken)
    return Done(taken)


def _deleted_thread(tx: Transaction) -> int | None:
    """A thread deleted an hour ago: till then its log can still tell a late subscriber that it is gone."""
    Thread = models.Thread
    row = rows.first(tx.database, Thread.select(Thread.id).where(Thread.deleted_at < tx.now - 3_600_000).limit(1))
    return row[0] if row else None


def _thread(tx: Transaction, thread_key: int, count: int) -> int:
    purges = (*declared.each("THREAD_PURGES"), retention.purge_thread)  # its log last: what is there has its entries
    taken = declared.purge(tx, purges, thread_key, count=count)
    if taken >= count:
        return taken
    tx.execute(models.Thread.delete().where(models.Thread.id == thread_key))
    return taken + 1
