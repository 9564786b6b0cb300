"""`xp logs`: the log of the running server."""

from typing import Any

import click

from cli import settings
from cli.opening.server_calls import ServerCalls, server_options
from cli.terminal.console import json_option, print_json
from cli.terminal.group import LazyGroup
from cli.terminal.times import Duration

COMMANDS = {"level": ("cli.logs:level_command", "Show the log level of the running server, or change it for a while")}
USUAL = "usual"
PATH = "/api/v1/admin/log-level"


@click.group(cls=LazyGroup, entries=COMMANDS)
def command() -> None:
    """Look at the log level of the running server, and change it.

    Example: xp logs level debug --for 10m
    """


@click.command("level")
@click.argument("level", type=click.Choice(["debug", "info", "warning", "error", USUAL]), required=False)
@click.option("--for", "seconds", type=Duration(), default="10m", show_default=True, help="Then it is as before.")
@server_options
@json_option
def level_command(
    level: str | None, seconds: int, url: str | None, token: str | None, as_json: bool, **flags: str | None
) -> None:
    """Show the log level of the running server, or change it for a while; `usual` is what LOG_LEVEL says.

    Connections that are open keep the level of requests that they had.

    Example: xp logs level debug --for 10m
    """
    calls = ServerCalls(settings.load(flags), url, token)
    found = calls.ask("GET", PATH) if level is None else calls.ask("PUT", PATH, _wanted(level, seconds))
    if as_json:
        print_json(found)
    elif found["until"] is None:
        click.echo(f"{found['level']}, as LOG_LEVEL says.")
    else:
        click.echo(f"{found['level']} until {found['until'][:19].replace('T', ' ')} UTC.")


def _wanted(level: str, seconds: int) -> dict[str, Any]:
    return {"level": None} if level == USUAL else {"level": level, "seconds": seconds}
