"""`xp files show`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import data_dir_option, everyone, reading
from cli.opening.pages import every
from cli.terminal.console import json_option, print_facts, print_json, print_table, short_time, size

if TYPE_CHECKING:
    from actors.resources.files.file import File, FileVersion
    from storage.database import Database

VERSIONS = ("number", "size", "type", "scan", "previews", "author", "since", "sha256")


@click.command("show")
@click.argument("file_id", metavar="FILE_ID")
@data_dir_option
@json_option
def command(file_id: str, data_dir: str | None, as_json: bool) -> None:
    """Show a file, its versions, and the messages that show it.

    Example: xp files show FILE_ID
    """
    from server.api import render
    from storage.resources.files import reading as files
    from storage.resources.files import uses

    with reading(data_dir) as database:
        file = files.one(database, everyone(), file_id)
        versions = _versions(database, file_id)
        shown_by = uses.messages_of(database, file.key)
    if as_json:
        listed = [render.file_version(version, file.id) for version in versions]
        messages = [{"id": message, "thread_id": thread} for message, thread in shown_by]
        print_json({"file": render.file(file), "versions": listed, "messages": messages})
        return
    print_facts(_facts(file))
    click.echo(f"\nVersions: {len(versions) or 'none'}")
    if versions:
        print_table(VERSIONS, map(_row, versions), right=("number", "size", "previews"))
    click.echo(f"\nShown by messages: {len(shown_by) or 'none'}")
    if shown_by:
        print_table(("id", "thread"), shown_by)


def _versions(database: "Database", file_id: str) -> "list[FileVersion]":
    from storage.resources.files import reading as files

    return list(
        every(lambda before: files.versions(database, everyone(), file_id, limit=limits.XP_PAGE, before=before))
    )


def _facts(file: "File") -> Iterable[tuple[str, object]]:
    return (
        ("id", file.id),
        ("name", file.name),
        ("owner", f"{file.owner.name} ({file.owner.id})"),
        ("thread", file.thread_id or "none: only the owner and administrators see it"),
        ("status", file.status + (f": {file.reason}" if file.reason else "")),
        ("type", file.version.media_type if file.version else file.declared_type or "–"),
        ("metadata", file.metadata),
        ("revision", file.revision),
        ("since", short_time(file.created_at)),
        ("changed", short_time(file.updated_at)),
    )


def _row(version: "FileVersion") -> tuple[object, ...]:
    return (
        version.number, size(version.size), version.media_type, version.scan, len(version.previews),
        version.author.name, short_time(version.created_at), version.digest,
    )  # fmt: skip
