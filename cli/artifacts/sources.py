"""What `xp artifact` shows and exports: a version, with the data sets of its artifact, and what a PDF is made from."""

import asyncio
from typing import TYPE_CHECKING, Any

from cli.opening.database import everyone

if TYPE_CHECKING:
    from cli.settings import Settings
    from server.artifacts.exporting import Source
    from server.artifacts.sources import Ask
    from storage.database import Database


def source_of(database: "Database", artifact: str, number: int | None) -> "Source":
    """Raises `NotFound`."""
    from server.artifacts import sources

    return asyncio.run(sources.source_of(_ask_of(database), everyone(), artifact, number))


def with_images(chosen: "Settings", database: "Database", source: "Source") -> "Source":
    """With the files that its figures show."""
    return asyncio.run(_with_images(chosen, database, source))


async def _with_images(chosen: "Settings", database: "Database", source: "Source") -> "Source":
    from cli.opening.blobs import open_blobs
    from server.artifacts import figures
    from server.artifacts.printing import alone

    store = open_blobs(chosen)
    try:
        return await figures.with_images(_ask_of(database), store, everyone(), source, alone)
    finally:
        await store.close()


def _ask_of(database: "Database") -> "Ask":
    from storage.readers.answers import answer

    async def ask(query: Any) -> Any:
        return answer(database, query)

    return ask
