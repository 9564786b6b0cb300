"""`xp thread tail`."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, options_of
from cli.terminal.console import json_option, plain, print_json_line
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from actors.events import Event
    from actors.resources.messages import Message
    from storage.database import Database


@click.command("tail")
@click.argument("thread")
@click.option(
    "--after", default=None, type=Number(0), metavar="OFFSET",
    help=f"Start after this offset, 0 for the whole log; the newest {limits.XP_TAIL_EVENTS} events by default.",
)  # fmt: skip
@click.option("--follow", "-f", is_flag=True, help="Continue with new events, until Ctrl-C.")
@data_dir_option
@json_option
def command(thread: str, after: int | None, follow: bool, data_dir: str | None, as_json: bool) -> None:
    """Print the events of a thread's log, with the current state of their resources.

    With --json each line is an event as the server sends it.

    Example: xp thread tail THREAD --follow
    """
    from storage.maintenance.opening import opened

    with opened(options_of(data_dir)) as database:
        for event in _events(database, thread, after, follow=follow):
            _print(event, as_json)


def _events(database: "Database", thread: str, after: int | None, *, follow: bool) -> "Iterator[Event]":
    from storage.maintenance.opening import one_moment
    from storage.resources.log import reading as log

    seen = -1
    while True:
        with one_moment(database):
            position = log.head_position(database)
            if after is None:
                after = max(0, log.after_offset(database, everyone(), thread, 0, limit=0).head - limits.XP_TAIL_EVENTS)
            more, page = position > seen, None
            if more:
                page = log.after_offset(database, everyone(), thread, after, limit=limits.XP_PAGE)
        if page is not None:
            yield from page.events
            after = page.events[-1].offset if page.events else after
            seen, more = (seen, True) if page.more else (position, False)
        if not more:
            if not follow:
                return
            time.sleep(limits.XP_TAIL_SECONDS)  # until the next look at a log that another process writes


def _print(event: "Event", as_json: bool) -> None:
    from server.api import events, render

    if as_json:
        print_json_line(events.event(event))
        return
    head = f"{event.offset:>6}  {render.iso_time(event.time)}  {event.type:16}"
    click.echo(f"{head}  {plain(event.actor.name)}{plain(_said(event))}")


def _message(message: "Message", actor_id: str) -> str:
    """The author, where another acted; the status, where it is not simply there; the text."""
    text = "(deleted)" if message.deleted_at is not None else message.content or "(blocks)"
    author = f" on {message.author.name}'s" if message.author.id != actor_id else ""
    status = f" [{message.status}]" if message.status != "COMPLETE" else ""
    return f"{author}{status}: {text}"


def _said(event: "Event") -> str:
    """What a person wants to see of it."""
    data: Any = event.data
    if data is None:  # of a newer release
        return ""
    match event.type.partition(".")[0]:
        case "message":
            return _message(data, event.actor.id)
        case "reaction":
            text = f"{data.emoji} ({data.count}) on {data.message_id}"
        case "member":
            text = " ".join((data.user.name, getattr(data, "role", "")))
        case "read":
            text = f"up to {data.last_read_offset}"
        case _:
            text = getattr(data, "title", "")
    return f": {text}" if text else ""
