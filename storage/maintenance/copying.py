"""Whole copies of a database: made while others write, checked before they count, put in place in one step.

A copy is one file: its journal is folded in. Names with a dot in front and `.partial` behind are copies in the making.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from peewee import SqliteDatabase

from actors import limits
from storage import private_files
from storage.database import DatabaseOptions, DatabaseProblem, plain_words
from storage.maintenance import integrity
from storage.maintenance.opening import in_plain_words, snapshot
from storage.schema import check as schema_check
from storage.schema import migrating as schema

Progress = Callable[[int, int], None]
"""(pages done, pages in all)"""
Along = Callable[[Path], None]
"""What is done with a copy that is whole and checked, before it takes its place: the files that it names are copied."""


@dataclass(frozen=True, slots=True)
class Copy:
    path: Path
    size: int
    epoch: str
    position: int
    moment: datetime
    """Nothing in it was committed later."""


def nothing_along(_: Path) -> None: ...


def backup(
    options: DatabaseOptions, target: Path, *, overwrite: bool = False, progress: Progress,
    along: Along = nothing_along,
) -> Copy:  # fmt: skip
    """Copy the database to `target`, which appears once the copy is whole, checked and on disk, and `along` is done.

    Raises `DatabaseProblem`. Whatever is at `target` stays until then.
    """
    _must_be_free(target, options.path, overwrite=overwrite)
    with being_made(target) as partial:
        copy = copy_to(options, partial, progress)
        must_be_sound(partial, named=options.path)
        along(partial)
        put_in_place(partial, target)
    return Copy(target, target.stat().st_size, *copy)


def _must_be_free(target: Path, source: Path, *, overwrite: bool) -> None:
    with plain_words(target):
        if target.is_dir():
            raise DatabaseProblem(f"{target}: this is a folder; name a file.")
        if target.exists() and source.exists() and target.samefile(source):
            raise DatabaseProblem(f"{target}: this is the database itself; name another file.")
        if target.exists() and not overwrite:
            raise DatabaseProblem(f"{target}: the file exists; choose another name, or use --force.")


@contextlib.contextmanager
def being_made(target: Path) -> Iterator[Path]:
    """A name beside `target` for what will take its place; nothing is left there when that fails."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    parts = [partial.with_name(partial.name + suffix) for suffix in ("", "-journal", "-wal", "-shm")]
    with plain_words(target):
        try:
            yield partial
        finally:
            for part in parts:
                part.unlink(missing_ok=True)


def copy_to(options: DatabaseOptions, partial: Path, progress: Progress) -> tuple[str, int, datetime]:
    """Copy what is committed at this moment; answers its epoch and position, and the moment.

    The read transaction holds that moment: without it every commit of another process restarts the copy.
    """
    with snapshot(options, any_schema=True) as database:
        head, moment = _head(database, options.path), datetime.now(UTC)
        with plain_words(partial.parent):
            _copy(database.connection(), partial, head, progress)
    return *head, moment


def _copy(source: sqlite3.Connection, partial: Path, head: tuple[str, int], progress: Progress) -> None:
    def tell(_: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    private_files.make_file(partial)
    with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # it is synced once, as a whole
        source.backup(copy, pages=limits.BACKUP_PAGES, progress=tell)
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute('SELECT "epoch", "position" FROM "log_head"').fetchone() != head:
            raise DatabaseProblem(f"{partial.parent}: the copy is not what was copied; is the disk sound?")


def _head(database: SqliteDatabase, path: Path) -> tuple[str, int]:
    tables = {row[0] for row in database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    if "log_head" not in tables:
        raise DatabaseProblem(f"{path}: this is not a database of this server.")
    row = database.execute_sql('SELECT "epoch", "position" FROM "log_head"').fetchone()
    if row is None:
        raise DatabaseProblem(f"{path}: its log has no head; `xp db check` says what else is wrong.")
    return (row[0], row[1])


def must_be_sound(path: Path, *, named: Path) -> None:
    """Raises `DatabaseProblem`, about the file `named`, where SQLite finds damage or a reference into nothing."""
    with as_one_file(path) as database, in_plain_words(named):
        for name, finding in integrity.check_file(database):
            if finding is not None:
                raise DatabaseProblem(f"{named}: {name} fails the check ({finding.examples[0].rstrip('.')}).")


def must_hold(path: Path, *, named: Path) -> None:
    """Raises `DatabaseProblem` where a rule of the present schema is broken."""
    with as_one_file(path) as database, in_plain_words(named):
        broken = [finding for _, finding in integrity.check(database) if finding is not None]
    if broken:
        raise DatabaseProblem(
            f"{named}: {len(broken)} checks fail, the first: {broken[0].examples[0].rstrip('.')}; "
            "--force restores it all the same."
        )


def migrate(path: Path, *, named: Path) -> list[str]:
    """Bring a copy up to the present schema. Raises `DatabaseProblem` where it has anything that is not of ours."""
    with as_one_file(path) as database:
        applied = schema.migrate(database, named)
        schema_check.must_be_ours(database, named)
    return applied


@contextlib.contextmanager
def as_one_file(path: Path) -> Iterator[SqliteDatabase]:
    """An unfinished copy: no other process knows it, so it needs no WAL."""
    database = SqliteDatabase(str(path), pragmas=[("foreign_keys", 1), ("synchronous", "OFF")])
    database.connect()
    try:
        yield database
    finally:
        database.close()


def put_in_place(partial: Path, target: Path) -> None:
    """After a power cut there is either what was there before, or all of the new file."""
    sync(partial)
    os.replace(partial, target)
    sync(target.parent)


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
