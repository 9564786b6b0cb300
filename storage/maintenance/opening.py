"""Read-only connections for commands: to a database that is there, and whose schema this code knows."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from peewee import SqliteDatabase

from storage.database import DatabaseOptions, DatabaseProblem, is_storage_failure, open_reader, plain_words
from storage.schema import migrating as schema


def must_exist(path: Path) -> None:
    with plain_words(path):
        there = path.exists()
    if not there:
        raise DatabaseProblem(
            f"{path}: there is no database; `xp serve` or `xp db migrate` makes one, --data-dir names another folder."
        )


@contextlib.contextmanager
def opened(options: DatabaseOptions, *, any_schema: bool = False) -> Iterator[SqliteDatabase]:
    """Raises `DatabaseProblem`; so does what is read inside, where the database fails."""
    must_exist(options.path)
    database = open_reader(options)
    try:
        with in_plain_words(options.path):
            database.execute_sql("PRAGMA schema_version").fetchall()  # is it a database at all?
            if not any_schema:
                schema.migrate(database, options.path, apply=False)
            yield database
    finally:
        database.close()


@contextlib.contextmanager
def snapshot(options: DatabaseOptions, *, any_schema: bool = False) -> Iterator[SqliteDatabase]:
    """The same at one moment."""
    with opened(options, any_schema=any_schema) as database, one_moment(database):
        yield database


@contextlib.contextmanager
def one_moment(database: SqliteDatabase) -> Iterator[None]:
    """One read transaction: a consistent snapshot, unaffected by concurrent writers."""
    connection = database.connection()
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # damage found on the way ends it
            connection.rollback()


@contextlib.contextmanager
def in_plain_words(path: Path) -> Iterator[None]:
    """Errors of the database become one sentence; other exceptions pass."""
    try:
        yield
    except Exception as error:
        if not is_storage_failure(error):
            raise
        with plain_words(path):
            raise
