"""`xp artifact comments`."""

from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.database import Database

COLUMNS = ("id", "reply to", "state", "of version", "place", "author", "comment", "made")


@click.command("comments")
@click.argument("artifact")
@click.option("--open", "status", flag_value="open", default=None, help="Only those that are not resolved.")
@click.option("--resolved", "status", flag_value="resolved", help="Only those that are resolved.")
@data_dir_option
@json_option
def command(artifact: str, status: str | None, data_dir: str | None, as_json: bool) -> None:
    """List comments on an artifact, newest first, with their place in its newest version.

    Example: xp artifact comments ARTIFACT --open
    """
    with reading(data_dir) as database:
        found = list(_comments(database, artifact, None if status is None else status == "resolved"))
    if as_json:
        print_json(found)
    else:
        print_table(COLUMNS, map(_row, found), right=("of version",))


def _comments(database: "Database", artifact: str, is_resolved: bool | None) -> "Iterator[dict[str, Any]]":
    from actors.page import Page
    from server.resources.comments import rendering
    from storage.resources.comments import reading as comments

    def page(before: int | None) -> "Page[dict[str, Any]]":
        found = comments.of_artifact(
            database, everyone(), artifact, limit=limits.XP_ARTIFACTS, before=before, is_resolved=is_resolved
        )
        places = {uid: place for base in found.bases for uid, place in rendering.places(found, base).items()}
        return Page(tuple(rendering.placed(found, places)), found.comments.next_cursor)

    return every(page)


def _row(comment: dict[str, Any]) -> tuple[object, ...]:
    state = "deleted" if comment["deleted_at"] else "resolved" if comment["resolved"] else "open"
    return (
        comment["id"], comment["parent_id"] or "", state, comment["base_version"], _place(comment["place"]),
        comment["author"]["name"], comment["content"].partition("\n")[0][:60], comment["created_at"],
    )  # fmt: skip


def _place(place: dict[str, Any] | None) -> str:
    """Where it is in the newest version."""
    if place is None:
        return ""
    return "orphaned" if place["standing"] == "orphaned" else place["pointer"] or "(all of it)"
