"""What is looked at while bytes move: whether they still do, and whether they still may."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from actors import limits
from actors.errors import Internal, Malformed, ShuttingDown, XpError

logger = logging.getLogger("server.files")

Allowed = Callable[[], Awaitable[object]]
"""Raises the `XpError` for which a transfer must end."""
Moved = Callable[[], int]
"""Bytes so far."""
End = Callable[[XpError], None]


class Watch:
    """Looks at one transfer every TRANSFER_LOOK_SECONDS, and ends it for a reason."""

    def __init__(self, allowed: Allowed, moved: Moved, end: End, *, draining: Callable[[], bool]) -> None:
        self._allowed = allowed
        self._moved = moved
        self._end = end
        self._draining = draining

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        looking = asyncio.ensure_future(self._look())
        try:
            yield
        finally:
            looking.cancel()

    async def _look(self) -> None:
        try:
            await self._until_over()
        except XpError as reason:
            self._end(reason)
        except Exception:
            logger.exception("a transfer could not be looked at")
            self._end(Internal())

    async def _until_over(self) -> None:
        time = asyncio.get_running_loop().time
        seen, step_ends = self._moved(), time() + limits.TRANSFER_STEP_SECONDS
        while True:
            await asyncio.sleep(limits.TRANSFER_LOOK_SECONDS)
            if self._draining():
                raise ShuttingDown("The server is shutting down; go on with the transfer in a moment.")
            await self._allowed()
            if self._moved() - seen >= limits.TRANSFER_STEP_BYTES:
                seen, step_ends = self._moved(), time() + limits.TRANSFER_STEP_SECONDS
            elif time() >= step_ends:
                raise Malformed(
                    f"Less than {limits.TRANSFER_STEP_BYTES} bytes in {limits.TRANSFER_STEP_SECONDS:g} s: "
                    "the transfer was ended. Go on with it over a better line."
                )
