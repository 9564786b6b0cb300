"""The access watch: hears of everything that ends what somebody may do, whoever did it, and within half a second.

Whatever changes rights (this process, an administrator's command, another node) writes a row beside the change. There
is one way to hear of it, for all of them: to look at what has been added. A change of our own is looked at at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from actors import limits
from actors.accounts import AccessChange
from actors.errors import XpError

logger = logging.getLogger("actors.access")

ReadChanges = Callable[[int], Awaitable[Sequence[AccessChange]]]
"""Changes after a number, in order; not all of them where there are many."""


class AccessWatch:
    def __init__(self, *, newest: int, read: ReadChanges, tell: Callable[[AccessChange], None]) -> None:
        """`newest` is the number of the last change that what is in memory knows of already."""
        self._seen = newest
        self._read = read
        self._tell = tell
        self._woken = asyncio.Event()
        self._settling: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def look(self) -> None:
        """Something was just changed by us."""
        self._woken.set()

    async def settle(self) -> None:
        """Wait until what is committed by now has been told, or could not be read."""
        settled = asyncio.get_running_loop().create_future()
        self._settling.append(settled)
        self.look()
        await settled

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(limits.ACCESS_LOOK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            settling, self._settling = self._settling, []
            try:
                await self._take()
            except XpError as error:
                logger.warning("changes of access could not be read: %s", error)
            except Exception:
                logger.exception("changes of access could not be read")
            _release(settling)

    async def _take(self) -> None:
        while changes := await self._read(self._seen):
            for change in changes:
                self._seen = change.number
                self._tell(change)

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        _release(self._settling)


def _release(waiting: Sequence["asyncio.Future[None]"]) -> None:
    for settled in waiting:
        if not settled.done():
            settled.set_result(None)
