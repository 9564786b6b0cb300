"""Is everything in the database as it must be? The file itself, its references, and every rule of `rules`."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from peewee import SqliteDatabase

from actors import limits
from storage.clock import now_ms
from storage.database import is_storage_failure
from storage.maintenance.integrity_rules import RULES
from storage.maintenance.rule import Rule
from storage.resources.audit import reading as audit
from storage.schema import check as schema_check

HOUR = 3_600_000
CHECKS = len(RULES) + 4
"""How many `check` goes through."""


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    count: int
    examples: tuple[str, ...]
    """A sentence each, for the first of them."""


Looks = Iterator[tuple[str, Finding | None]]
"""The name of each check, and what it found."""


def check(database: SqliteDatabase) -> Looks:
    """Everything, in a database of the present schema; in one read transaction, if there is to be one moment.

    A damaged file may fail anywhere; then what could not be looked at is a finding too.
    """
    yield from check_file(database)
    yield "the schema", _look("the schema", iter(schema_check.differences(database)))
    parameters = {"cutoff": now_ms() - HOUR}
    for rule in RULES:
        yield rule.name, _look(rule.name, _broken(database, rule, parameters))
    yield "the audit log", _look("the audit log", _unchained(database))


def check_file(database: SqliteDatabase) -> Looks:
    """Only what SQLite itself can tell, for a database of any schema."""
    yield "the file", _look("the file", _damage(database))
    yield "references", _look("references", _references(database))


def _look(name: str, found: Iterator[str]) -> Finding | None:
    examples: list[str] = []
    more = 0
    try:
        examples += itertools.islice(found, limits.FINDINGS_SHOWN)
        more = sum(1 for _ in found)
    except Exception as error:
        if not is_storage_failure(error):
            raise
        examples.append(f"It could not be looked at to the end: {error}.")
    return Finding(name, len(examples) + more, tuple(examples)) if examples else None


def _damage(database: SqliteDatabase) -> Iterator[str]:
    for (text,) in database.execute_sql("PRAGMA integrity_check"):
        if text != "ok":
            yield f"SQLite says: {text.strip()}."


def _references(database: SqliteDatabase) -> Iterator[str]:
    for table, row, parent, _ in database.execute_sql("PRAGMA foreign_key_check"):
        where = f"Row {row} of" if row is not None else "A row of"
        yield f"{where} {table} refers to a row of {parent} that is not there."


def _unchained(database: SqliteDatabase) -> Iterator[str]:
    broken_at = audit.verify(database).broken_at
    if broken_at is not None:
        yield f"Entry {broken_at} of the audit log does not follow from the one before it: something was changed."


def _broken(database: SqliteDatabase, rule: Rule, parameters: dict[str, Any]) -> Iterator[str]:
    cursor = database.connection().execute(rule.sql, parameters)
    columns = [column[0] for column in cursor.description]
    for row in cursor:
        yield rule.sentence.format(**dict(zip(columns, row, strict=True)))
