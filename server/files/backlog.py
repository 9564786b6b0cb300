"""Versions that are due for one kind of work: a few at a time, and one that takes long holds up no other."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from actors import limits
from actors.blobs import BlobError
from actors.errors import XpError
from actors.resources.files.processing import Behind, Due

logger = logging.getLogger("server.files")

Version = tuple[str, int]
"""(file id, number)."""


class Later(Exception):
    """A version that is tried again after so many seconds."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


def version_of(one: Due) -> Version:
    return one.file_id, one.number


class Backlog:
    """What is due stands in the database. Confined to the event loop."""

    def __init__(
        self, due: Callable[[Behind], Awaitable[tuple[Due, ...]]], work: Callable[[Due], Awaitable[None]]
    ) -> None:
        """`due`: a page of them, of FILES_DUE."""
        self._due = due
        self._work = work
        self._news = asyncio.Event()
        self._running: dict[Version, asyncio.Task[None]] = {}
        self._not_before: dict[Version, float] = {}

    def announce(self) -> None:
        """Something may be due."""
        self._news.set()

    async def run(self) -> None:
        """Until it is cancelled, and with it all that is worked on."""
        try:
            while True:
                self._news.clear()
                await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):  # `wait_for` of 3.11 can lose a cancellation
                        await self._news.wait()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _look(self) -> None:
        try:
            await self._begin_due()
        except XpError as error:
            logger.warning("files wait to be scanned and shown: %s", error)
        except Exception:
            logger.exception("files could not be scanned and shown")

    async def _begin_due(self) -> None:
        """As many as may run; the first pages may be full of those that are tried again later."""
        after: Behind = (0, 0)
        while len(self._running) < limits.FILES_PROCESSED_AT_ONCE:
            page = await self._due(after)
            self._begin(page)
            if len(page) < limits.FILES_DUE:
                return
            after = page[-1].file_key, page[-1].number

    def _begin(self, due: tuple[Due, ...]) -> None:
        loop = asyncio.get_running_loop()
        ready = (one for one in due if version_of(one) not in self._running)
        for one in ready:
            if len(self._running) >= limits.FILES_PROCESSED_AT_ONCE:
                return
            version = version_of(one)
            if self._not_before.get(version, 0.0) <= loop.time():
                self._not_before.pop(version, None)
                self._running[version] = loop.create_task(self._one(one))

    async def _one(self, one: Due) -> None:
        try:
            await self._work(one)
        except Later as later:
            self._put_off(one, later.seconds, str(later))
        except (XpError, BlobError, OSError) as error:
            self._put_off(one, limits.FILES_LOOK_SECONDS, str(error))
        except Exception:
            logger.exception("file %s could not be scanned or shown", one.file_id)
            self._put_off(one, limits.FILES_LOOK_SECONDS, "an unexpected error")
        finally:
            del self._running[version_of(one)]
            self._news.set()

    def _put_off(self, one: Due, seconds: float, reason: str) -> None:
        logger.warning("file %s is tried again in %g s: %s", one.file_id, seconds, reason)
        self._not_before[version_of(one)] = asyncio.get_running_loop().time() + seconds

    def _pause(self) -> float:
        """What is past its time and was not begun has gone, or begins when another one ends."""
        now = asyncio.get_running_loop().time()
        self._not_before = {version: at for version, at in self._not_before.items() if at > now}
        return min([limits.FILES_LOOK_SECONDS, *(at - now for at in self._not_before.values())])
