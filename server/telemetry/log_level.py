"""The log level, changed while the server runs: for a while, then it is again what the setting says."""

import asyncio
import logging
import time
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


class LogLevel:
    """Of this process: of the root logger, which all others follow."""

    def __init__(self) -> None:
        self._root = logging.getLogger()
        self._usual = self._root.level
        self._timer: asyncio.TimerHandle | None = None
        self.until: int | None = None
        """When it ends, in milliseconds since 1970; None: as the setting says."""

    @property
    def level(self) -> str:
        return logging.getLevelName(self._root.level).lower()

    def change(self, level: Level, seconds: float) -> None:
        """In place of what was chosen before."""
        self.restore()
        self._root.setLevel(level.upper())
        self._timer = asyncio.get_running_loop().call_later(seconds, self.restore)
        self.until = time.time_ns() // 1_000_000 + round(seconds * 1000)

    def restore(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self.until = None, None
            self._root.setLevel(self._usual)
