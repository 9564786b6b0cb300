"""What a database is and holds: in short, table by table, and row by row."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peewee import SqliteDatabase

from storage.database import is_storage_failure
from storage.schema.migrating import MODELS


def information(database: SqliteDatabase, path: Path) -> dict[str, Any]:
    """Sizes are in bytes; `wal_size` is what is committed but not yet in the file itself."""
    epoch, position = database.execute_sql('SELECT "epoch", "position" FROM "log_head"').fetchone()
    return {
        "path": str(path),
        "size": _size(path),
        "wal_size": _size(path.with_name(f"{path.name}-wal")),
        "free": _one(database, "PRAGMA freelist_count") * _one(database, "PRAGMA page_size"),
        "sqlite": sqlite3.sqlite_version,
        "journal_mode": _one(database, "PRAGMA journal_mode"),
        "epoch": epoch,
        "position": position,
        "newest": newest_time(database),
        "rows": {name: row_count(database, name) for name in names() if name != "log_head"},
    }


def newest_time(database: SqliteDatabase) -> int | None:
    """When the newest entry of the log was written, in milliseconds since 1970."""
    row = database.execute_sql('SELECT "time" FROM "event" ORDER BY "position" DESC LIMIT 1').fetchone()
    return int(row[0]) if row else None


def domains(database: SqliteDatabase) -> dict[str, int]:
    """Domain → its active users, the largest first; as `ALLOWED_DOMAINS` judges them."""
    query = """
        SELECT CASE WHEN domain != '' THEN domain ELSE substr(email, instr(email, '@') + 1) END AS theirs, count(*)
          FROM user WHERE status = 'ACTIVE' AND domain || email != '' GROUP BY theirs ORDER BY 2 DESC, 1"""
    return dict(database.execute_sql(query).fetchall())


def quick_check(database: SqliteDatabase) -> str:
    """`ok`, or the first damage that a quick look at every page finds."""
    return str(_one(database, "PRAGMA quick_check(1)"))


def names() -> list[str]:
    """All tables, parents first."""
    return [str(model._meta.table_name) for model in MODELS]


def tables(database: SqliteDatabase) -> list[dict[str, Any]]:
    """Name, rows, and bytes with indexes: None where this SQLite cannot tell (it was built without `dbstat`)."""
    sizes = table_sizes(database)
    return [
        {"table": name, "rows": row_count(database, name), "bytes": sizes.get(name, 0) if sizes is not None else None}
        for name in names()
    ]


def table_sizes(database: SqliteDatabase) -> dict[str, int] | None:
    """Table → bytes with its indexes; None where this SQLite cannot tell."""
    query = """
        SELECT m.tbl_name, sum(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name
         WHERE s.aggregate = TRUE GROUP BY m.tbl_name"""
    try:
        return dict(database.execute_sql(query).fetchall())
    except Exception as error:
        if is_storage_failure(error) and "dbstat" in str(error):
            return None
        raise


def rows_of(database: SqliteDatabase, table: str) -> Iterator[dict[str, Any]]:
    """Every row, as its columns have it."""
    cursor = database.execute_sql(f'SELECT * FROM "{table}"')  # noqa: S608 - a table's own name
    columns = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(columns, row, strict=True))


def row_count(database: SqliteDatabase, table: str) -> int:
    return int(_one(database, f'SELECT count(*) FROM "{table}"'))  # noqa: S608 - a table's own name


def _one(database: SqliteDatabase, query: str) -> Any:
    return database.execute_sql(query).fetchone()[0]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
