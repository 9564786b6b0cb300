"""`xp db backup`, `restore` and `fresh`: whole databases."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.database import copied_files
from cli.files.options import store_problems
from cli.opening.database import database_options, names_another_database, options_of, reading, writing
from cli.opening.keys import SECRET_FILE
from cli.terminal.console import count, json_option, print_json, progress_bar, size
from cli.terminal.times import Moment
from cli.terminal.written_files import force_option

if TYPE_CHECKING:
    from storage.maintenance.replacing import Restored


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@copied_files.files_option(
    "Where copies of the files' bytes go: a folder, or an s3:// URL. `reference`: none, but all must be in the store. "
    "`none`: leave them out.  [default: FILE.files; with S3: reference]"
)
@force_option
@database_options
@json_option
def backup_command(file: Path | None, files: str | None, force: bool, data_dir: str | None, as_json: bool) -> None:
    """Copy the database and the bytes of files, while a server runs; exit code 1 if files are missing or damaged.

    The copy is of one moment and checked; it appears under its name when it, and all files that it names, are
    completely on disk. The next backup to the same folder of files copies what is new.

    Without FILE: a backup as BACKUP_SCHEDULE makes them, in BACKUP_URL, encrypted by BACKUP_KEY, verified by a restore
    into a scratch file; then those that BACKUP_KEEP lets go are removed.

    Example: xp db backup experience-backup.db
    """
    from storage.maintenance import copying

    if file is None:
        _make(files, force, data_dir, as_json=as_json)
        return
    with progress_bar("copying") as progress, store_problems():
        along = copied_files.for_backup(file, files, copied_files.load(data_dir), progress)
        copy = copying.backup(
            options_of(data_dir), file, overwrite=force, progress=progress, along=along.back_up
        )  # fmt: skip
    if as_json:
        facts = {"path": str(copy.path), "size": copy.size, "epoch": copy.epoch, "position": copy.position}
        print_json(facts | {"files": along.document})
    else:
        click.echo(f"Wrote {copy.path} ({size(copy.size)}), the log up to position {copy.position:,}.")
        along.tell("Copied")
        _name_secret(options_of(data_dir).path.with_name(SECRET_FILE))
    click.get_current_context().exit(0 if along.is_whole else 1)


def _make(files: str | None, force: bool, data_dir: str | None, *, as_json: bool) -> None:
    from cli.database import backups

    if files is not None or force or names_another_database():
        raise click.UsageError("--files, --force and --database are for a backup to FILE.")
    backups.make(copied_files.load(data_dir), as_json=as_json)


def _name_secret(path: Path) -> None:
    """It is in no backup."""
    if path.exists():
        click.echo(
            f"The backup does not contain the secret that signs tokens: keep {path} with it, equally secret.", err=True
        )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--at",
    type=Moment(),
    metavar="TIME",
    help="Restore the state of that time from BACKUP_URL: 2026-11-29T14:05:00Z, or 15m for so long ago.",
)
@copied_files.files_option(
    "Where copies of the files' bytes are: a folder, or an s3:// URL. `reference`: in the store itself. `none`: do not "
    "look for them.  [default: FILE.files, if it is there; else reference]"
)
@click.option(
    "--force", is_flag=True, help="Restore although `xp db check` finds problems in the backup, or files are missing."
)
@database_options
@json_option
def restore_command(
    file: Path | None, at: int | None, files: str | None, force: bool, data_dir: str | None, as_json: bool
) -> None:
    """Replace the database by a backup, and bring back the bytes of its files.

    No server may run on the data folder. The current database is kept next to the new one. The log gets a new epoch, so
    that clients reload instead of resuming from their old position. Files are brought back first, each verified by its
    hash: an interrupted restore changes nothing that is seen, and can be repeated.

    FILE may be encrypted, if BACKUP_KEY is set. It may also be the name of a backup in BACKUP_URL (`xp db backups`
    lists them), or `newest`: the newest state that is good, with what continuous backup has shipped since the newest
    backup. Instead of FILE, --at restores what was there at a time; how far back it reaches, `xp db backups` says.

    Example: xp db restore experience-backup.db
    """
    from cli.database import reached
    from cli.database.opened_backup import opened_backup
    from storage.lock import data_folder_lock
    from storage.maintenance import replacing

    if (file is None) == (at is None):
        raise click.UsageError("Expected FILE, or --at TIME.")
    options, chosen = options_of(data_dir), copied_files.load(data_dir)
    with (
        progress_bar("copying") as progress,
        data_folder_lock(options.path.parent),
        store_problems(),
        opened_backup(file, at, chosen) as opened,
    ):
        along = copied_files.for_restore(opened, files, chosen, progress, force=force)
        done = replacing.restore(opened.database, options, force=force, progress=progress, along=along.bring_back)
    if as_json:
        kept = str(done.kept) if done.kept else None
        facts = {"epoch": done.epoch, "position": done.position, "kept": kept, "migrated": done.migrated}
        print_json(facts | reached.document(opened, at) | {"files": along.document})
    else:
        _tell(opened.name, done)
        reached.tell(opened, at)
        along.tell("Brought back")
    from actors.resources.notices import DropNotices

    with writing(data_dir) as writer:  # last: what is forced into place may be too broken for it
        writer.do(DropNotices())
        writer.note("restore_database", "database", done.epoch)


def _tell(name: str, done: "Restored") -> None:
    click.echo(f"Restored {name}, the log up to position {done.position:,}; its new epoch is {done.epoch}.")
    if done.migrated:
        click.echo(f"Migrated its schema: {', '.join(done.migrated)}.")
    if done.kept:
        click.echo(f"The previous database is {done.kept}.")


@click.command("fresh")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_options
def fresh_command(yes: bool, data_dir: str | None) -> None:
    """Replace the database by an empty one: all users, threads and messages are deleted.

    Asks for confirmation. No server may run on the data folder. The secret for tokens stays.

    Example: xp db fresh --data-dir ./data
    """
    from storage.lock import data_folder_lock
    from storage.maintenance import replacing

    options = options_of(data_dir)
    with data_folder_lock(options.path.parent):
        if options.path.exists() and not yes:
            click.confirm(
                f"{_held(data_dir)} in {options.path} will be deleted for good. Continue?", abort=True, err=True
            )
        replacing.start_over(options)
    click.echo(f"{options.path} is now an empty database.")


def _held(data_dir: str | None) -> str:
    from storage.database import DatabaseProblem
    from storage.maintenance import inspection

    try:
        with reading(data_dir) as database:
            rows = inspection.information(database, options_of(data_dir).path)["rows"]
    except DatabaseProblem:  # what cannot be read may go as well
        return "Everything"
    return f"{count(rows['user'], 'user')}, {count(rows['thread'], 'thread')} and {count(rows['message'], 'message')}"
