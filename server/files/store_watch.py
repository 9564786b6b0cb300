"""Whether the store of files works: looked at now and then, so that nobody who asks has to wait for it."""

import asyncio
import logging

from actors import limits
from actors.blobs import BlobError
from server.files.library import Library

logger = logging.getLogger("server.files")


class StoreWatch:
    def __init__(self, library: Library, *, every_seconds: float = limits.STORE_LOOK_SECONDS) -> None:
        self._library = library
        self._every_seconds = every_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await asyncio.sleep(min(1.0, self._every_seconds))  # after the server has begun to answer
        while True:
            await self.look()
            await asyncio.sleep(self._every_seconds)

    async def look(self) -> None:
        """Writes, reads and deletes a probe. What the store says is for the log: it may name places and keys."""
        try:
            async with asyncio.timeout(limits.STORE_ANSWER_SECONDS):
                await self._library.blobs.check()
        except (BlobError, OSError) as error:
            self._failed(str(error))
        except TimeoutError:
            self._failed(f"no answer in {limits.STORE_ANSWER_SECONDS:g} s")
        else:
            if self._library.store_failure is not None:
                logger.info("the store of files works again")
            self._library.store_failure = None

    def _failed(self, reason: str) -> None:
        if self._library.store_failure is None:
            logger.error("the store of files cannot be used: %s", reason)
        self._library.store_failure = "Files can be neither stored nor read now; the log says why."
