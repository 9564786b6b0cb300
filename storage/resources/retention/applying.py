"""The rules that resources declare, found by their names."""

from peewee import SqliteDatabase

from actors import limits
from actors.outcomes import Done
from actors.resources.retention import ListOutdated, OutdatedPage, RemoveOutdated, RetentionRule
from storage import declared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers.answers import answers
from storage.resources.retention.rule import OutdatedRule


@answers(ListOutdated)
def page(
    database: SqliteDatabase, rule: RetentionRule, before: int, after: int = 0, limit: int = limits.RETENTION_LOOKED_AT
) -> OutdatedPage:
    return _rule(rule).find(database, before, after, limit)


@writes(RemoveOutdated)
def remove_outdated(tx: Transaction, command: RemoveOutdated) -> Done[tuple[int, ...]]:
    return _rule(command.rule).remove(tx, command)


def _rule(name: RetentionRule) -> OutdatedRule:
    found: OutdatedRule = declared.merged("OUTDATED")[name]
    return found
