"""What `xp db restore` is given: a database, an encrypted backup, one on the shelf by its name, or a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.database.copied_files import OpenedBackup
from cli.database.shelved import NEWEST, shelf_location, shelf_of, shelves_of
from cli.opening.blobs import location_of
from cli.settings import Settings
from storage.blobs.location import FolderLocation, Location

if TYPE_CHECKING:
    from storage.backups.restore_check import Rehearsed


@contextlib.contextmanager
def opened_backup(given: Path | None, at: int | None, chosen: Settings) -> Iterator[OpenedBackup]:
    """A plain database while inside. `at`: of that time, from the shelf. Raises `DatabaseProblem` and
    `BlobStoreError`."""
    from storage.backups.shelf import backup_of

    opening: contextlib.AbstractContextManager[OpenedBackup]
    if given is None or str(given) == NEWEST:
        opening = _from_shelf(at, chosen)
    elif given.is_file() and not _is_sealed(given) and backup_of(given.name) is None:
        opening = contextlib.nullcontext(OpenedBackup(str(given), given))
    elif not given.exists() and backup_of(str(given)) is None:
        raise click.ClickException(
            f"{given}: there is no such file, and no backup of that name; `xp db backups` lists them."
        )
    else:
        opening = _unpacked(given, chosen)
    with opening as opened:
        yield opened


def _is_sealed(path: Path) -> bool:
    from storage.backups.sealing import is_sealed

    return is_sealed(path)


@contextlib.contextmanager
def _unpacked(given: Path, chosen: Settings) -> Iterator[OpenedBackup]:
    """A file, or a name on the shelf."""
    from storage.backups import record
    from storage.backups.making import work_folder
    from storage.backups.shelf import files_of
    from storage.backups.unpacking import unpack, unpacked

    folder = chosen["data_dir"]
    with record.backup_lock(folder), work_folder(folder) as work:
        target = work / "restored.db"
        if given.is_file():
            is_sealed = _is_sealed(given)
            unpack(given, chosen["backup_key"], target, named=str(given))
            copies = files_of(FolderLocation(given.absolute().parent))
        else:
            is_sealed = given.name.endswith(".xpb")
            unpacked(shelf_of(chosen), given.name, chosen["backup_key"], work)
            copies = files_of(shelf_location(chosen))
        yield OpenedBackup(given.name, target, _existing(copies, chosen), is_sealed)


def _existing(copies: Location, chosen: Settings) -> Location | None:
    """None where there are no copies: files in S3 stay there, and a lone backup has none beside it."""
    if isinstance(copies, FolderLocation):
        return copies if copies.path.is_dir() else None
    return copies if isinstance(location_of(chosen), FolderLocation) else None


@contextlib.contextmanager
def _from_shelf(at: int | None, chosen: Settings) -> Iterator[OpenedBackup]:
    """The newest state that is good, of that time where one is named; what is wrong with newer ones is said."""
    from storage.backups import record
    from storage.backups.restore_check import restored
    from storage.backups.shelf import files_of

    folder, shelves = chosen["data_dir"], shelves_of(chosen)
    with record.backup_lock(folder), restored(shelves, chosen["backup_key"], folder, until=at) as (done, path):
        for fault in done.faults:
            click.echo(fault, err=True)
        if done.backup is None:
            raise click.ClickException(f"{shelf_location(chosen)}: {_nothing(done, at)}")
        copies = _existing(files_of(shelf_location(chosen)), chosen)
        yield OpenedBackup(done.backup.name, path, copies, done.backup.is_sealed, done)


def _nothing(done: "Rehearsed", at: int | None) -> str:
    if at is None or done.faults:
        return "no backup there can be restored."
    return "no backup there is of that time or earlier; `xp db backups` lists them."
