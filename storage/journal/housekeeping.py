"""Deletes expired data in small steps: what resources declare as outdated, then threads that were deleted. Free space
goes back to the file system in small steps, too."""

from actors import commands, limits
from actors.outcomes import Done
from storage import declared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.holds.protection import is_thread_held
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
    """A thread deleted an hour ago: till then its log can still tell a late subscriber that it is gone. A legal hold is
    waited for."""
    Thread = models.Thread
    gone = (Thread.deleted_at < tx.now - 3_600_000) & ~is_thread_held(Thread.id)
    row = rows.first(tx.database, Thread.select(Thread.id).where(gone))
    return row[0] if row else None


def _thread(tx: Transaction, thread_key: int, count: int) -> int:
    purges = (*declared.each("THREAD_PURGES"), retention.purge_thread)  # its log last: what is there has its entries
    taken = declared.purge(tx, purges, thread_key, count=count)
    if taken >= count:
        return taken
    tx.execute(models.Thread.delete().where(models.Thread.id == thread_key))
    return taken + 1


@writes(commands.ShrinkDatabase)
def shrink(tx: Transaction, command: commands.ShrinkDatabase) -> Done[int]:
    """The pages at the end of the file take the places of free ones. Without effect on a database that was made without
    `auto_vacuum`."""
    if _number(tx, "PRAGMA auto_vacuum") != 2:  # incremental
        return Done(0)
    pages, free = (_number(tx, f"PRAGMA {name}") for name in ("page_count", "freelist_count"))
    surplus = free - max(limits.SHRINK_RESERVE_PAGES, pages // limits.SHRINK_RESERVE_PARTS)
    for _ in range(min(surplus, command.rows)):  # one by one: `sqlite3` steps a pragma without columns once
        tx.database.execute_sql("PRAGMA incremental_vacuum(1)")
    return Done(free - _number(tx, "PRAGMA freelist_count"))


def _number(tx: Transaction, query: str) -> int:
    return int(tx.database.execute_sql(query).fetchone()[0])
