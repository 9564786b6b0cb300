"""A few OS threads for work that would hold the event loop up, in fair turns between users."""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from actors import limits
from actors.errors import ShuttingDown, TooManyRequests
from actors.runtime.fair_turns import Owner, Turns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Words:
    """For refusals: "each user has 0.5 s of *reading* a second, and 512 of your *reads* are waiting"."""

    doing: str
    one: str
    many: str


class FairPool:
    """Confined to the event loop."""

    def __init__(self, size: int, name: str, words: Words, *, budget: bool = True) -> None:
        """`budget`: whether a user may use up their time."""
        self._words = words
        self._is_closed = False
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._turns = Turns(size, clock=time.monotonic, budget=budget)
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, owner: Owner, work: Callable[[], T]) -> T:
        """In the turns of `owner`: a user's key; None: the server itself, which goes first.

        Raises `TooManyRequests` where too much of the same owner waits already, or this waits too long, and what `work`
        raises.
        """
        if self._is_closed:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        return await _Turn(self, owner, work).taken()

    def too_many(self, what: str) -> TooManyRequests:
        pace = f"{limits.READ_SECONDS_PER_SECOND:g} s of {self._words.doing} a second"
        wait = math.ceil(limits.READ_WAIT_SECONDS / 2)
        return TooManyRequests(f"Each user has {pace}, and {what}; ask for less at once.", retry_after=wait)

    def rest(self) -> None:
        """Go on once who has used up their time has some again."""
        seconds = self._turns.rest()
        if seconds is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._rested)

    def _rested(self) -> None:
        self._timer = None
        self._turns.go_on()
        self.rest()

    def close(self) -> None:
        """What runs is waited for; nothing starts any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._turns.stop()
        self._executor.shutdown(wait=True)


class _Turn(Generic[T]):
    """One piece of work, from when it is asked for until its OS thread is done, also where its asker has gone."""

    __slots__ = ("_answer", "_has_started", "_loop", "_owner", "_pool", "_seconds", "_timer", "_was_heavy", "_work")

    def __init__(self, pool: FairPool, owner: Owner, work: Callable[[], T]) -> None:
        self._pool = pool
        self._owner = owner
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[T] = self._loop.create_future()
        self._has_started = False
        self._seconds = 0.0
        self._was_heavy = False
        self._timer: asyncio.TimerHandle | None = None

    async def taken(self) -> T:
        if not self._pool._turns.enter(self._owner, self._start):
            raise self._pool.too_many(f"{limits.READS_WAITING} of your {self._pool._words.many} are waiting already")
        if not self._has_started:
            self._timer = self._loop.call_later(limits.READ_WAIT_SECONDS, self._is_late)
            self._pool.rest()
        try:
            return await self._answer
        finally:
            if not self._has_started:
                self._pool._turns.leave(self._owner, self._start)
            if self._timer is not None:
                self._timer.cancel()

    def _start(self, is_heavy: bool) -> None:
        self._has_started, self._was_heavy = True, is_heavy
        job = self._loop.run_in_executor(self._pool._executor, self._timed)
        job.add_done_callback(self._done)

    def _timed(self) -> T:
        """What it takes of its OS thread, not what it waits for others."""
        began = time.thread_time()
        try:
            return self._work()
        finally:
            self._seconds = time.thread_time() - began

    def _done(self, job: "asyncio.Future[T]") -> None:
        error = asyncio.CancelledError() if job.cancelled() else job.exception()
        if not self._answer.done():
            if error is not None:
                self._answer.set_exception(error)
            else:
                self._answer.set_result(job.result())
        self._pool._turns.done(self._owner, self._seconds, was_heavy=self._was_heavy)
        self._pool.rest()

    def _is_late(self) -> None:
        if not self._has_started and not self._answer.done():
            words = self._pool._words
            late = f"this {words.one} has waited {limits.READ_WAIT_SECONDS:g} s for its turn"
            self._answer.set_exception(self._pool.too_many(late))
