"""`xp retention run`."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cli import settings
from cli.files.options import LocalReads, folder_of
from cli.opening.database import writing
from cli.settings import Settings
from cli.terminal.console import json_option, print_json, print_table, size

if TYPE_CHECKING:
    from actors.journal.retention import Retention
    from actors.outcomes import Done
    from actors.queries import Reads
    from actors.resources.retention import Tally

DAYS = ("thread_delete_days", "thread_archive_days", "revision_days", "audit_days")
COLUMNS = ("rule", "items", "rows", "bytes")


@click.command("run")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@settings.options("data_dir", *DAYS)
@json_option
def command(dry_run: bool, as_json: bool, **flags: str | None) -> None:
    """Apply the retention rules of the settings now: says for each rule how many items, rows and bytes go.

    A running server does the same once an hour. What is under a legal hold stays. Rows of deleted threads leave the
    database an hour later; bytes are those of contents and files, without indexes. A dry run
    looks at each rule by itself: threads that would be deleted count among those that would be archived, too.

    Example: xp retention run --dry-run --thread-delete-days 365
    """
    chosen = settings.load(flags)
    tallies = _look(chosen) if dry_run else _apply(chosen)
    if as_json:
        print_json({"dry_run": dry_run, "rules": [asdict(tally) for tally in tallies]})
        return
    if not tallies:
        names = ", ".join(settings.BY_KEY[name].name for name in DAYS)
        click.echo(f"No rule is set, so nothing goes; set one of {names}.")
        return
    print_table(COLUMNS, map(_row, tallies), right=COLUMNS[1:])
    click.echo("Nothing was changed." if dry_run else "Runs that took something are in `xp retention log`.")


def _row(tally: "Tally") -> tuple[object, ...]:
    return tally.rule, f"{tally.items:,}", f"{tally.rows:,}", size(tally.size)


def _look(chosen: Settings) -> "list[Tally]":
    async def refuse(_: Any) -> "Done[Any]":
        raise AssertionError("a look writes nothing")

    return asyncio.run(_retention(chosen, refuse).look())


def _apply(chosen: Settings) -> "list[Tally]":
    from actors.outcomes import Done

    with writing(folder_of(chosen)) as writer:

        async def write(made: Any) -> Done[Any]:
            return Done(writer.do(made))

        tallies = asyncio.run(_retention(chosen, write).apply())
        writer.settle()
    return tallies


def _retention(chosen: Settings, write: Any) -> "Retention":
    """The server's own, on this command's connections."""
    import storage.readers.reads  # noqa: F401 - it knows which function answers
    from actors.journal.retention import Retention
    from cli.opening.retention import retention_rules

    reads: Reads = LocalReads(folder_of(chosen))
    return Retention(write, reads, retention_rules(chosen))
