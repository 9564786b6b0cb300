"""`xp user list`."""

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table, short_time
from cli.users.rendering import rendered

COLUMNS = ("id", "e-mail", "name", "role", "kind", "status", "since")


@click.command("list")
@data_dir_option
@json_option
def command(data_dir: str | None, as_json: bool) -> None:
    """List all users, oldest account first.

    Example: xp user list --json
    """
    from actors.resources.users import UserFilter
    from storage.resources.users import reading as users

    with reading(data_dir) as database:
        found = list(
            every(lambda after: users.page(database, everyone(), UserFilter(), limit=limits.XP_PAGE, after=after))
        )
    if as_json:
        print_json([rendered(user) for user in found])
        return
    rows = ((u.id, u.email, u.name, u.role, u.kind, u.status, short_time(u.created_at)) for u in found)
    print_table(COLUMNS, rows)
