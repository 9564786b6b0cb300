"""The reader pool: a few OS threads, each with a read-only connection of its own, and fair turns between who asks."""

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from peewee import SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.errors import ShuttingDown, TooManyRequests
from storage.database import ANY_FAILURE, DatabaseOptions, DatabaseProblem, is_storage_failure, open_reader, unavailable
from storage.readers.fair_turns import Owner, Turns

logger = logging.getLogger("storage.readers")

P = ParamSpec("P")
T = TypeVar("T")


class Readers:
    def __init__(self, options: DatabaseOptions, size: int = 2, *, budget: bool = True) -> None:
        """`budget`: whether a user may use up their reading time."""
        self._options = options
        self._local = threading.local()
        self._databases: list[SqliteDatabase] = []
        self._is_closed = False
        self._executor = ThreadPoolExecutor(size, thread_name_prefix="reader")
        self._turns = Turns(size, clock=time.monotonic, budget=budget)
        self._timer: asyncio.TimerHandle | None = None

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
        if self._is_closed:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        turn = _Turn(self, owner, lambda: self._ask(question, *args, **kwargs))
        return await turn.taken()  # type: ignore[no-any-return]

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

    def rest(self) -> None:
        """Go on once who has used up their reading time has some again."""
        seconds = self._turns.rest()
        if seconds is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._timer = None
        self._turns.go_on()
        self.rest()

    def close(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._turns.stop()
        self._executor.shutdown(wait=True)
        for database in self._databases:
            database.close()
        self._databases.clear()


class _Turn:
    """One read, from when it is asked for until its OS thread is done with it, also where its asker has gone."""

    __slots__ = ("_answer", "_has_started", "_loop", "_owner", "_readers", "_seconds", "_timer", "_was_heavy", "_work")

    def __init__(self, readers: Readers, owner: Owner, work: Callable[[], Any]) -> None:
        self._readers = readers
        self._owner = owner
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Any] = self._loop.create_future()
        self._has_started = False
        self._seconds = 0.0
        self._was_heavy = False
        self._timer: asyncio.TimerHandle | None = None

    async def taken(self) -> Any:
        if not self._readers._turns.enter(self._owner, self._start):
            raise _too_many(f"{limits.READS_WAITING} of your reads are waiting already")
        if not self._has_started:
            self._timer = self._loop.call_later(limits.READ_WAIT_SECONDS, self._is_late)
            self._readers.rest()
        try:
            return await self._answer
        finally:
            if not self._has_started:
                self._readers._turns.leave(self._owner, self._start)
            if self._timer is not None:
                self._timer.cancel()

    def _start(self, is_heavy: bool) -> None:
        self._has_started, self._was_heavy = True, is_heavy
        job = self._loop.run_in_executor(self._readers._executor, self._timed)
        job.add_done_callback(self._done)

    def _timed(self) -> Any:
        """What it takes of its OS thread, not what it waits for others."""
        began = time.thread_time()
        try:
            return self._work()
        finally:
            self._seconds = time.thread_time() - began

    def _done(self, job: "asyncio.Future[Any]") -> None:
        error = asyncio.CancelledError() if job.cancelled() else job.exception()
        if not self._answer.done():
            if error is not None:
                self._answer.set_exception(error)
            else:
                self._answer.set_result(job.result())
        self._readers._turns.done(self._owner, self._seconds, was_heavy=self._was_heavy)
        self._readers.rest()

    def _is_late(self) -> None:
        if not self._has_started and not self._answer.done():
            self._answer.set_exception(_too_many(f"this read has waited {limits.READ_WAIT_SECONDS:g} s for its turn"))


def _too_many(what: str) -> TooManyRequests:
    pace = f"{limits.READ_SECONDS_PER_SECOND:g} s of reading a second"
    return TooManyRequests(
        f"Each user has {pace}, and {what}; ask for less at once.", retry_after=math.ceil(limits.READ_WAIT_SECONDS / 2)
    )
