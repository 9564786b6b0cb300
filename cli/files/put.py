"""`xp files put`."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from cli import settings
from cli.files.options import STORE, folder_of, library_of, store_problems
from cli.opening.database import Writer, reading, writing
from cli.terminal.console import Progress, json_option, plain, print_json, progress_bar, size
from cli.threads import acting

if TYPE_CHECKING:
    from actors.auth.identity import Identity
    from actors.resources.files.file import File
    from actors.resources.files.uploads import Upload
    from cli.settings import Settings
    from server.files.library import Library
    from server.files.uploads.staging import Staged

RULES = ("file_bytes", "file_types", "file_types_blocked", "quota_user", "quota_thread", "quota_server", "scan_url")
"""Settings by which the server, too, refuses an upload or has it scanned."""


@click.command("put")
@click.argument("file")
@click.option("--name", default=None, help="Name for others.  [default: FILE's own]")
@click.option("--type", "media_type", default=None, metavar="TYPE", help="Media type; a hint, the content decides.")
@click.option("--thread", default=None, metavar="THREAD", help="Thread whose members see it.  [default: none]")
@click.option("--to", "file_id", default=None, metavar="FILE_ID", help="Upload a new version of this file.")
@click.option(
    "--as",
    "owner",
    default=None,
    metavar="USER",
    help="Id or e-mail address of the user who uploads it.  [default: System]",
)
@settings.options(*STORE, *RULES)
@json_option
def command(
    file: str, name: str | None, media_type: str | None, thread: str | None, file_id: str | None, owner: str | None,
    as_json: bool, **flags: str | None,
) -> None:  # fmt: skip
    """Upload a file, or a new version of one.

    The rules for uploads hold: size, types, quotas; the server asks the scanner. Members of the thread see the
    file within about a second. Without --as the owner is System, who becomes a member of the thread first.
    FILE - is stdin.

    Example: xp files put report.pdf --thread THREAD --as ana@rpotential.ai
    """
    chosen = settings.load(flags)
    asked = _checked(file, name, media_type, thread, file_id)
    with _opened(file) as content, writing(folder_of(chosen), _quotas(chosen)) as writer:
        identity, joins = _uploader(chosen, writer, asked, owner)
        with store_problems(), _member(writer, identity, joins), progress_bar("uploading") as progress:
            stored = _put(chosen, writer, identity, content, asked, progress)
        writer.note("create_file" if file_id is None else "update_file", "file", stored.id)
    _tell(stored, as_json)


def _checked(
    file: str, name: str | None, media_type: str | None, thread: str | None, file_id: str | None
) -> dict[str, Any]:
    """What the server's own request model makes of it."""
    from cli.terminal.checked_input import checked
    from server.resources.files.views import CreateFileRequest

    if file_id is not None and (thread is not None or name is not None):
        raise click.UsageError("--to keeps thread and name of the file; leave out --thread and --name.")
    if file == "-" and name is None and file_id is None:
        raise click.UsageError("stdin has no name: give the file one by --name.")
    request = checked(CreateFileRequest, name=name or Path(file).name, media_type=media_type, thread_id=thread)
    fresh = {"name": request.name, "thread_id": thread}
    return {"media_type": request.media_type, **(fresh if file_id is None else {"file_id": file_id})}


@contextlib.contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as content:
        yield content


def _quotas(chosen: "Settings") -> Any:
    from cli.opening.files import file_rules

    return file_rules(chosen).quotas


def _uploader(
    chosen: "Settings", writer: Writer, asked: dict[str, Any], owner: str | None
) -> "tuple[Identity, str | None]":
    """With the thread that it has to join, which only System does."""
    thread = asked.get("thread_id")
    with reading(folder_of(chosen)) as database:
        state = acting.open_thread(database, thread) if thread is not None else None
        if owner is not None:
            return acting.member(database, state, owner) if state else acting.active_user(database, owner), None
    identity = writer.system()
    return identity, thread if state is not None and identity.user.key not in state.roles else None


@contextlib.contextmanager
def _member(writer: Writer, identity: "Identity", thread: str | None) -> Iterator[None]:
    """Joins the thread, if any; where the upload fails, leaves it again."""
    from actors.errors import XpError
    from actors.resources.members import RemoveMember

    joined = thread is not None and acting.join(writer, identity, thread) is not None
    try:
        yield
    except BaseException:
        if thread is not None and joined:
            with contextlib.suppress(XpError):
                writer.do(RemoveMember(identity=identity, thread_id=thread, user_id=identity.user.id))
        raise


def _put(
    chosen: "Settings", writer: Writer, identity: "Identity", content: IO[bytes], asked: dict[str, Any],
    progress: Progress,
) -> "File":  # fmt: skip
    """Staged outside of any event loop, so that Ctrl-C ends it at once; then nothing of it is left."""
    from cli.opening.blobs import open_blobs

    library = library_of(chosen, writer, open_blobs(chosen))
    # Not a plain one: those that make their file along are forms, and end with the server that takes them in.
    upload = asyncio.run(library.begin(identity, kind="resumable", **asked))
    try:
        staged = _stage(library, upload, content, progress)
        return asyncio.run(_complete(library, identity, upload, staged))
    except BaseException:
        asyncio.run(library.abandon(identity, upload))
        (library.folder / upload.id).unlink(missing_ok=True)
        raise


async def _complete(library: "Library", identity: "Identity", upload: "Upload", staged: "Staged") -> "File":
    try:
        return await library.complete(identity, upload, staged)
    finally:
        await library.close()


def _stage(library: "Library", upload: "Upload", content: IO[bytes], progress: Progress) -> "Staged":
    """In a file of the data folder, as the server does it: a piece at a time, and no more than is allowed."""
    from actors import limits
    from actors.errors import TooLarge
    from server.files.uploads.staging import Staged, StagedFile

    staged = StagedFile(library.folder / upload.id)
    total = 0 if content is sys.stdin.buffer else os.fstat(content.fileno()).st_size
    try:
        while piece := content.read(limits.TRANSFER_PIECE_BYTES):
            if staged.size + len(piece) > library.limit:
                raise TooLarge("A file", library.limit, None)
            staged.append([piece])
            progress(staged.size, max(total, staged.size))
        staged.save()
        return Staged(staged.path, staged.size, staged.hash.hexdigest())
    finally:
        staged.close()


def _tell(file: "File", as_json: bool) -> None:
    from server.api import render

    if as_json:
        print_json(render.file(file))
        return
    assert file.version is not None
    waits = "; the server's scanner looks at it first" if file.status == "scanning" else ""
    click.echo(f"{plain(file.name)} is version {file.version.number} of {file.id} ({size(file.version.size)}){waits}.")
