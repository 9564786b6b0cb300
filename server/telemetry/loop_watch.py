"""How late the event loop runs its timers, and how long garbage collection holds everything."""

import asyncio
import gc
import time
from collections import Counter
from typing import Any

from actors import limits
from actors.measures import Histogram


class LoopWatch:
    """Runs from `start` to `stop`, on the event loop."""

    def __init__(self) -> None:
        self.lag_seconds = Histogram()
        self.collections: Counter[int] = Counter()
        """Generation → collections since the start."""
        self.collection_seconds = 0.0
        self._collection_began = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        gc.callbacks.append(self._collected)
        self._expect(asyncio.get_running_loop())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            gc.callbacks.remove(self._collected)

    def _expect(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + limits.LAG_SECONDS
        self._timer = loop.call_at(due, self._look, loop, due)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.lag_seconds.observe(max(0.0, time.monotonic() - due))
        self._expect(loop)

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._collection_began = time.perf_counter()
            return
        self.collections[info["generation"]] += 1
        self.collection_seconds += time.perf_counter() - self._collection_began
