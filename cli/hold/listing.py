"""`xp hold list`."""

import click

from actors import limits
from cli.opening.database import data_dir_option, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table, short_time

COLUMNS = ("id", "on", "target", "name", "reason", "since")


@click.command("list")
@data_dir_option
@json_option
def command(data_dir: str | None, as_json: bool) -> None:
    """List legal holds, newest first.

    Example: xp hold list
    """
    from server.resources.holds.views import hold
    from storage.resources.holds import reading as holds

    with reading(data_dir) as database:
        found = list(
            every(
                lambda before: holds.page(database, limit=limits.XP_PAGE, before=before),
                cursor=lambda text: int(text.removeprefix("before:")),
            )
        )
    if as_json:
        print_json([hold(record) for record in found])
        return
    rows = ((each.id, each.kind, each.target_id, each.name, each.reason, short_time(each.created_at)) for each in found)
    print_table(COLUMNS, rows)
