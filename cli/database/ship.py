"""`xp db ship`: the process that ships changes of the database, beside the server that starts it."""

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import settings
from cli.files.options import store_problems
from cli.opening.database import database_options, options_of
from cli.settings import Settings

if TYPE_CHECKING:
    from storage.backups.continuous.files import NewFiles
    from storage.blobs.location import Location
    from storage.maintenance.blob_copies import Named


@click.command("ship")
@database_options
def command(data_dir: str | None) -> None:
    """Ship changes of the database to BACKUP_URL until stdin ends: what `xp serve` starts by BACKUP_CONTINUOUS.

    One process of it ships for a data folder; a second one waits for its end. `xp db backup` makes the backups that the
    changes follow.

    Example: xp db ship
    """
    from cli.database.shelved import shelves_of
    from storage.backups.continuous.shipping import Shipper
    from storage.maintenance.opening import must_exist

    chosen = settings.load({"data_dir": data_dir})
    options = options_of(data_dir)
    must_exist(options.path)
    with store_problems():
        shelf = shelves_of(chosen).segments
    every = chosen["backup_continuous"] or 1.0
    files, spool = _new_files(chosen, options.path), chosen["backup_spool"]
    Shipper(options, shelf, chosen["backup_key"], every, files, spool).run(_end_of_input())


def _end_of_input() -> threading.Event:
    """Set when the server has closed its end, or is gone. Signals are for the server: it ends this process after it."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set() if sys.stdin.isatty() else None)

    def wait() -> None:
        while sys.stdin.buffer.read(1):
            pass
        ended.set()

    threading.Thread(target=wait, name="input", daemon=True).start()
    return ended


def _new_files(chosen: Settings, database: Path) -> "NewFiles | None":
    """None where files are in S3: they stay there."""
    from cli.database.shelved import shelf_location
    from cli.opening.blobs import location_of
    from storage.backups.continuous.files import NewFiles
    from storage.backups.shelf import files_of
    from storage.blobs.location import FolderLocation

    if not isinstance(location_of(chosen), FolderLocation):
        return None
    where = files_of(shelf_location(chosen))
    return NewFiles(database, lambda named: _copy(chosen, where, named))


def _copy(chosen: Settings, where: "Location", named: "list[Named]") -> None:
    from cli.database.copied_files import WORK, CopiedFiles

    CopiedFiles(chosen, where, lambda _, __: None, sealed_by=chosen["backup_key"]).copy(
        named, chosen["data_dir"] / WORK
    )
