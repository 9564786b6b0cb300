"""`xp files list`."""

from typing import TYPE_CHECKING, Any

import click

from actors import limits
from actors.resources.files.file import FILE_STATUSES
from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import json_option, print_json, print_table, short_time, size
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from actors.resources.files.file import File, FileFilter
    from storage.database import Database

COLUMNS = ("id", "name", "size", "type", "status", "versions", "owner", "thread", "since")


@click.command("list")
@click.option("--owner", default=None, metavar="USER", help="Only those of a user: id or e-mail address.")
@click.option("--thread", default=None, metavar="THREAD", help="Only those in a thread.")
@click.option("--status", type=click.Choice(FILE_STATUSES[:-1]), default=None, help="Only those of this status.")
@click.option("--type", "media_type", default=None, metavar="TYPE", help="Only those of a type: image/png, or image/*.")
@click.option("--name", default=None, metavar="TEXT", help="Only those with this in their name.")
@click.option(
    "--limit", default=100, show_default=True, type=Number(0), metavar="N",
    help="Largest number of rows; 0 for all.",
)  # fmt: skip
@data_dir_option
@json_option
def command(limit: int, data_dir: str | None, as_json: bool, owner: str | None, **wanted: Any) -> None:
    """List files, newest first.

    Example: xp files list --owner ana@rpotential.ai --type 'image/*'
    """
    from server.api import render

    with reading(data_dir) as database:
        found, more = _newest(database, _filter(database, owner, wanted), limit)
    if as_json:
        print_json([render.file(file) for file in found])
    else:
        print_table(COLUMNS, map(_row, found), right=("size", "versions"))
    if more:
        click.echo(f"Only {limit} are shown; --limit 0 lists all.", err=True)


def _filter(database: "Database", owner: str | None, wanted: dict[str, Any]) -> "FileFilter":
    from actors.resources.files.file import FileFilter
    from storage.maintenance import user_lookup

    owner_id = user_lookup.find(database, owner).id if owner is not None else None
    return FileFilter(
        owner_id=owner_id, thread_id=wanted["thread"], status=wanted["status"], media_type=wanted["media_type"],
        name=wanted["name"],
    )  # fmt: skip


def _newest(database: "Database", wanted: "FileFilter", limit: int) -> "tuple[list[File], bool]":
    """The files, and whether there are more of them."""
    from storage.resources.files import reading as files

    found: list[File] = []
    before: int | None = None
    while True:
        count = min(limits.XP_PAGE, limit - len(found)) if limit else limits.XP_PAGE
        page = files.page(database, everyone(), wanted, limit=count, before=before, everything=True)
        found += page.items
        if page.next_cursor is None or len(found) == limit:
            return found, page.next_cursor is not None
        before = int(page.next_cursor)


def _row(file: "File") -> tuple[object, ...]:
    newest = file.version
    return (
        file.id, file.name, size(newest.size) if newest else "–", newest.media_type if newest else file.declared_type,
        file.status, newest.number if newest else 0, file.owner.name, file.thread_id or "–",
        short_time(file.created_at),
    )  # fmt: skip
