"""Token buckets: a rate, and a burst on top. Pure: the caller passes the time."""

import re
import time
from dataclasses import dataclass
from typing import Final

_RATE: Final = re.compile(r"([0-9]{1,7})/(s|min):([0-9]{1,7})")
_SECONDS: Final = {"s": 1.0, "min": 60.0}
_ONE: Final = 1 - 1e-9
"""Who waited as long as was said must not fail for the last digit of a float."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What flows into a bucket, and what it holds."""

    per_second: float
    burst: int

    def __str__(self) -> str:
        """As `rate` reads it."""
        if self.per_second.is_integer():
            return f"{self.per_second:.0f}/s:{self.burst}"
        return f"{self.per_second * 60:.0f}/min:{self.burst}"


def rate(text: str) -> Rate:
    """Read `100/s:400` or `30/min:60`: so many a second or a minute, and a burst. Raises `ValueError`."""
    match = _RATE.fullmatch(text.strip())
    if match is None or not (int(match[1]) and int(match[3])):
        raise ValueError("expected a rate and a burst such as 100/s:400 or 30/min:60")
    return Rate(int(match[1]) / _SECONDS[match[2]], int(match[3]))


class TokenBucket:
    __slots__ = ("_burst", "_filled_at", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float | None = None) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at = time.monotonic() if now is None else now

    def take(self) -> bool:
        """Whether there was one left."""
        return self.take_at(time.monotonic()) >= 0

    def take_at(self, now: float) -> int:
        """How many are left after this one; -1 where there was none to take."""
        tokens = self._tokens + (now - self._filled_at) * self._rate
        self._filled_at = now
        if tokens > self._burst:
            tokens = self._burst
        if tokens < _ONE:
            self._tokens = tokens
            return -1
        self._tokens = tokens - 1.0
        return int(self._tokens)

    def put_back(self) -> None:
        """One that was taken; never more than the burst."""
        self._tokens = min(self._burst, self._tokens + 1.0)

    def wait(self, now: float) -> float:
        """Seconds until there is one; 0 where there is one now."""
        tokens = self._tokens + (now - self._filled_at) * self._rate
        return max(0.0, (1.0 - tokens) / self._rate)
