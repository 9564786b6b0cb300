"""The run queue of the event loop: turns of high and of low priority.

A round of the event loop runs all waiting turns of high priority, and those of low priority for a bounded time.
Delivery to a crowd has low priority: a thousand connections with a publication to write are a thousand turns and a
thousand writes to sockets, and every reply queued after them would wait for all of these.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from actors import limits
from actors.measures import Measures


class TakesTurns(Protocol):
    def turn(self) -> None:
        """May find an empty inbox: a turn of high priority may have come before one that was queued with low
        priority."""


class RunQueue:
    """Confined to its event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float] = time.perf_counter,
        measures: Measures | None = None,
    ) -> None:
        """`clock` in seconds."""
        self._measures = measures or Measures()
        self._rounds = 0
        self._loop = loop
        self._clock = clock
        self._high: deque[TakesTurns] = deque()
        self._low: deque[TakesTurns] = deque()
        self._low_since = 0.0
        """When turns of low priority last ran and left others waiting, or the first one was queued."""
        self._is_scheduled = False

    def put(self, actor: TakesTurns) -> None:
        self._high.append(actor)
        self._schedule()

    def put_low_priority(self, actor: TakesTurns) -> None:
        if not self._low:
            self._low_since = self._clock()
        self._low.append(actor)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        """Turns that these turns schedule run in the next round, after the sockets were read."""
        try:
            self._rounds += 1
            if self._rounds % limits.MEASURED_ROUNDS == 0:
                self._run_measured()
            for _ in range(len(self._high)):
                self._high.popleft().turn()
            if self._low:
                self._run_low()
        finally:  # should a turn raise, the others still run
            self._is_scheduled = False
            if self._high or self._low:
                self._schedule()

    def _run_measured(self) -> None:
        """The turns of high priority of this round, each with the time it takes."""
        began = last = self._clock()
        for _ in range(len(self._high)):
            actor = self._high.popleft()
            actor.turn()
            now = self._clock()
            self._measures.turn(type(actor).__name__, now - last)
            last = now
        self._measures.round_seconds.observe(last - began)

    def _run_low(self) -> None:
        began = self._clock()
        end = began + max(limits.LOW_PRIORITY_SECONDS, (began - self._low_since) * limits.LOW_PRIORITY_SHARE)
        for _ in range(len(self._low)):
            self._low.popleft().turn()
            if self._clock() >= end:
                break
        self._low_since = self._clock()
