"""Any question in SQL, and nothing but questions: what would write, attach a file or change a setting is refused."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from peewee import SqliteDatabase

from actors.errors import Invalid

_READS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)  # fmt: skip
_PRAGMAS = frozenset({
    "collation_list", "compile_options", "database_list", "foreign_key_check", "foreign_key_list", "function_list",
    "index_info", "index_list", "index_xinfo", "integrity_check", "module_list", "pragma_list", "quick_check",
    "table_info", "table_list", "table_xinfo",
})  # fmt: skip
"""They only tell. Others only tell as long as they are given no value."""


@dataclass(frozen=True, slots=True)
class Answer:
    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def ask(database: SqliteDatabase, text: str) -> Answer:
    """Raises `Invalid` for what is no question, or not SQL."""
    connection: sqlite3.Connection = database.connection()
    connection.set_authorizer(_judge)
    try:
        cursor = connection.execute(text)
    except (sqlite3.Warning, sqlite3.ProgrammingError) as error:
        raise Invalid(f"One statement at a time, without parameters: {error}") from error
    except sqlite3.DatabaseError as error:
        if _is_refusal(error):
            raise Invalid("Only reading is allowed here: SELECT, EXPLAIN, and pragmas that only tell.") from error
        if type(error) is sqlite3.OperationalError and "database" not in str(error) and "disk" not in str(error):
            raise Invalid(f"SQLite does not understand it: {error}.") from error
        raise
    if cursor.description is None:
        raise Invalid("That is not a question; write a SELECT.")
    return Answer(tuple(column[0] for column in cursor.description), iter(cursor))


def _judge(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _READS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (second is None or first in _PRAGMAS):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return sqlite3.SQLITE_OK  # so SQLite asks before it reads a virtual table; a read-only file cannot be changed
    return sqlite3.SQLITE_DENY


def _is_refusal(error: sqlite3.Error) -> bool:
    text = str(error)
    return any(mark in text for mark in ("not authorized", "authorization denied", "readonly", "prohibited", "VACUUM"))
