"""Opening the database: pragmas, the one writing connection, read-only connections, and plain words for what fails.

What each pragma is for: WAL lets readers read while the journal writes; `synchronous=FULL` makes a COMMIT survive a
power cut; `busy_timeout` waits for another process (a backup, a shell) before it is an error; `secure_delete`
overwrites what is deleted, wherever SQLite was built.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import peewee
from peewee import SqliteDatabase

from actors import limits
from actors.errors import StorageUnavailable
from actors.text.names import handles
from storage import private_files

FILE_NAME = "experience.db"

Database = SqliteDatabase
"""What reading functions take, for modules that may not name Peewee."""


class DatabaseProblem(Exception):
    """The database cannot be opened; the sentence says why and what would help. For operators, not for clients."""


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    path: Path
    synchronous: str = "FULL"
    busy_timeout_ms: int = 5_000
    cache_kib: int = limits.DATABASE_CACHE_BYTES >> 10
    """Of the connection that writes; each that reads has a quarter."""
    mmap_mib: int = limits.DATABASE_MAPPED_MIB
    checkpoint_rows: int = 2_000
    """Changed since the last checkpoint, until the next one: about as many pages, a second of a busy server."""
    wal_pages: int = 2_000
    """Pages (16 MiB) in the write-ahead log from which it is made to start over."""
    wal_autocheckpoint: int = 64_000
    """Pages (256 MiB) from which each commit tries to fold the log itself; see `storage.journal.checkpoints`."""


def open_writer(options: DatabaseOptions) -> SqliteDatabase:
    """The connection that writes. It belongs to the OS thread that calls."""
    with plain_words(options.path):
        private_files.make_folder(options.path.parent)
        private_files.make_file(options.path)
        private_files.take_back(options.path)
        database = SqliteDatabase(
            str(options.path),
            pragmas=[
                ("busy_timeout", options.busy_timeout_ms),
                ("auto_vacuum", "INCREMENTAL"),
                ("secure_delete", 1),
                ("journal_mode", "wal"),
                ("synchronous", options.synchronous),
                ("foreign_keys", 1),
                ("cache_size", -options.cache_kib),
                ("mmap_size", options.mmap_mib * 1024 * 1024),
                ("wal_autocheckpoint", options.wal_autocheckpoint),
                ("journal_size_limit", 64 * 1024 * 1024),
                ("temp_store", "memory"),
            ],
            check_same_thread=False,
            thread_safe=False,  # one connection, which another OS thread can close; Peewee would open one for each
            cached_statements=limits.STATEMENTS_PREPARED,
        )
        database.connect()
    return database


def _comparable_name(name: str) -> str:
    """For queries: the same for all ways of writing a name."""
    return handles(name, "")[0]


def open_reader(options: DatabaseOptions) -> SqliteDatabase:
    """A connection that cannot write, whatever is asked of it: one for each OS thread that uses it."""
    with plain_words(options.path):
        database = SqliteDatabase(
            f"{options.path.absolute().as_uri()}?mode=ro",
            uri=True,
            pragmas=[
                ("busy_timeout", options.busy_timeout_ms),
                ("query_only", 1),
                ("mmap_size", options.mmap_mib * 1024 * 1024),
                ("cache_size", -max(1, options.cache_kib // 4)),
            ],
            check_same_thread=False,
            thread_safe=False,  # opened and used by one OS thread, closed by another
            cached_statements=limits.STATEMENTS_PREPARED,
        )
        database.register_function(_comparable_name, "comparable_name", 1, deterministic=True)
        database.connect()
    return database


@contextlib.contextmanager
def plain_words(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say while opening into one sentence for an operator."""
    try:
        yield
    except (peewee.PeeweeException, sqlite3.Error) as error:
        raise DatabaseProblem(f"{path}: {_meaning(str(error))}") from error
    except PermissionError as error:
        raise DatabaseProblem(
            f"{error.filename or path}: permission denied; the server must be able to write there."
        ) from error
    except OSError as error:
        raise DatabaseProblem(f"{error.filename or path}: {error.strerror or error}.") from error


_MEANINGS = (
    ("readonly", "the file or its folder is read-only; the server must be able to write there."),
    ("unable to open", "it cannot be opened; is the folder there, and may this user write in it?"),
    ("locked", "another process holds a lock on it; end that process (or its transaction) and try again."),
    ("disk is full", "the disk is full; free some space and try again."),
    ("disk i/o", "the disk reports an error; look at the system's log."),
    ("not a database", "this is not an SQLite database; point DATA_DIR elsewhere or restore a backup."),
    ("malformed", "the file is damaged; `xp db check` says where, and a backup helps."),
)


def _meaning(text: str) -> str:
    lowered = text.lower()
    return next((sentence for mark, sentence in _MEANINGS if mark in lowered), f"{text}.")


def is_storage_failure(error: BaseException) -> bool:
    """Whether the database could not do it, rather than that it was asked something wrong."""
    # Of the class itself: "malformed", "not a database"; its other heirs are about what was asked.
    return isinstance(error, _STORAGE_FAILURES) or type(error) is peewee.DatabaseError


ANY_FAILURE = (peewee.PeeweeException, sqlite3.Error, OSError)
"""What closing may raise, where the connection is given up in any case."""
_STORAGE_FAILURES = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError, sqlite3.Error)


def is_passing(error: BaseException) -> bool:
    """Whether a failure is one of the moment, by which the connection itself is not harmed."""
    text = str(_telling(error)).lower()
    return any(mark in text for mark in ("locked", "busy", "disk is full"))


def unavailable(error: BaseException, outcome: str = "Nothing was written") -> StorageUnavailable:
    """The error for clients when a statement failed for a temporary reason."""
    return StorageUnavailable(f"{outcome}: {_meaning(str(_telling(error)))}")


def _telling(error: BaseException) -> BaseException:
    """The error that says why. A disk that is full ends the transaction, and then the rollback fails as well."""
    cause: BaseException | None = error
    while isinstance(cause, peewee.PeeweeException | sqlite3.Error):
        if any(mark in str(cause).lower() for mark, _ in _MEANINGS):
            return cause
        cause = cause.__context__
    return error
