"""Log lines that a stranger can cause: the first at once, then their number once in a while."""

import logging
import time
from collections.abc import Callable
from typing import Any

from actors import limits


class ThrottledLog:
    """One line of each kind in `seconds`; the next one says how many were omitted before it."""

    def __init__(
        self,
        logger: logging.Logger,
        level: int,
        *,
        seconds: float = limits.LOG_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._level = level
        self._seconds = seconds
        self._clock = clock
        self._kinds: dict[str, tuple[float, int]] = {}
        """Kind → when the next line may come, and how many were left out. Kinds are ours, so they are few."""

    def log(self, kind: str, message: str, *arguments: Any) -> None:
        now = self._clock()
        until, left_out = self._kinds.get(kind, (0.0, 0))
        if now < until:
            self._kinds[kind] = until, left_out + 1
            return
        self._kinds[kind] = now + self._seconds, 0
        more = f" (and {left_out} more like it before)" if left_out else ""
        self._logger.log(self._level, "%s%s", message % arguments, more)
