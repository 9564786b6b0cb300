"""`xp db backups` and `xp db rehearse`: what is on the shelf, and whether it can be restored."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import settings
from cli.files.options import store_problems
from cli.opening.database import database_options
from cli.terminal.console import count, json_option, print_json, print_table, progress_bar, short_time, size
from cli.terminal.times import Moment, moment

if TYPE_CHECKING:
    from cli.database.copied_files import CopiedFiles
    from cli.settings import Settings
    from storage.backups.continuous.survey import Survey
    from storage.backups.locked import Locked
    from storage.backups.making import Made
    from storage.backups.record import Record
    from storage.backups.restore_check import Rehearsed
    from storage.backups.shelf import Backup

COLUMNS = ("name", "made", "position", "size", "encrypted", "followed up to")


def make(chosen: "Settings", *, as_json: bool) -> None:
    """`xp db backup` without a file: what a server with BACKUP_SCHEDULE does by itself."""
    from cli.database.shelved import files_on_shelf, maker_of
    from storage.backups import record
    from storage.database import FILE_NAME
    from storage.maintenance.opening import must_exist

    must_exist(chosen["data_dir"] / FILE_NAME)  # else a mistyped folder is made, and has a failure on record
    with progress_bar("copying") as progress, record.backup_lock(chosen["data_dir"]):
        files = files_on_shelf(chosen, progress)
        with store_problems(), _recorded(chosen):
            made = maker_of(chosen, files).make(progress)
        _record(chosen, made, files)
    closed = _locked(chosen)
    if as_json:
        print_json(_document(made) | {"locked": [] if closed is None else closed.names, "files": files.document})
    else:
        _tell(made, files)
    if closed is not None:
        click.echo(f"{closed}; they cannot be restored until it is added.", err=True)
    click.get_current_context().exit(0 if files.is_whole else 1)


def _locked(chosen: "Settings") -> "Locked | None":
    """Of the backups on the shelf. A look that fails takes nothing from the one that was made."""
    from actors.blobs import BlobStoreError
    from cli.database.shelved import shelf_of
    from storage.backups.locked import locked

    with contextlib.suppress(BlobStoreError):
        return locked(shelf_of(chosen), chosen["backup_key"])
    return None


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
    lineage = made.lineage
    _write(chosen, lambda before: before.succeeded(at=at, name=name, size=length, seconds=seconds, lineage=lineage))
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
    """List the backups in BACKUP_URL, the newest first, and the times that `xp db restore --at` can reach.

    A backup is followed up to a time where continuous backup has shipped what changed after it. Between two times in a
    row of such backups, any second can be restored; of all others, the moment of the backup.

    Example: xp db backups
    """
    from cli.database.shelved import shelf_location, shelves_of
    from storage.backups.continuous.survey import survey

    chosen = settings.load({"data_dir": data_dir})
    with store_problems(), tempfile.TemporaryDirectory() as work:
        found = survey(shelves_of(chosen), chosen["backup_key"], Path(work))
    reaches = {plan.backup.name: plan.reaches for plan in found.plans() if plan.segments}
    if as_json:
        print_json([_row(backup, reaches.get(backup.name)) for backup in found.backups])
    elif found.backups:
        rows = [
            (b.name, short_time(_milliseconds(b)), f"{b.position:,}", size(b.size), _yes(b),
             short_time(reaches.get(b.name)))
            for b in found.backups
        ]  # fmt: skip
        print_table(COLUMNS, rows, right=("position", "size"))
        _tell_windows(found)
    else:
        click.echo(f"No backups in {shelf_location(chosen)}; `xp db backup` makes one, BACKUP_SCHEDULE many.")


def _yes(backup: "Backup") -> str:
    return "yes" if backup.is_sealed else "no"


def _row(backup: "Backup", reaches: int | None = None) -> dict[str, Any]:
    from server.api.render import iso_time, maybe_time

    made = iso_time(_milliseconds(backup))
    return {
        "name": backup.name, "made_at": made, "position": backup.position, "size": backup.size,
        "encrypted": backup.is_sealed, "followed_up_to": maybe_time(reaches),
    }  # fmt: skip


def _tell_windows(found: "Survey") -> None:
    from storage.backups.continuous.plans import windows

    for begin, end in windows(found.plans()):
        click.echo(f"--at reaches any second from {moment(begin / 1000)} to {moment(end / 1000)}.")
    if found.segments:
        count_of, length = count(len(found.segments), "segment"), sum(each.size for each in found.segments)
        click.echo(f"{count_of} of changes between them ({size(length)}).")


@click.command("rehearse")
@click.argument("name", required=False)
@click.option("--at", type=Moment(), metavar="TIME", help="The state of that time, as `xp db restore --at` takes it.")
@database_options
@json_option
def rehearse_command(name: str | None, at: int | None, data_dir: str | None, as_json: bool) -> None:
    """Restore the newest state into a scratch file and check it; exit code 1 if it is no good, or files are missing.

    The newest backup is decrypted, brought to the newest state that continuous backup has shipped, migrated and checked
    like `xp db check`, and every file that it names is looked for. If that cannot be restored, the newest one that can
    is named. With NAME: that backup by itself. Nothing of the server is changed; it may run.

    Example: xp db rehearse
    """
    from cli.database import reached
    from cli.database.shelved import files_on_shelf, shelf_location, shelves_of
    from storage.backups import record
    from storage.backups.restore_check import rehearse

    if name is not None and at is not None:
        raise click.UsageError("Expected NAME or --at TIME, and got both.")
    chosen = settings.load({"data_dir": data_dir})
    with progress_bar("looking") as progress, record.backup_lock(chosen["data_dir"]), store_problems():
        files = files_on_shelf(chosen, progress)
        done = rehearse(
            shelves_of(chosen), chosen["backup_key"], chosen["data_dir"], only=name, until=at, along=files.look_for
        )
    if done.backup is None and not done.faults:
        wanted = f"backup {name}" if name else "backup" if at is None else "backup of that time or earlier"
        raise click.ClickException(f"{shelf_location(chosen)}: there is no {wanted}; `xp db backup` makes one.")
    if as_json:
        good = None if done.backup is None else _row(done.backup)
        facts = {"good": good, "seconds": round(done.seconds, 3), "migrated": done.migrated, "faults": done.faults}
        followed = {} if done.backup is None else reached.facts(done)
        print_json(followed | facts | {"files": files.document})
    else:
        _tell_rehearsal(done, files, at)
    click.get_current_context().exit(0 if files.is_whole and not done.faults else 1)


def _tell_rehearsal(done: "Rehearsed", files: "CopiedFiles", at: int | None) -> None:
    from cli.database import reached

    for fault in done.faults:
        click.echo(fault, err=True)
    if done.backup is None:
        click.echo("No backup can be restored.", err=True)
        return
    click.echo(
        f"{done.backup.name} can be restored: the log up to position {done.backup.position:,}, made "
        f"{short_time(_milliseconds(done.backup))}. The rehearsal took {done.seconds:.1f} s."
    )
    if done.replayed.segments or done.replayed.fault or at is not None:
        click.echo(reached.sentence(done, at))
    if done.migrated:
        click.echo(f"A restore migrates its schema: {', '.join(done.migrated)}.")
    if files.found is not None and files.is_whole:
        click.echo(f"{count(files.found.there, 'blob')} of files found.")
    elif files.found is not None:
        click.echo(_lost(files), err=True)
