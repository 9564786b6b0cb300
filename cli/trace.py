"""`xp trace`: what a user, a thread or a connection does, live."""

import contextlib
import json
from typing import Any
from urllib.parse import quote

import click

from cli import settings
from cli.opening.server_calls import ServerCalls, server_options
from cli.terminal.console import json_option
from cli.terminal.times import Duration

PLACES = {"user": "users", "thread": "threads", "connection": "connections"}


@click.command()
@click.argument("kind", type=click.Choice(list(PLACES)))
@click.argument("id_", metavar="ID")
@click.option("--for", "seconds", type=Duration(), default="10m", show_default=True, help="Then it ends by itself.")
@server_options
@json_option
def command(
    kind: str, id_: str, seconds: int, url: str | None, token: str | None, as_json: bool, **flags: str | None
) -> None:
    """Show what a user, a thread or a connection does, live: sizes, kinds, durations and results, never content.

    Frames, commands, publications with their offsets, and why connections were closed. It is in the audit log. Ctrl-C
    ends it.

    Example: xp trace thread cmwta8kex000053uaxsb10oqw --for 5m
    """
    calls = ServerCalls(settings.load(flags), url, token, lasts=seconds + 60)
    path = f"/api/v1/admin/{PLACES[kind]}/{quote(id_, safe='')}/events?seconds={seconds}"
    with contextlib.suppress(KeyboardInterrupt):
        for event, facts in calls.follow(path):
            click.echo(json.dumps({"event": event, **facts}) if as_json else _line(event, facts))


def _line(event: str, facts: dict[str, Any]) -> str:
    """The time of day, what happened, and what is known of it."""
    at = str(facts.pop("at", ""))[11:23]
    rest = "  ".join(f"{name}={_text(value)}" for name, value in facts.items() if value is not None)
    return f"{at:12}  {event:11}  {rest}"


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
