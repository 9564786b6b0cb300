"""`xp db backup`, `restore` and `fresh`: whole databases."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.console import count, json_option, print_json, progress_bar, size
from cli.keys import SECRET_FILE
from cli.store import database_options, options_of, reading, writing
from cli.written_files import force_option

if TYPE_CHECKING:
    from storage.maintenance.replacing import Restored


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@force_option
@database_options
@json_option
def backup_command(file: Path, force: bool, data_dir: str | None, as_json: bool) -> None:
    """Copy the database, while a server runs.

    The copy is consistent and checked; it appears under its name when it is completely on disk.

    Example: xp db backup experience-backup.db
    """
    from storage.maintenance import copying

    with progress_bar("copying") as progress:
        copy = copying.backup(options_of(data_dir), file, overwrite=force, progress=progress)
    if as_json:
        print_json({"path": str(copy.path), "size": copy.size, "epoch": copy.epoch, "position": copy.position})
    else:
        click.echo(f"Wrote {copy.path} ({size(copy.size)}), the log up to position {copy.position:,}.")
        _name_secret(options_of(data_dir).path.with_name(SECRET_FILE))


def _name_secret(path: Path) -> None:
    """A backup is of the database alone."""
    if path.exists():
        click.echo(
            f"The backup does not contain the secret that signs tokens: keep {path} with it, equally secret.", err=True
        )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Restore although `xp db check` finds problems in the backup.")
@database_options
@json_option
def restore_command(file: Path, force: bool, data_dir: str | None, as_json: bool) -> None:
    """Replace the database by a backup.

    No server may run on the data folder. The current database is kept next to the new one. The log gets a new epoch, so
    that clients reload instead of resuming from their old position.

    Example: xp db restore experience-backup.db
    """
    from storage.lock import data_folder_lock
    from storage.maintenance import replacing

    options = options_of(data_dir)
    with progress_bar("copying") as progress, data_folder_lock(options.path.parent):
        done = replacing.restore(file, options, force=force, progress=progress)
    if as_json:
        kept = str(done.kept) if done.kept else None
        print_json({"epoch": done.epoch, "position": done.position, "kept": kept, "migrated": done.migrated})
    else:
        _tell(file, done)
    with writing(data_dir) as writer:  # last: what is forced into place may be too broken for it
        writer.note("restore_database", "database", done.epoch)


def _tell(file: Path, done: "Restored") -> None:
    click.echo(f"Restored {file}, the log up to position {done.position:,}; its new epoch is {done.epoch}.")
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
