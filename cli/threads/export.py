"""`xp thread export`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading
from cli.opening.pages import every
from cli.terminal.console import progress_bar
from cli.terminal.written_files import force_option, written

if TYPE_CHECKING:
    from storage.database import Database


@click.command("export")
@click.argument("thread")
@click.option("--output", "-o", default="-", show_default=True, metavar="FILE", help="Output file; - is stdout.")
@force_option
@data_dir_option
def command(thread: str, output: str, force: bool, data_dir: str | None) -> None:
    """Write a thread and its content as JSON lines.

    Each line has a `kind` and its `data` as the API shows it: the thread, its members, its messages, its events.

    Example: xp thread export THREAD --output thread.jsonl
    """
    import orjson

    from storage.resources.threads import reading as threads

    with (
        progress_bar("exporting") as progress,
        written(output, force=force) as file,
        reading(data_dir) as database,
    ):
        found = threads.one(database, everyone(), thread)
        total = 1 + found.message_count + found.offset  # and members, which are not counted
        for done, (kind, data) in enumerate(_lines(database, found), 1):
            file.write(orjson.dumps({"kind": kind, "data": data}) + b"\n")
            if done % limits.XP_PAGE == 0:
                progress(min(done, total), total)


def _lines(database: "Database", found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    from server.api import render
    from storage.resources.messages import reading as messages
    from storage.resources.threads import reading as threads

    who = everyone()
    yield "thread", render.thread(found, personal=False)
    for member in every(lambda after: threads.members(database, who, found.id, limit=limits.XP_PAGE, after=after)):
        yield "member", render.member(member)
    for message in every(
        lambda after: messages.page(database, who, found.id, limit=limits.XP_PAGE, after=str(after or 0)),
        cursor=lambda text: int(text.removeprefix("after:")),
    ):
        yield "message", render.message(message, personal=False)
    yield from _events(database, found.id)


def _events(database: "Database", thread: str) -> Iterator[tuple[str, dict[str, Any]]]:
    from server.api import events
    from storage.resources.log import reading as log

    after, more = 0, True
    while more:
        page = log.after_offset(database, everyone(), thread, after, limit=limits.XP_PAGE)
        for event in page.events:
            yield "event", events.event(event)
            after = event.offset
        more = page.more
