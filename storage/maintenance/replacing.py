"""Another database in the place of the present one: a backup, or an empty one. The caller holds the data folder.

At every moment there is a whole database under the name: the new one takes it in one step. Its log has an epoch of its
own, so that no cursor which a client keeps is trusted against another history.
"""

import os
import sqlite3
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from storage import private_files
from storage.database import DatabaseOptions, DatabaseProblem
from storage.maintenance import copying
from storage.maintenance.copying import Along, Progress, nothing_along
from storage.schema import migrating as schema

SIDE_FILES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Restored:
    epoch: str
    """The new one."""
    position: int
    kept: Path | None
    """Where the database is that was there before."""
    migrated: list[str]


def restore(
    source: Path, options: DatabaseOptions, *, force: bool = False, progress: Progress, along: Along = nothing_along
) -> Restored:
    """Raises `DatabaseProblem`; then everything is as it was. `force` takes a backup in which a rule is broken. What
    `along` raises leaves everything as it was, too."""
    path = options.path
    if not source.is_file():
        raise DatabaseProblem(f"{source}: there is no such file.")
    if path.exists() and source.samefile(path):
        raise DatabaseProblem(f"{source}: this is the database itself; name a backup.")
    with copying.being_made(path) as partial:
        _, position, _ = copying.copy_to(DatabaseOptions(source), partial, progress)
        copying.must_be_sound(partial, named=source)
        migrated = copying.migrate(partial, named=source)
        if not force:
            copying.must_hold(partial, named=source)
        along(partial)
        epoch = _new_epoch(partial)
        kept = _replace(partial, path, keep=True)
    return Restored(epoch, position, kept, migrated)


def start_over(options: DatabaseOptions) -> list[str]:
    """An empty database in the place of the present one, which is gone; answers the migrations that made it."""
    with copying.being_made(options.path) as partial:
        private_files.make_file(partial)
        with copying.as_one_file(partial) as database:
            database.execute_sql("PRAGMA auto_vacuum = INCREMENTAL")  # as the server makes them
            made = schema.migrate(database, options.path)
        _replace(partial, options.path, keep=False)
    return made


def _new_epoch(partial: Path) -> str:
    epoch = uuid.uuid4().hex[:16]
    with copying.as_one_file(partial) as database:
        database.execute_sql('UPDATE "log_head" SET "epoch" = ?', (epoch,))
    return epoch


def _replace(partial: Path, path: Path, *, keep: bool) -> Path | None:
    kept = None
    if path.exists():
        _fold(path)
        kept = _keep(path) if keep else None
    for suffix in SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    copying.put_in_place(partial, path)
    return kept


def _fold(path: Path) -> None:
    """Make the present database one file again, which also shows whether another process has it open.

    One that is too damaged for it stays as it is, with its WAL.
    """
    connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
    try:
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            return
        mode = "wal"
    except sqlite3.DatabaseError:
        return
    finally:
        connection.close()
    if mode != "delete":
        raise DatabaseProblem(f"{path}: another process has it open; end that process and try again.")


def _keep(path: Path) -> Path:
    """A second name for the present database, beside it."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    kept, number = path.with_name(f"{path.name}.before-{stamp}"), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.before-{stamp}-{number}")
    for suffix in ("-wal", "-journal"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            os.replace(part, kept.with_name(kept.name + suffix))
    private_files.take_back(path)
    try:
        os.link(path, kept)
    except OSError:  # a file system without links: for a moment there is no database under the name
        os.replace(path, kept)
    return kept
