"""`xp errors`."""

from typing import TYPE_CHECKING

import click

from cli import settings
from cli.opening.database import data_dir_option
from cli.terminal.console import json_option, print_json, print_table, short_time

if TYPE_CHECKING:
    from server.telemetry.error_groups import ErrorGroup

COLUMNS = ("fingerprint", "error", "where", "count", "first", "last", "correlation id")


@click.command()
@data_dir_option
@json_option
def command(data_dir: str | None, as_json: bool) -> None:
    """Show unhandled errors of the server, grouped by where they were raised, the most recently seen first.

    Each is a defect. Search the log for the correlation id; messages of exceptions are not kept. A running server adds
    new ones within 5 s.

    Example: xp errors
    """
    from server.resources.admin.views import error_group_view
    from server.telemetry import error_file

    found = error_file.read(settings.load({"data_dir": data_dir})["data_dir"])
    if as_json:
        print_json([error_group_view(group) for group in found])
    elif found:
        print_table(COLUMNS, map(_row, found), right=("count",))
    else:
        click.echo("No unhandled errors.")


def _row(group: "ErrorGroup") -> tuple[object, ...]:
    last = group.last[-1]
    return (
        group.fingerprint, group.kind, group.frames[-1] if group.frames else group.logger, group.count,
        short_time(group.first_at), short_time(last.at), last.correlation_id,
    )  # fmt: skip
