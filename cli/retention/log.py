"""`xp retention log`."""

import itertools

import click

from actors import limits
from cli.opening.database import data_dir_option, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table, short_time, size
from cli.terminal.numbers import Number

COLUMNS = ("time", "rule", "items", "rows", "bytes")


@click.command("log")
@click.option(
    "--limit", default=100, show_default=True, type=Number(0), metavar="N",
    help="Largest number of rows; 0 for all.",
)  # fmt: skip
@data_dir_option
@json_option
def command(limit: int, data_dir: str | None, as_json: bool) -> None:
    """List the runs of retention rules that took something, newest first. They are kept for 400 days.

    Example: xp retention log
    """
    from server.telemetry.status.document import retention_run_view
    from storage.resources.retention import runs

    with reading(data_dir) as database:
        pages = every(lambda before: runs.page(database, limits.XP_PAGE, before))
        found = list(itertools.islice(pages, limit or None))
    if as_json:
        print_json([retention_run_view(run) for run in found])
        return
    tallies = ((short_time(run.started_at), run.tally) for run in found)
    rows = ((at, tally.rule, f"{tally.items:,}", f"{tally.rows:,}", size(tally.size)) for at, tally in tallies)
    print_table(COLUMNS, rows, right=COLUMNS[2:])
