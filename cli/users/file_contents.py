"""The files of a user, with their bytes, for an export."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actors import limits
from cli.opening.database import everyone
from cli.opening.pages import every
from cli.settings import Settings
from cli.terminal.written_files import must_be_free, written

if TYPE_CHECKING:
    from actors.blobs import BlobStore
    from actors.resources.files.file import File, FileVersion
    from actors.resources.users import User
    from storage.database import Database


def owned_by(database: "Database", user: "User") -> "Iterator[File]":
    """The oldest first."""
    from storage.resources.files import reading as files

    found = every(lambda after: files.files_of(database, user.id, limit=limits.XP_PAGE, after=after))
    return (owned.file for owned in found)


def write(chosen: Settings, database: "Database", user: "User", folder: Path) -> None:
    """`DIR/<id of the file>/<number> <name>`, a long name cut. What is in quarantine is left out, and said."""
    from cli.opening.blobs import open_blobs

    asyncio.run(_write(open_blobs(chosen), database, user, folder))


async def _write(store: "BlobStore", database: "Database", user: "User", folder: Path) -> None:
    from server.files.names import shortened

    try:
        for file in owned_by(database, user):
            for version in _versions(database, file):
                if version.scan == "found":
                    click.echo(f"{file.id}: version {version.number} is in quarantine, and left out.", err=True)
                else:
                    name = shortened(f"{version.number} {file.name}", limits.XP_NAME_BYTES)
                    await _write_version(store, version, folder / file.id / name)
    finally:
        await store.close()


def _versions(database: "Database", file: "File") -> "Iterator[FileVersion]":
    from storage.resources.files import reading as files

    return every(lambda before: files.versions(database, everyone(), file.id, limit=limits.XP_PAGE, before=before))


async def _write_version(store: "BlobStore", version: "FileVersion", path: Path) -> None:
    _make_folder(path)
    must_be_free(path, force=True)
    with written(str(path), force=True) as out:
        async with contextlib.aclosing(store.open(version.digest)) as pieces:
            async for piece in pieces:
                out.write(piece)


def _make_folder(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
