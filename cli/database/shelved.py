"""The shelf of backups that the settings name, and the files that go with one."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from cli.database.copied_files import REFERENCE, CopiedFiles
from cli.opening.blobs import location_of, s3_keys, with_region
from cli.settings import Settings
from cli.terminal.console import Progress
from storage.blobs.location import FolderLocation, Location, parse

if TYPE_CHECKING:
    from storage.backups.continuous.survey import Shelves
    from storage.backups.making import Maker
    from storage.backups.shelf import Shelf

FOLDER = "backups"
"""Below DATA_DIR, where no other place is set."""
NEWEST = "newest"
"""In place of a name: the newest backup that is good."""


def shelf_location(chosen: Settings) -> Location:
    if chosen["backup_url"] is None:
        return FolderLocation(chosen["data_dir"] / FOLDER)
    return with_region(parse(chosen["backup_url"]), chosen)


def shelf_of(chosen: Settings) -> "Shelf":
    """Raises `BlobStoreRefused` where S3 is chosen and cannot be used."""
    from storage.backups.shelf import open_shelf

    return open_shelf(shelf_location(chosen), s3_keys(chosen))


def shelves_of(chosen: Settings) -> "Shelves":
    """With that of segments. Raises `BlobStoreRefused` as above."""
    from storage.backups.continuous.survey import Shelves
    from storage.backups.shelf import open_shelf, segments_of

    return Shelves(shelf_of(chosen), open_shelf(segments_of(shelf_location(chosen)), s3_keys(chosen)))


def files_on_shelf(chosen: Settings, progress: Progress, *, force: bool = False) -> CopiedFiles:
    """Copies beside the backups where files are in a folder; where they are in S3, they stay there."""
    from storage.backups.shelf import files_of

    is_folder = isinstance(location_of(chosen), FolderLocation)
    where: Location | str = files_of(shelf_location(chosen)) if is_folder else REFERENCE
    return CopiedFiles(chosen, where, progress, force, sealed_by=chosen["backup_key"])


def maker_of(chosen: Settings, files: CopiedFiles) -> "Maker":
    from storage.backups.continuous.marks import Marking
    from storage.backups.making import Maker
    from storage.database import FILE_NAME, DatabaseOptions

    options = DatabaseOptions(chosen["data_dir"] / FILE_NAME)
    copies = _Copies(chosen, files)
    marking = Marking(chosen["data_dir"], is_expected=chosen["backup_continuous"] is not None)
    return Maker(
        options, shelves_of(chosen), chosen["backup_key"], chosen["backup_keep"], copies.along, copies.prune, marking
    )


class _Copies:
    """The files of backups on the shelf, as `Maker` asks for them."""

    def __init__(self, chosen: Settings, files: CopiedFiles) -> None:
        self._chosen = chosen
        self._files = files
        self.along = files.back_up

    def prune(self, needed: Callable[[], set[str] | None], since: float) -> None:
        """Remove copies that no backup on the shelf names, and that were stored before."""
        if isinstance(self._files.where, str):
            return
        names = needed()
        if names is not None:
            asyncio.run(self._remove_others(self._files.where, names, since))

    async def _remove_others(self, where: Location, names: set[str], since: float) -> None:
        from cli.opening.blobs import open_blobs
        from storage.backups.making import is_removable

        store = open_blobs(self._chosen, where)
        try:
            async with contextlib.aclosing(store.list()) as blobs:
                async for blob in blobs:
                    if blob.digest not in names and is_removable(blob.modified, since):
                        await store.delete(blob.digest)
        finally:
            await store.close()
