"""`xp db migrate`, `rollback`, `status` and `new`."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.opening.database import database_options, options_of
from cli.terminal.console import json_option, print_json, print_table
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from storage.database import DatabaseOptions

_SKELETON = '''\
"""{title}."""

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    """It runs in one transaction. Tables are declared here, as they are at this version: see 0001_initial.py."""
    raise NotImplementedError


def down(migrator: Any, db: Database) -> None:
    raise NotImplementedError
'''


@click.command("migrate")
@database_options
@json_option
def migrate_command(data_dir: str | None, as_json: bool) -> None:
    """Migrate the schema to this version of the server.

    Creates the database if there is none. `xp serve` also does this when it starts. No server may run on the data
    folder while something is to migrate.

    Example: xp db migrate --data-dir ./data
    """
    options = options_of(data_dir)
    applied = [] if _is_current(options) else _migrate(options)
    if as_json:
        print_json({"applied": applied})
    else:
        click.echo(f"Applied {', '.join(applied)}." if applied else "The schema is up to date.")


def _is_current(options: "DatabaseOptions") -> bool:
    from storage.maintenance.opening import opened
    from storage.schema import migrating as schema

    if not options.path.exists():
        return False
    with opened(options, any_schema=True) as database:
        migrations = schema.status(database)
        schema.must_be_ours(database, migrations, options.path)
    return all(migration.applied for migration in migrations)


def _migrate(options: "DatabaseOptions") -> list[str]:
    """Not under a running server: its code is of the version before."""
    from storage.database import open_writer
    from storage.lock import data_folder_lock
    from storage.schema import migrating as schema

    with data_folder_lock(options.path.parent):
        database = open_writer(options)
        try:
            return schema.migrate(database, options.path)
        finally:
            database.close()


@click.command("rollback")
@click.option("--steps", type=Number(1), default=1, show_default=True, help="How many migrations to undo.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_options
@json_option
def rollback_command(steps: int, yes: bool, data_dir: str | None, as_json: bool) -> None:
    """Undo the newest migrations, before returning to an older version of the server.

    Removes what they created, with its data; a copy of the database is kept next to it. Asks for confirmation. No
    server may run on the data folder.

    Example: xp db rollback --steps 2
    """
    from storage.lock import data_folder_lock
    from storage.maintenance.opening import must_exist

    options = options_of(data_dir)
    must_exist(options.path)
    with data_folder_lock(options.path.parent):
        if not yes:
            click.confirm(f"Undo {steps} of the migrations of {options.path}?", abort=True, err=True)
        kept, undone = _rollback(options, steps)
    if as_json:
        print_json({"undone": undone, "kept": str(kept)})
    else:
        click.echo(f"Undone: {', '.join(undone)}. The previous database is {kept}.")


def _rollback(options: "DatabaseOptions", steps: int) -> tuple[Path, list[str]]:
    from storage.database import open_writer
    from storage.maintenance import copying
    from storage.schema import migrating as schema

    kept = options.path.with_name(f"{options.path.stem}-before-rollback-{time.time_ns() // 1_000_000}.db")
    copying.backup(options, kept, progress=lambda done, total: None)
    database = open_writer(options)
    try:
        return kept, schema.rollback(database, options.path, steps)
    except BaseException:
        kept.unlink(missing_ok=True)  # nothing was changed
        raise
    finally:
        database.close()


@click.command("status")
@database_options
@json_option
def status_command(data_dir: str | None, as_json: bool) -> None:
    """List the migrations, and whether they are applied.

    Example: xp db status
    """
    from storage.maintenance.opening import opened
    from storage.schema import migrating as schema

    with opened(options_of(data_dir), any_schema=True) as database:
        migrations = schema.status(database)
    found = [{"name": m.name, "applied": m.applied, "known": m.path is not None} for m in migrations]
    if as_json:
        print_json(found)
        return
    print_table(("migration", "state"), ((m["name"], _state(m["applied"], bool(m["known"]))) for m in found))


def _state(applied: object, known: bool) -> str:
    if not known:
        return f"applied {str(applied)[:19]} by a newer version of the server"
    return f"applied {str(applied)[:19]}" if applied else "pending: xp db migrate"


@click.command("new")
@click.argument("name")
def new_command(name: str) -> None:
    """Create a new migration, for developers of the server.

    Example: xp db new add_pins
    """
    from storage.schema import migrating as schema

    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not slug:
        raise click.BadParameter(f"expected some letters; got {name!r}.", param_hint="NAME")
    numbers = [int(path.name[:4]) for path in schema.DIRECTORY.glob("[0-9][0-9][0-9][0-9]_*.py")]
    path = schema.DIRECTORY / f"{max(numbers, default=0) + 1:04}_{slug}.py"
    with path.open("x") as file:
        file.write(_SKELETON.format(title=slug.replace("_", " ").capitalize()))
    click.echo(f"Wrote {path}; fill in `up` and `down`.")
