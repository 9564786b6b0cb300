"""`xp artifact list`."""

from typing import TYPE_CHECKING, Any

import click

from actors import limits
from actors.resources.artifacts.artifact import ARTIFACT_TYPES
from cli.opening.database import data_dir_option, everyone, reading
from cli.terminal.console import json_option, print_json, print_table, short_time
from cli.terminal.numbers import Number

if TYPE_CHECKING:
    from actors.resources.artifacts.artifact import Artifact
    from actors.resources.artifacts.queries import ArtifactFilter
    from storage.database import Database

COLUMNS = ("id", "type", "title", "version", "bytes", "creator", "updated")


@click.command("list")
@click.option("--thread", default=None, metavar="THREAD", help="Only of this thread.")
@click.option("--type", "kind", type=click.Choice(ARTIFACT_TYPES), default=None, help="Only of this type.")
@click.option("--text", default=None, metavar="WORDS", help="Only with these words in title or content.")
@click.option("--limit", default=100, show_default=True, type=Number(0), metavar="N", help="0 for all.")
@data_dir_option
@json_option
def command(
    thread: str | None, kind: Any, text: str | None, limit: int, data_dir: str | None, as_json: bool
) -> None:  # fmt: skip
    """List artifacts, newest first.

    Example: xp artifact list --type REPORT
    """
    from actors.resources.artifacts.queries import ArtifactFilter
    from server.resources.artifacts import rendering

    wanted = ArtifactFilter(thread_id=thread, type=kind, text=text)
    with reading(data_dir) as database:
        found, more = _newest(database, wanted, limit)
    if as_json:
        print_json([rendering.shared(artifact) for artifact in found])
    else:
        print_table(COLUMNS, map(_row, found), right=("version", "bytes"))
    if more:
        click.echo(f"Only {limit} are shown; --limit 0 lists all.", err=True)


def _newest(database: "Database", wanted: "ArtifactFilter", limit: int) -> "tuple[list[Artifact], bool]":
    """The artifacts, and whether there are more of them."""
    from storage.resources.artifacts import reading as artifacts

    found: list[Artifact] = []
    before: int | None = None
    while True:
        count = min(limits.XP_ARTIFACTS, limit - len(found)) if limit else limits.XP_ARTIFACTS
        page = artifacts.page(
            database, everyone(), wanted, limit=count, before=before, with_content=False, everything=True
        )  # fmt: skip
        found += page.items
        if page.next_cursor is None or len(found) == limit:
            return found, page.next_cursor is not None
        before = int(page.next_cursor)


def _row(artifact: "Artifact") -> tuple[object, ...]:
    newest = artifact.newest
    assert newest is not None
    return (
        artifact.id, artifact.type, newest.title, artifact.version, newest.size, artifact.creator.name,
        short_time(artifact.updated_at),
    )  # fmt: skip
