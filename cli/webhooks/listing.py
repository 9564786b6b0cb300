"""`xp webhooks list`."""

import click

from actors import limits
from cli.opening.database import data_dir_option, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table, short_time
from cli.users.rendering import names_of

COLUMNS = ("id", "user", "name", "url", "events", "status", "failing since")


@click.command("list")
@click.option("--user", default=None, metavar="USER", help="Only of this user: id or e-mail address.")
@data_dir_option
@json_option
def command(user: str | None, data_dir: str | None, as_json: bool) -> None:
    """List webhooks, newest first.

    Example: xp webhooks list --user bot@rpotential.ai
    """
    from server.resources.webhooks.views import webhook_view
    from storage.maintenance import user_lookup
    from storage.resources.webhooks import reading as webhooks

    with reading(data_dir) as database:
        user_id = user_lookup.find(database, user).id if user is not None else None
        found = list(
            every(lambda before: webhooks.page(database, user_id=user_id, limit=limits.XP_PAGE, before=before))
        )
        name = names_of(database)
        rows = [
            (each.id, name(each.user_id), each.name, each.url, ", ".join(each.events), each.status,
             short_time(each.failing_since))
            for each in found
        ]  # fmt: skip
    if as_json:
        print_json([webhook_view(each) for each in found])
    else:
        print_table(COLUMNS, rows)
