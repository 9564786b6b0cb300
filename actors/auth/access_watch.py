"""The access watch: notices every revocation, by any process, within half a second.

Whatever changes rights (this process, an administrator's command, another node) writes a row beside the change. There
is one way to hear of it, for all of them: to look at what has been added. A change of our own is looked at at once.

Each look goes through all connections and all tokens that are known, 5 ms for ten thousand of each: what has changed
meanwhile is announced together, and a rest between two looks keeps a thousand changes from delaying messages.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from actors import limits
from actors.auth.access_changes import AccessChange
from actors.runtime.periodic import Periodic

logger = logging.getLogger("actors.access")

ReadChanges = Callable[[int], Awaitable[Sequence[AccessChange]]]
"""Changes after a number, in order; not all of them where there are many."""


class AccessWatch:
    def __init__(self, *, newest: int, read: ReadChanges, tell: Callable[[Sequence[AccessChange]], None]) -> None:
        """`newest` is the number of the last change that what is in memory knows of already; `tell` gets what came
        after it, in order."""
        self._seen = newest
        self._read = read
        self._tell = tell
        self._settling: list[asyncio.Future[None]] = []
        self._periodic = Periodic(
            self._look, every_seconds=limits.ACCESS_LOOK_SECONDS, first_seconds=limits.ACCESS_LOOK_SECONDS,
            logger=logger, name="reading changes of access",
        )  # fmt: skip

    def start(self) -> None:
        self._periodic.start()

    def look(self) -> None:
        """This process has just committed a change."""
        self._periodic.wake()

    async def settle(self) -> None:
        """Wait until all committed changes have been delivered, or could not be read."""
        if not self._periodic.is_running:
            return  # no changes are delivered before the start and after the end
        settled = asyncio.get_running_loop().create_future()
        self._settling.append(settled)
        self.look()
        await settled

    async def _look(self) -> None:
        settling, self._settling = self._settling, []
        try:
            spent = await self._take()
        finally:  # also when all stops
            _release(settling)
        await _rest(spent)

    async def _take(self) -> float:
        """Answers how many seconds the last of it took others."""
        spent = 0.0
        while changes := await self._read(self._seen):
            await _rest(spent)
            self._seen = changes[-1].number
            began = time.perf_counter()
            self._tell(changes)
            spent = time.perf_counter() - began
        return spent

    def stop(self) -> None:
        self._periodic.cancel()
        _release(self._settling)


async def _rest(spent: float) -> None:
    await asyncio.sleep(min(spent * limits.ACCESS_REST, limits.ACCESS_LOOK_SECONDS))


def _release(waiting: Sequence["asyncio.Future[None]"]) -> None:
    for settled in waiting:
        if not settled.done():
            settled.set_result(None)
