"""Any question in SQL, and nothing but questions: what would write, attach a file or change a setting is refused."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from peewee import SqliteDatabase

from actors.errors import Invalid

_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_PRAGMAS = frozenset({
    "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo", "integrity_check",
    "quick_check", "table_info", "table_list", "table_xinfo",
})  # fmt: skip
"""They only tell, whatever they are given. Others only tell as long as they are given no value."""


@dataclass(frozen=True, slots=True)
class Answer:
    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def ask(database: SqliteDatabase, text: str) -> Answer:
    """On a read-only connection. Raises `Invalid` for what is no question, or no SQL."""
    connection: sqlite3.Connection = database.connection()
    connection.set_authorizer(_judge)
    try:
        cursor = connection.execute(text)  # the authorizer is asked when a statement is compiled, which is now
    except (sqlite3.Warning, sqlite3.ProgrammingError) as error:
        raise Invalid(f"One statement at a time, without parameters; SQLite says: {error}") from error
    except sqlite3.DatabaseError as error:
        if _is_refusal(error):
            raise Invalid("Only reading is allowed here: SELECT, EXPLAIN, and read-only pragmas.") from error
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise Invalid(f"SQLite rejects it: {error}.") from error
        raise
    finally:
        connection.set_authorizer(None)
    if cursor.description is None:
        raise Invalid("This returns no rows; write a SELECT.")
    return Answer(tuple(column[0] for column in cursor.description), iter(cursor))


def _judge(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _READS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (second is None or first in _PRAGMAS):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return sqlite3.SQLITE_OK  # SQLite asks so before it reads a virtual table; the file is read-only all the same
    return sqlite3.SQLITE_DENY


def _is_refusal(error: sqlite3.DatabaseError) -> bool:
    is_refused = any(mark in str(error) for mark in ("not authorized", "VACUUM"))
    return is_refused or error.sqlite_errorcode in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY)
