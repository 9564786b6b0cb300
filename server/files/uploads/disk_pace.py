"""Who goes first on one disk: while messages are committed, uploads leave it half of the time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from actors import limits


class DiskPace:
    """Of all uploads together. Confined to the event loop.

    A commit waits behind everything that the disk has been given before it. So while commits are frequent there is one
    piece of one upload at a time, synced before the next; then the disk is left alone for as long as that took.
    """

    def __init__(self, commits: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        """`commits`: how many there have been."""
        self._commits = commits
        self._clock = clock
        self._one = asyncio.Lock()
        self._looked_at = self._clock()
        self._commits_then = commits()
        self._is_needed = False

    def is_needed(self) -> bool:
        """Whether commits have been frequent of late."""
        passed = self._clock() - self._looked_at
        if passed >= limits.COMMITS_LOOK_SECONDS:
            commits = self._commits()
            self._is_needed = commits - self._commits_then >= limits.FREQUENT_COMMITS * passed
            self._commits_then = commits
            self._looked_at += passed
        return self._is_needed

    async def run(self, write: Callable[[], Awaitable[None]]) -> None:
        """In its turn. `write` puts one piece on the disk, durably; its errors are raised."""
        await self._one.acquire()
        began = self._clock()
        try:
            await write()
        finally:
            rest = min(self._clock() - began, limits.DISK_REST_SECONDS)
            asyncio.get_running_loop().call_later(rest, self._one.release)
