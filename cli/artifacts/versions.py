"""`xp artifact versions`."""

from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_json, print_table, short_time

if TYPE_CHECKING:
    from actors.resources.artifacts.artifact import Version

COLUMNS = ("version", "title", "bytes", "how", "label", "author", "made")


@click.command("versions")
@click.argument("artifact")
@data_dir_option
@json_option
def command(artifact: str, data_dir: str | None, as_json: bool) -> None:
    """List versions of an artifact, newest first.

    Example: xp artifact versions ARTIFACT
    """
    from server.resources.artifacts import rendering
    from storage.resources.artifacts import reading as artifacts

    with reading(data_dir) as database:
        who = everyone()
        found = list(
            every(lambda before: artifacts.versions(database, who, artifact, limit=limits.XP_ARTIFACTS, before=before))
        )
    if as_json:
        print_json([rendering.version(version) for version in found])
    else:
        print_table(COLUMNS, map(_row, found), right=("version", "bytes"))


def _row(version: "Version") -> tuple[object, ...]:
    return (
        version.number, version.title, version.size, version.change, version.label or "", version.author.name,
        short_time(version.created_at),
    )  # fmt: skip
