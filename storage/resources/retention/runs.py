"""The log of the runs of retention rules."""

from typing import Any

from peewee import SqliteDatabase

from actors import limits
from actors.outcomes import Done
from actors.page import Page
from actors.resources.retention import ListRetentionRuns, NoteRetentionRun, RetentionRun, Tally
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.maintenance.rule import Rule
from storage.readers import rows
from storage.readers.answers import answers
from storage.schema.retention_models import RetentionRun as R


@writes(NoteRetentionRun)
def note_run(tx: Transaction, command: NoteRetentionRun) -> Done[None]:
    tally = command.tally
    if tally.items:
        tx.execute(
            R.insert(
                rule=tally.rule, started_at=command.started_at, items=tally.items, rows=tally.rows, size=tally.size
            )
        )
    return Done(None)


@answers(ListRetentionRuns)
def page(database: SqliteDatabase, limit: int, before: int | None = None) -> Page[RetentionRun]:
    query: Any = R.select(R.id, R.started_at, R.rule, R.items, R.rows, R.size).order_by(R.id.desc())
    if before is not None:
        query = query.where(R.id < before)
    found = rows.fetch(database, query.limit(limit + 1))
    shown = tuple(RetentionRun(key, at, Tally(*tally)) for key, at, *tally in found[:limit])
    return Page(shown, str(shown[-1].key) if len(found) > limit else None)


def purge_old(tx: Transaction, count: int) -> int:
    before = tx.now - limits.RETENTION_LOG_SECONDS * 1000
    keys = [row[0] for row in rows.fetch(tx.database, R.select(R.id).where(R.started_at < before).limit(count))]
    tx.execute(R.delete().where(R.id.in_(keys)))
    return len(keys)


PURGES = (purge_old,)
RULES = (
    Rule(
        "runs of retention took something",
        "The run {run} of the retention rule {rule} took {items} items in {rows} rows and {size} bytes.",
        "SELECT id AS run, rule, items, rows, size FROM retention_run WHERE items < 1 OR rows < items OR size < 0",
    ),
)
