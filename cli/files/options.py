"""What commands about files have in common: flags that say where they are, and a library as the server has one."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli import settings
from cli.opening.database import Writer, reading
from cli.settings import Settings

if TYPE_CHECKING:
    from actors.blobs import BlobStore
    from actors.outcomes import Done
    from actors.queries import Query
    from server.files.library import Library

T = TypeVar("T")
STORE = ("data_dir", "blob_url", "aws_region")
"""Settings that say where records and bytes are."""

store_options: Callable[[Callable[..., Any]], Callable[..., Any]] = settings.options(*STORE)


@contextlib.contextmanager
def store_problems() -> Iterator[None]:
    """What goes wrong with the store is one sentence."""
    from actors.blobs import BlobError

    try:
        yield
    except BlobError as error:
        raise click.ClickException(str(error)) from None


def folder_of(chosen: Settings) -> str:
    """As `reading` and `writing` take it."""
    return str(chosen["data_dir"])


class LocalReads:
    """The server's way to read, at a terminal: each question of the database as it is then."""

    def __init__(self, data_dir: str) -> None:
        self._data_dir = data_dir

    async def ask(self, query: "Query[T]") -> T:
        from storage.readers.answers import answer

        with reading(self._data_dir) as database:
            return answer(database, query)


def library_of(chosen: Settings, writer: Writer, blobs: "BlobStore") -> "Library":
    """The server's own, on this command's connections: it holds the same rules."""
    import storage.readers.reads  # noqa: F401 - it knows which function answers
    from actors.outcomes import Done
    from cli.opening.files import UPLOADS, file_rules
    from server.files.library import Library

    async def write(command: Any) -> "Done[Any]":
        return Done(writer.do(command))

    folder = chosen["data_dir"] / UPLOADS
    folder.mkdir(mode=0o700, exist_ok=True)
    return Library(blobs, folder, LocalReads(folder_of(chosen)), write, file_rules(chosen))
