"""Queries, each answered on a reader's connection, in one read transaction."""

from typing import TypeVar

import storage.resources
import storage.search
from actors.modules import import_all
from actors.queries import Lane, Query
from storage.database import DatabaseOptions
from storage.readers.answers import answer
from storage.readers.pool import Readers

T = TypeVar("T")

import_all(storage.resources)  # they name the queries that they answer
import_all(storage.search)


class SqliteReads:
    """Implements `actors.queries.Reads`."""

    def __init__(self, options: DatabaseOptions, *, budget: bool = True) -> None:
        """`budget`: whether each user has so much time of the readers, and no more."""
        self._lanes: dict[Lane, Readers] = {
            "pages": Readers(options, budget=budget),
            "search": Readers(options, budget=budget),
            "credentials": Readers(options, size=1),
        }

    async def ask(self, query: Query[T]) -> T:
        return await self._lanes[query.lane].run_for(query.owner, answer, query)

    def close(self) -> None:
        for readers in self._lanes.values():
            readers.close()
