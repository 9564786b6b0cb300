"""`xp actions list`."""

from typing import TYPE_CHECKING, Any

import click

from actors import limits
from actors.resources.actions import ACTION_STATUSES
from cli.opening.database import data_dir_option, reading
from cli.terminal.console import json_option, print_json, print_table, short_time
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from actors.resources.actions import Action, ActionStatus
    from storage.database import Database

COLUMNS = ("id", "status", "type", "block", "action", "user", "author", "created", "expires")


@click.command("list")
@click.option("--thread", default=None, metavar="THREAD", help="Only of this thread.")
@click.option("--status", type=click.Choice(ACTION_STATUSES), default=None, help="Only of this status.")
@click.option("--limit", default=100, show_default=True, type=Number(0), metavar="N", help="0 for all.")
@data_dir_option
@json_option
def command(thread: str | None, status: Any, limit: int, data_dir: str | None, as_json: bool) -> None:
    """List actions on blocks, newest first.

    Example: xp actions list --status pending
    """
    from server.resources.actions.views import action_view

    with reading(data_dir) as database:
        found, more = _newest(database, thread, status, limit)
    if as_json:
        print_json([action_view(action) for action in found])
    else:
        print_table(COLUMNS, map(_row, found))
    if more:
        click.echo(f"Only {limit} are shown; --limit 0 lists all.", err=True)


def _newest(
    database: "Database", thread: str | None, status: "ActionStatus | None", limit: int
) -> "tuple[list[Action], bool]":
    """The actions, and whether there are more of them."""
    from storage.resources.actions import reading as actions

    found: list[Action] = []
    before: int | None = None
    while True:
        count = min(limits.XP_PAGE, limit - len(found)) if limit else limits.XP_PAGE
        page = actions.page_of_all(database, thread_id=thread, status=status, limit=count, before=before)
        found += page.items
        if page.next_cursor is None or len(found) == limit:
            return found, page.next_cursor is not None
        before = int(page.next_cursor)


def _row(action: "Action") -> tuple[object, ...]:
    return (
        action.id, action.status, action.kind, action.block_id, action.action_id, action.user.name, action.author.name,
        short_time(action.created_at), short_time(action.expires_at),
    )  # fmt: skip
