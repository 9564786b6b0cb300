"""Files with bytes, for tests that are about something else than how bytes come."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from actors.identifiers import new_id
from actors.resources.files.file import File
from actors.resources.files.processing import ListDuePreviews
from tests.builders import until_asked
from tests.serving import Server


@dataclass(frozen=True)
class LocalFile:
    path: Path
    size: int
    sha256: str


def local_file(folder: Path, content: bytes) -> LocalFile:
    path = folder / new_id()
    path.write_bytes(content)
    return LocalFile(path, len(content), hashlib.sha256(content).hexdigest())


async def stored_file(
    server: Server, owner_id: str, thread_id: str | None = None, content: bytes = b"Hello, file",
    name: str = "notes.txt", file_id: str | None = None,
) -> File:  # fmt: skip
    """A file of the owner's, or another version of it, whose bytes are in the store."""
    library = server.services.files
    identity = await library.as_user(owner_id)
    new = {"name": name, "thread_id": thread_id} if file_id is None else {}
    upload = await library.begin(identity, kind="plain", length=len(content), file_id=file_id, **new)  # type: ignore[arg-type]
    return await library.complete(identity, upload, local_file(library.folder, content))


async def until_previewed(server: Server, seconds: float = 120.0) -> None:
    """Until no preview is due any more."""

    async def is_done() -> bool:
        return not await server.services.ask(ListDuePreviews(100))

    await until_asked(is_done, seconds)
