"""The reader pool: a few OS threads, each with a read-only connection of its own."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from peewee import SqliteDatabase

from actors.errors import ShuttingDown
from storage.database import ANY_FAILURE, DatabaseOptions, DatabaseProblem, is_storage_failure, open_reader, unavailable

logger = logging.getLogger("storage.readers")

P = ParamSpec("P")
T = TypeVar("T")


class Readers:
    def __init__(self, options: DatabaseOptions, size: int = 2) -> None:
        self._options = options
        self._local = threading.local()
        self._databases: list[SqliteDatabase] = []
        self._is_closed = False
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="reader")

    async def run(self, question: Callable[Concatenate[SqliteDatabase, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask on a reader's connection, in one read transaction: everything it reads is of one moment.

        Raises `StorageUnavailable` where the database cannot answer now, and what `question` raises.
        """
        loop = asyncio.get_running_loop()
        if self._is_closed:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        return await loop.run_in_executor(self._executor, lambda: self._ask(question, *args, **kwargs))

    def _ask(self, question: Callable[Concatenate[SqliteDatabase, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            database = self._database()
            with database.atomic("DEFERRED"):
                return question(database, *args, **kwargs)
        except DatabaseProblem as problem:  # its sentence names files, which are not for clients
            raise unavailable(problem.__cause__ or problem, "Nothing could be read") from problem
        except Exception as error:
            if not is_storage_failure(error):
                raise
            self._disconnect()
            raise unavailable(error, "Nothing could be read") from error

    def _disconnect(self) -> None:
        """The next question opens another one: this one may be left in a transaction, or never find its file again."""
        database: SqliteDatabase | None = getattr(self._local, "database", None)
        if database is None:
            return
        self._local.database = None
        with contextlib.suppress(ValueError):  # `close` has taken it already
            self._databases.remove(database)
        try:
            database.close()
        except ANY_FAILURE as error:
            logger.warning("a reader's connection could not be closed: %s", error)

    def _database(self) -> SqliteDatabase:
        database: SqliteDatabase | None = getattr(self._local, "database", None)
        if database is None:
            database = self._local.database = open_reader(self._options)
            self._databases.append(database)
        return database

    def close(self) -> None:
        self._is_closed = True
        self._executor.shutdown(wait=True)
        for database in self._databases:
            database.close()
        self._databases.clear()
