"""`xp db backups` and `xp db rehearse`: what is on the shelf, and whether it can be restored."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from cli import settings
from cli.files.options import store_problems
from cli.opening.database import database_options
from cli.terminal.console import count, json_option, print_json, print_table, progress_bar, short_time, size

if TYPE_CHECKING:
    from cli.database.copied_files import CopiedFiles
    from cli.settings import Settings
    from storage.backups.making import Made
    from storage.backups.record import Record
    from storage.backups.rehearsing import Rehearsed
    from storage.backups.shelf import Backup

COLUMNS = ("name", "made", "position", "size", "encrypted")


def make(chosen: "Settings", *, as_json: bool) -> None:
    """`xp db backup` without a file: what a server with BACKUP_SCHEDULE does by itself."""
    from cli.database.shelved import files_on_shelf, maker_of
    from storage.backups import record

    with progress_bar("copying") as progress, record.backup_lock(chosen["data_dir"]):
        files = files_on_shelf(chosen, progress)
        with store_problems(), _recorded(chosen):
            made = maker_of(chosen, files).make(progress)
        _record(chosen, made, files)
    if as_json:
        print_json(_document(made) | {"files": files.document})
    else:
        _tell(made, files)
    click.get_current_context().exit(0 if files.is_whole else 1)


@contextlib.contextmanager
def _recorded(chosen: "Settings") -> Iterator[None]:
    """What fails is in the record, from which a server and its metrics know it."""
    from actors.blobs import BlobError
    from storage.database import DatabaseProblem

    try:
        yield
    except (DatabaseProblem, BlobError) as error:
        reason = str(error)
        _write(chosen, lambda before: before.failed(at=_now(), reason=reason))
        raise


def _record(chosen: "Settings", made: "Made", files: "CopiedFiles") -> None:
    at, name, length, seconds = _milliseconds(made.backup), made.backup.name, made.backup.size, made.seconds
    _write(chosen, lambda before: before.succeeded(at=at, name=name, size=length, seconds=seconds))
    if not files.is_whole:
        _write(chosen, lambda before: before.failed(at=_now(), reason=_lost(files)))


def _write(chosen: "Settings", change: "Callable[[Record], Record]") -> None:
    from storage.backups import record

    folder = chosen["data_dir"]
    record.write(folder, change(record.read(folder)))


def _lost(files: "CopiedFiles") -> str:
    assert files.found is not None, "what is not whole was looked for"
    lost = len(files.found.missing) + len(files.found.damaged)
    return f"{count(lost, 'blob')} that the database names cannot be had; `xp files check` names the files."


def _document(made: "Made") -> dict[str, Any]:
    facts = {"name": made.backup.name, "size": made.backup.size, "epoch": made.epoch, "position": made.backup.position}
    return facts | {"removed": made.removed, "seconds": round(made.seconds, 3)}


def _tell(made: "Made", files: "CopiedFiles") -> None:
    backup = made.backup
    click.echo(
        f"Made {backup.name} ({size(backup.size)}{', encrypted' if backup.is_sealed else ''}), the log up to position "
        f"{backup.position:,}; a restore of it was sound. It took {made.seconds:.1f} s."
    )
    files.tell("Copied")
    if made.removed:
        click.echo(f"Removed {count(made.removed, 'earlier backup')} by BACKUP_KEEP.")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(backup: "Backup") -> int:
    return int(backup.made_at.timestamp() * 1000)


@click.command("backups")
@database_options
@json_option
def backups_command(data_dir: str | None, as_json: bool) -> None:
    """List the backups in BACKUP_URL, the newest first.

    Example: xp db backups
    """
    from cli.database.shelved import shelf_location, shelf_of
    from storage.backups.shelf import backups_on

    chosen = settings.load({"data_dir": data_dir})
    with store_problems():
        found = backups_on(shelf_of(chosen))
    if as_json:
        print_json([_row(backup) for backup in found])
    elif found:
        rows = [(b.name, short_time(_milliseconds(b)), f"{b.position:,}", size(b.size), _yes(b)) for b in found]
        print_table(COLUMNS, rows, right=("position", "size"))
    else:
        click.echo(f"No backups in {shelf_location(chosen)}; `xp db backup` makes one, BACKUP_SCHEDULE many.")


def _yes(backup: "Backup") -> str:
    return "yes" if backup.is_sealed else "no"


def _row(backup: "Backup") -> dict[str, Any]:
    from server.api.render import iso_time

    made = iso_time(_milliseconds(backup))
    return {
        "name": backup.name, "made_at": made, "position": backup.position, "size": backup.size,
        "encrypted": backup.is_sealed,
    }  # fmt: skip


@click.command("rehearse")
@click.argument("name", required=False)
@database_options
@json_option
def rehearse_command(name: str | None, data_dir: str | None, as_json: bool) -> None:
    """Restore the newest backup into a scratch file and check it; exit code 1 if it is no good, or files are missing.

    The copy is decrypted, migrated and checked like `xp db check`, and every file that it names is looked for. If the
    newest backup cannot be restored, the newest one that can is named. Nothing of the server is changed; it may run.

    Example: xp db rehearse
    """
    from cli.database.shelved import files_on_shelf, shelf_location, shelf_of
    from storage.backups import record
    from storage.backups.rehearsing import rehearse

    chosen = settings.load({"data_dir": data_dir})
    with progress_bar("looking") as progress, record.backup_lock(chosen["data_dir"]), store_problems():
        files = files_on_shelf(chosen, progress)
        done = rehearse(shelf_of(chosen), chosen["backup_key"], chosen["data_dir"], only=name, along=files.look_for)
    if done.backup is None and not done.faults:
        wanted = f"backup {name}" if name else "backup"
        raise click.ClickException(f"{shelf_location(chosen)}: there is no {wanted}; `xp db backup` makes one.")
    if as_json:
        good = None if done.backup is None else _row(done.backup)
        facts = {"good": good, "seconds": round(done.seconds, 3), "migrated": done.migrated, "faults": done.faults}
        print_json(facts | {"files": files.document})
    else:
        _tell_rehearsal(done, files)
    click.get_current_context().exit(0 if files.is_whole and not done.faults else 1)


def _tell_rehearsal(done: "Rehearsed", files: "CopiedFiles") -> None:
    for fault in done.faults:
        click.echo(fault, err=True)
    if done.backup is None:
        click.echo("No backup can be restored.", err=True)
        return
    click.echo(
        f"{done.backup.name} can be restored: the log up to position {done.backup.position:,}, made "
        f"{short_time(_milliseconds(done.backup))}. The rehearsal took {done.seconds:.1f} s."
    )
    if done.migrated:
        click.echo(f"A restore migrates its schema: {', '.join(done.migrated)}.")
    if files.found is not None and files.is_whole:
        click.echo(f"{count(files.found.there, 'blob')} of files found.")
    elif files.found is not None:
        click.echo(_lost(files), err=True)
