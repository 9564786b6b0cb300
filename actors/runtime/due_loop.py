"""A loop that takes what is due from the database, and works on many items of it at once.

It looks when something was committed, when an item ended, and every while, because other processes write too. All that
is due stands in the database: what an ended process had begun and not recorded is due again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

from actors import limits
from actors.errors import XpError

Key = TypeVar("Key")


class DueLoop(Generic[Key]):
    """Confined to the event loop. `Key`: of an item, which is worked on once at a time."""

    def __init__(
        self, look: Callable[[], Awaitable[bool]], count: Callable[[], Awaitable[None]], *, at_once: int,
        commits: Callable[[], int], logger: logging.Logger,
    ) -> None:  # fmt: skip
        """`look` begins what is due, and answers whether to look again at once. `count` is called seldom, for metrics.
        `commits`: a number that changes with each transaction of this process."""
        self._look = look
        self._count = count
        self._at_once = at_once
        self._commits = commits
        self._logger = logger
        self._items: dict[Key, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._is_stopping = False
        self._counted_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Items on their way have a moment to be recorded; no other is begun."""
        self._is_stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._items:
            await asyncio.wait(list(self._items.values()), timeout=limits.DUE_STOP_SECONDS)
        left = list(self._items.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def items(self) -> Collection[Key]:
        """Those on their way."""
        return self._items

    @property
    def has_room(self) -> bool:
        """Whether another item may begin."""
        return not self._is_stopping and len(self._items) < self._at_once

    def begin(self, key: Key, work: Callable[[], Awaitable[None]], ended: Callable[[], None]) -> None:
        """`ended` is called once the item is no longer among `items`."""
        task = asyncio.get_running_loop().create_task(self._work(key, work))
        self._items[key] = task

        def done(_: object) -> None:
            del self._items[key]
            ended()

        task.add_done_callback(done)

    def look_soon(self) -> None:
        self._news.set()

    async def _work(self, key: Key, work: Callable[[], Awaitable[None]]) -> None:
        """One that fails is due again after a rest."""
        try:
            await work()
        except XpError as error:
            self._logger.warning("%s is tried again: %s", key, error)
            await asyncio.sleep(limits.DUE_REST_SECONDS)
        except Exception:
            self._logger.exception("%s is tried again", key)
            await asyncio.sleep(limits.DUE_REST_SECONDS)

    async def _run(self) -> None:
        while True:
            seen = self._commits()
            self._news.clear()
            if not await self._looked():
                await self._wait(seen)

    async def _looked(self) -> bool:
        """Whether to look again at once."""
        try:
            again = await self._look()
            await self._count_at_times()
        except XpError as error:
            self._logger.warning("what is due waits: %s", error)
            await asyncio.sleep(limits.DUE_REST_SECONDS)
        except Exception:
            self._logger.exception("what is due could not be read")
            await asyncio.sleep(limits.DUE_REST_SECONDS)
        else:
            return again
        return True

    async def _wait(self, seen: int) -> None:
        """Until something was committed, an item has ended, or a while has passed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + limits.DUE_REST_SECONDS
        while loop.time() < until:
            with contextlib.suppress(TimeoutError):
                # `wait_for` of Python 3.11 loses a cancellation that comes together with the event.
                async with asyncio.timeout(limits.DUE_LOOK_SECONDS):
                    await self._news.wait()
                return
            if self._commits() != seen:
                return

    async def _count_at_times(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._counted_at >= limits.DUE_COUNT_SECONDS:
            self._counted_at = now
            await self._count()
