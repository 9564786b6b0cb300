"""What `xp db restore` is given: a database, an encrypted backup, or one on the shelf by its name."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.database.copied_files import OpenedBackup
from cli.database.shelved import NEWEST, shelf_location, shelf_of
from cli.opening.blobs import location_of
from cli.settings import Settings
from storage.blobs.location import FolderLocation, Location

if TYPE_CHECKING:
    from storage.backups.shelf import Shelf


@contextlib.contextmanager
def opened_backup(given: Path, chosen: Settings) -> Iterator[OpenedBackup]:
    """A plain database while inside. Raises `DatabaseProblem` and `BlobStoreError`."""
    from storage.backups.shelf import backup_of

    if given.is_file() and not _is_sealed(given) and backup_of(given.name) is None:
        yield OpenedBackup(str(given), given)
        return
    if not given.exists() and str(given) != NEWEST and backup_of(str(given)) is None:
        raise click.ClickException(
            f"{given}: there is no such file, and no backup of that name; `xp db backups` lists them."
        )
    with _unpacked(given, chosen) as opened:
        yield opened


def _is_sealed(path: Path) -> bool:
    from storage.backups.sealing import is_sealed

    return is_sealed(path)


@contextlib.contextmanager
def _unpacked(given: Path, chosen: Settings) -> Iterator[OpenedBackup]:
    from storage.backups import record
    from storage.backups.making import work_folder
    from storage.backups.shelf import files_of
    from storage.backups.unpacking import unpack, unpacked

    folder = chosen["data_dir"]
    with record.backup_lock(folder):
        shelf = None if given.is_file() else shelf_of(chosen)
        name = _newest(shelf, chosen) if shelf is not None and str(given) == NEWEST else given.name
        with work_folder(folder) as work:
            target = work / "restored.db"
            if shelf is None:
                is_sealed = _is_sealed(given)
                unpack(given, chosen["backup_key"], target, named=str(given))
                copies = files_of(FolderLocation(given.absolute().parent))
            else:
                is_sealed = name.endswith(".xpb")
                unpacked(shelf, name, chosen["backup_key"], work)
                copies = files_of(shelf_location(chosen))
            yield OpenedBackup(name, target, _existing(copies, chosen), is_sealed)


def _existing(copies: Location, chosen: Settings) -> Location | None:
    """None where there are no copies: files in S3 stay there, and a lone backup has none beside it."""
    if isinstance(copies, FolderLocation):
        return copies if copies.path.is_dir() else None
    return copies if isinstance(location_of(chosen), FolderLocation) else None


def _newest(shelf: "Shelf", chosen: Settings) -> str:
    """The newest that is good; what is wrong with newer ones is said."""
    from storage.backups.rehearsing import newest_good

    found = newest_good(shelf, chosen["backup_key"], chosen["data_dir"])
    for fault in found.faults:
        click.echo(fault, err=True)
    if found.backup is None:
        raise click.ClickException(f"{shelf_location(chosen)}: no backup there can be restored.")
    return found.backup.name
