"""`xp du`: what takes the space."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings
from cli.opening.database import data_dir_option, options_of, reading
from cli.terminal.console import json_option, print_json, print_table, size
from cli.terminal.ending import interruptible

if TYPE_CHECKING:
    from storage.database import Database


@click.command("du")
@data_dir_option
@json_option
def command(data_dir: str | None, as_json: bool) -> None:
    """Show what takes the space: kinds of data, folders, and the largest threads.

    The bytes of a thread are those of its messages and its files. Files in S3 are counted as the database has them.

    Example: xp du
    """
    with interruptible(), reading(data_dir) as database:
        found = _found(database, options_of(data_dir).path, settings.load({"data_dir": data_dir})["data_dir"])
    if as_json:
        print_json(found)
        return
    print_table(("what", "size"), ((what, size(bytes_)) for what, bytes_ in found["space"].items()), right=("size",))
    columns = ("thread", "title", "messages", "their size", "files")
    rows = (
        (
            each["id"], f"{each['title']}{' (deleted)' if each['is_deleted'] else ''}", f"{each['messages']:,}",
            size(each["message_bytes"]), size(each["file_bytes"]),
        )
        for each in found["threads"]
    )  # fmt: skip
    print_table(columns, rows, right=columns[2:])


def _found(database: "Database", path: Path, folder: Path) -> dict[str, Any]:
    from storage.maintenance import inspection, space

    info = inspection.information(database, path)
    kinds = space.by_kind(database)
    in_database = {"database": info["size"]} if kinds is None else {f"database: {k}": n for k, n in kinds.items()}
    folders = {f"{name}/": space.folder_size(folder / name) for name in ("blobs", "exports", "backups")}
    shown = {
        **in_database, "database: free pages": info["free"], "write-ahead log": info["wal_size"], **folders,
        "all files, as the database has them": space.of_files(database),
    }  # fmt: skip
    return {"space": shown, "threads": space.largest_threads(database, limits.XP_LARGEST)}
