"""The reader pool: a few OS threads, each with a read-only connection of its own, and fair turns between who asks."""

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.runtime.fair_pool import FairPool, Words
from actors.runtime.fair_turns import Owner
from storage.database import ANY_FAILURE, DatabaseOptions, DatabaseProblem, is_storage_failure, open_reader, unavailable

logger = logging.getLogger("storage.readers")

P = ParamSpec("P")
T = TypeVar("T")
WORDS: Final = Words("reading", "read", "reads")


class Readers:
    def __init__(self, options: DatabaseOptions, size: int = 2, *, budget: bool = True) -> None:
        """`budget`: whether a user may use up their reading time."""
        self._options = options
        self._local = threading.local()
        self._databases: list[SqliteDatabase] = []
        self._pool = FairPool(size, "reader", WORDS, budget=budget)

    async def run(self, question: Callable[Concatenate[SqliteDatabase, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask on a reader's connection, in one read transaction: everything it reads is of one moment. Whoever asks by
        an identity, the first argument, has turns of their own; all else is the server's.

        Raises `TooManyRequests` where the same user has too many reads waiting, or they wait too long;
        `StorageUnavailable` where the database cannot answer now; and what `question` raises.
        """
        owner = args[0].user.key if args and isinstance(args[0], Identity) else None
        return await self.run_for(owner, question, *args, **kwargs)

    async def run_for(
        self,
        owner: Owner,
        question: Callable[Concatenate[SqliteDatabase, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same, in the turns of another owner."""
        return await self._pool.run(owner, lambda: self._ask(question, *args, **kwargs))

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
        self._pool.close()
        for database in self._databases:
            database.close()
        self._databases.clear()
