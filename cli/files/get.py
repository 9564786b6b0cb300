"""`xp files get`."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from actors import limits
from cli import settings
from cli.files.options import folder_of, store_options, store_problems
from cli.opening.database import everyone, reading, writing
from cli.terminal.console import Progress, plain, progress_bar, size
from cli.terminal.numbers import Number
from cli.terminal.written_files import PRIVATE, force_option, must_be_free

if TYPE_CHECKING:
    from actors.blobs import BlobStore
    from cli.settings import Settings


@click.command("get")
@click.argument("file_id", metavar="FILE_ID")
@click.argument("file")
@click.option("--version", type=Number(1), default=None, metavar="N", help="An older version.")
@click.option("--preview", default=None, metavar="NAME", help="One of its previews instead: small, page-1, text …")
@click.option("--quarantined", is_flag=True, help="Also what the scanner found something in, or has not looked at.")
@force_option
@store_options
def command(
    file_id: str, file: str, version: int | None, preview: str | None, quarantined: bool, force: bool,
    **flags: str | None,
) -> None:  # fmt: skip
    """Write the content of a file to FILE, or to stdout: FILE -.

    Run it again after an interruption: it goes on where it ended. The hash is verified at the end, and only then the
    content appears under its name.

    Example: xp files get FILE_ID report.pdf
    """
    chosen = settings.load(flags)
    digest, count = _wanted(chosen, file_id, version, preview, quarantined=quarantined)
    if file != "-":
        must_be_free(Path(file), force=force)
    with writing(folder_of(chosen)) as writer:
        writer.note("read_file", "file", file_id)
    with store_problems(), progress_bar("reading") as progress:
        if file == "-":
            asyncio.run(_to_stdout(_store(chosen), digest))
        else:
            asyncio.run(_to_file(_store(chosen), digest, count, Path(file), progress))
            click.echo(f"Wrote {plain(file)} ({size(count)}).", err=True)


def _store(chosen: "Settings") -> "BlobStore":
    from cli.opening.blobs import open_blobs

    return open_blobs(chosen)


def _wanted(
    chosen: "Settings", file_id: str, number: int | None, preview: str | None, *, quarantined: bool
) -> tuple[str, int]:
    """Digest and bytes. Raises what a reader of the server would get, unless it is to be read in quarantine, too."""
    from actors.errors import NotFound
    from actors.resources.files.rules import unreadable
    from server.files.content import unreadable_version
    from storage.resources.files import reading as files

    with reading(folder_of(chosen)) as database:
        file = files.one(database, everyone(), file_id)
        found, refusal = file.version, unreadable(file)
        if number is not None:
            found = files.version(database, everyone(), file_id, number)[1]
            refusal = unreadable_version(found, closed=True)
    if refusal is not None and not (quarantined and found is not None):
        raise refusal
    assert found is not None
    if preview is None:
        return found.digest, found.size
    shown = next((each for each in found.previews if each.name == preview), None)
    if shown is None:
        have = ", ".join(each.name for each in found.previews) or "none"
        raise NotFound(f"preview ({have}) of this version by the name", preview)
    return shown.digest, shown.size


async def _to_stdout(store: "BlobStore", digest: str) -> None:
    hasher = hashlib.sha256()
    try:
        async with contextlib.aclosing(store.open(digest)) as pieces:
            async for piece in pieces:
                hasher.update(piece)
                sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        _must_be(digest, hasher)
    finally:
        await store.close()


async def _to_file(store: "BlobStore", digest: str, count: int, path: Path, progress: Progress) -> None:
    """What was written of the same content before is kept, and hashed again."""
    partial = path.with_name(f".{path.name}.{digest[:16]}.partial")
    try:
        with _taken(partial) as file:
            hasher = _hash_of(file)
            start = file.tell()
            if start < count:
                async with contextlib.aclosing(store.open(digest, start)) as pieces:
                    async for piece in pieces:
                        hasher.update(piece)
                        file.write(piece)
                        progress(file.tell(), count)
            file.flush()
            os.fsync(file.fileno())
            if hasher.hexdigest() != digest:
                partial.unlink()
            _must_be(digest, hasher)
            os.replace(partial, path)
    finally:
        await store.close()


@contextlib.contextmanager
def _taken(partial: Path) -> Iterator[IO[bytes]]:
    """By this command alone."""
    with open(os.open(partial, os.O_RDWR | os.O_CREAT, PRIVATE), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(f"{partial}: another command is writing it.") from None
        yield file


def _hash_of(file: IO[bytes]) -> Any:
    hasher = hashlib.sha256()
    while piece := file.read(limits.XP_PIECE_BYTES):
        hasher.update(piece)
    return hasher


def _must_be(digest: str, hasher: Any) -> None:
    from actors.blobs import BlobDamaged

    if hasher.hexdigest() != digest:
        raise BlobDamaged(digest, hasher.hexdigest())
