"""Is the schema in the file the one that the migrations make, and nothing else?

A process that may write the file may add a trigger that takes entries of the audit log away, or a view in a table's
place. So every table, index, trigger and view is compared with what the applied migrations make in an empty database.
Where a newer release has been at work, its tables and indexes are not known here: then triggers and views are compared.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

from peewee import SqliteDatabase

from storage.database import DatabaseProblem
from storage.schema import migrating as schema

Objects = dict[tuple[str, str], str]
"""(type, name) → what it was made by."""
_QUERY = """
    SELECT type, name, coalesce(sql, '') FROM sqlite_master
     WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4', 'sqlite_sequence'))
       AND NOT (type = 'index' AND sql IS NULL)"""
"""Without what SQLite keeps for itself: statistics, and the indexes of UNIQUE."""
_SEEN: WeakKeyDictionary[SqliteDatabase, int] = WeakKeyDictionary()
"""At which version of its schema a connection was found to be ours."""


def differences(database: SqliteDatabase) -> list[str]:
    """A sentence for everything that is not as the applied migrations make it."""
    migrations = [migration for migration in schema.status(database) if migration.applied]
    applied = [migration.name for migration in migrations if migration.path]
    if not applied:
        return []
    found, expected = _objects(database), _made_by(applied[-1], schema.DIRECTORY)
    if len(applied) < len(migrations):
        found, expected = _acting(found), _acting(expected)
    return [
        *(f"The {kind} {name!r} is not one that the migrations make." for kind, name in found.keys() - expected.keys()),
        *(f"The {kind} {name!r} is missing." for kind, name in expected.keys() - found.keys()),
        *(
            f"The {kind} {name!r} is not as the migrations make it."
            for kind, name in sorted(expected.keys() & found.keys())
            if found[kind, name] != expected[kind, name]
        ),
    ]


def _acting(objects: Objects) -> Objects:
    """What does something by itself, or stands in a table's place."""
    return {(kind, name): sql for (kind, name), sql in objects.items() if kind in ("trigger", "view")}


def must_be_ours(database: SqliteDatabase, path: Path) -> None:
    """Raises `DatabaseProblem`."""
    if found := sorted(differences(database)):
        raise DatabaseProblem(
            f"{path}: the schema was changed outside the server. {found[0]}"
            f"{f' And {len(found) - 1} more.' if len(found) > 1 else ''} "
            "`xp db check` names them all; restore a backup, or drop what is not ours."
        )


def watch(database: SqliteDatabase, path: Path) -> None:
    """From now on `is_ours` looks whether another process changes the schema. Raises `DatabaseProblem` where it is not
    ours."""
    must_be_ours(database, path)
    _SEEN[database] = _version(database)


def is_ours(database: SqliteDatabase) -> bool:
    """Takes a microsecond while the schema is unchanged: SQLite counts its changes, by all processes."""
    seen = _SEEN.get(database)
    if seen is None or seen == (now := _version(database)):
        return True
    if differences(database):
        return False
    _SEEN[database] = now
    return True


def _version(database: SqliteDatabase) -> int:
    return int(database.execute_sql("PRAGMA schema_version").fetchone()[0])


@lru_cache(8)
def _made_by(newest: str, directory: Path) -> Objects:
    """In memory, by the migrations up to one: some 30 ms."""
    database = SqliteDatabase(":memory:")
    database.connect()
    try:
        schema.runner(database).up(target=newest)
        return _objects(database)
    finally:
        database.close()


def _objects(database: SqliteDatabase) -> Objects:
    rows: Sequence[tuple[str, str, str]] = database.execute_sql(_QUERY).fetchall()
    return {(kind, name): _normal(sql) for kind, name, sql in rows}


@lru_cache(maxsize=1024)  # most of what a file has is what the migrations make: a third of opening it
def _normal(sql: str) -> str:
    """Versions of SQLite write names and spaces in their own ways when they change a table."""
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(re.sub(r"[\"'`\[\]]", "", sql).split())).lower()
