"""The follower: notices events that other processes have written into the log, so that live threads publish them.

Another process (an administrator's command, another node) may commit between our own transactions. Positions have no
gaps, so a batch of ours that does not start right after the last position seen shows it; and while no commit of ours is
in flight, a query of the head once a second shows it too.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from actors import limits
from actors.events import Event
from actors.runtime.periodic import Periodic

logger = logging.getLogger("actors.follower")

ReadHead = Callable[[], Awaitable[tuple[str, int]]]
"""Answers (epoch, newest position)."""
ReadRange = Callable[[int, int], Awaitable[Sequence[Event]]]
"""(after, up to) → events of live threads in that range of positions, in order."""


class Follower:
    def __init__(
        self,
        *,
        read_head: ReadHead,
        read_range: ReadRange,
        is_busy: Callable[[], bool],
        publish: Callable[[Sequence[Event]], None],
    ) -> None:
        """`is_busy`: whether commits of ours are in flight, which will show it themselves."""
        self._read_head = read_head
        self._read_range = read_range
        self._is_busy = is_busy
        self._publish = publish
        self._seen = 0
        self._periodic = Periodic(
            self._look, every_seconds=limits.FOLLOW_SECONDS, first_seconds=limits.FOLLOW_SECONDS, logger=logger,
            name="following the log",
        )  # fmt: skip
        self._gaps: list[tuple[int, int]] = []

    async def start(self) -> None:
        """Start after the current head. Raises `StorageUnavailable`."""
        _, self._seen = await self._read_head()
        self._periodic.start()

    def committed(self, first: int, last: int) -> bool:
        """A transaction of ours took these positions. Answers whether its events may be published at once.

        Otherwise events of another process come before it, and the follower publishes both in order: a stream over many
        threads goes by position, and would drop late events with lower positions as repeats.
        """
        in_order = first <= self._seen + 1 and not self._gaps
        if not in_order:
            self._gaps.append((self._seen, last))
            self._periodic.wake()
        self._seen = max(self._seen, last)
        return in_order

    async def _look(self) -> None:
        if not self._gaps and not self._is_busy():
            _, head = await self._read_head()
            if head > self._seen and not self._is_busy():
                self._gaps.append((self._seen, head))
                self._seen = head
        while self._gaps:
            after, up_to = self._gaps[0]
            while after < up_to:
                step = min(after + limits.FOLLOW_POSITIONS, up_to)
                self._publish(await self._read_range(after, step))
                after = step
                self._gaps[0] = (after, up_to)
            self._gaps.pop(0)

    def stop(self) -> None:
        self._periodic.cancel()
