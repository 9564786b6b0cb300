"""`xp thread list`."""

from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import json_option, print_json, print_table, short_time
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from actors.resources.threads import Thread
    from storage.database import Database

COLUMNS = ("id", "title", "status", "messages", "events", "created by", "last message")


@click.command("list")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=Number(0),
    metavar="N",
    help="Largest number of rows; 0 for all.",
)
@data_dir_option
@json_option
def command(limit: int, data_dir: str | None, as_json: bool) -> None:
    """List threads, most recently active first.

    Example: xp thread list --limit 10
    """
    from server.api import render

    with reading(data_dir) as database:
        threads, more = _newest(database, limit)
    if as_json:
        print_json([render.thread(thread, personal=False) for thread in threads])
    else:
        print_table(COLUMNS, map(_row, threads), right=("messages", "events"))
    if more:
        click.echo(f"Only {limit} are shown; --limit 0 lists all.", err=True)


def _newest(database: "Database", limit: int) -> "tuple[list[Thread], bool]":
    """The threads, and whether there are more of them."""
    from storage.resources.threads import reading as threads

    found: list[Thread] = []
    before: int | None = None
    while True:
        count = min(limits.XP_PAGE, limit - len(found)) if limit else limits.XP_PAGE
        page = threads.page(database, everyone(), limit=count, before=before, status=None, everything=True)
        found += page.items
        if page.next_cursor is None or len(found) == limit:
            return found, page.next_cursor is not None
        before = int(page.next_cursor)


def _row(thread: "Thread") -> tuple[object, ...]:
    last = thread.last_message
    return (
        thread.id, thread.title, thread.status, thread.message_count, thread.offset, thread.creator.name,
        short_time(last.created_at if last else None),
    )  # fmt: skip
