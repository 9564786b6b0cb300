"""A backup of a shelf as a database file again: fetched, and unsealed where it is sealed."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from storage import private_files
from storage.backups.keys import SealingKey
from storage.backups.sealing import is_sealed, unsealed
from storage.backups.shelf import Shelf
from storage.database import DatabaseProblem, plain_words


@dataclass(frozen=True, slots=True)
class Unpacked:
    path: Path
    head: tuple[str, int]
    """Epoch and position of its log."""
    size: int
    """Bytes on the shelf."""


def unpacked(shelf: Shelf, name: str, keys: Iterable[SealingKey], work: Path) -> Unpacked:
    """Raises `DatabaseProblem`, about the backup `name`, and `BlobStoreError`."""
    fetched = work / "fetched"
    try:
        source = shelf.fetch(name, fetched)
    except FileNotFoundError:
        raise DatabaseProblem(f"{name}: there is no such backup; `xp db backups` lists them.") from None
    target = work / "restored.db"
    unpack(source, keys, target, named=name)
    size = source.stat().st_size
    fetched.unlink(missing_ok=True)
    return Unpacked(target, _head(target, name), size)


def unpack(source: Path, keys: Iterable[SealingKey], target: Path, *, named: str) -> None:
    """Raises `DatabaseProblem`; nothing is left at `target` then."""
    with plain_words(source), contextlib.ExitStack() as on_failure:
        on_failure.callback(target.unlink, missing_ok=True)
        with source.open("rb") as file, open(target, "wb", opener=private_files.private) as copy:
            if is_sealed(source):
                copy.writelines(unsealed(file, keys, named=named))
            else:
                shutil.copyfileobj(file, copy, 1 << 20)
        on_failure.pop_all()


def _head(path: Path, named: str) -> tuple[str, int]:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            epoch, position = database.execute('SELECT "epoch", "position" FROM "log_head"').fetchone()
            return epoch, position
    except (sqlite3.Error, TypeError) as error:
        raise DatabaseProblem(f"{named}: it is damaged ({error}); use another backup.") from error
