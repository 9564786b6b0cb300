"""What `xp artifact` shows and exports: a version, with the data sets of its artifact, and what a PDF is made from."""

import asyncio
from typing import TYPE_CHECKING, Any

from cli.opening.database import everyone

if TYPE_CHECKING:
    from server.artifacts.exporting import Source
    from storage.database import Database


def source_of(database: "Database", artifact: str, number: int | None) -> "Source":
    """Raises `NotFound`."""
    from server.artifacts import sources
    from storage.readers.answers import answer

    async def ask(query: Any) -> Any:
        return answer(database, query)

    return asyncio.run(sources.source_of(ask, everyone(), artifact, number))
