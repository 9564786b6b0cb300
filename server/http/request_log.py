"""A line for each request, so that a reported `trace_id` can be found; bounded, so that no client fills the log.

What was refused has lines before what went well, and authenticated users before strangers.
"""

import logging
import time
from collections.abc import Callable

from actors import limits
from server.limits.token_bucket import TokenBucket, rate

logger = logging.getLogger("server.requests")


class _Bounded:
    def __init__(self, pace: str, clock: Callable[[], float]) -> None:
        chosen = rate(pace)
        self._clock = clock
        self._bucket = TokenBucket(chosen.per_second, float(chosen.burst), clock())
        self._left_out = 0

    def has_room(self) -> bool:
        """Asked before a line is made: under load most are left out, and making one costs a microsecond."""
        if self._bucket.take_at(self._clock()) >= 0:
            return True
        self._left_out += 1
        return False

    def log(self, message: str) -> None:
        """After `has_room`."""
        more, self._left_out = self._left_out, 0
        logger.info("%s%s", message, f" ({more} before were left out)" if more else "")


class RequestLog:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._of_strangers = _Bounded(limits.LOG_STRANGERS, clock)
        self._refused = _Bounded(limits.LOG_REFUSED, clock)
        self._served = _Bounded(limits.LOG_SERVED, clock)

    def request(self, method: str, path: str, status: int, seconds: float, *, code: str = "", known: bool) -> None:
        """`path` as it came, without its query; `code` of a problem."""
        if not logger.isEnabledFor(logging.INFO):
            return
        bounded = self._served if status < 400 else self._refused if known else self._of_strangers
        if not bounded.has_room():
            return
        line = f"{method} {path[:200]} {status} {code}".rstrip()
        bounded.log(f"{line} in {seconds * 1000:.0f} ms")

    def command(self, verb: str, client_id: str, code: str) -> None:
        """A command over a WebSocket that was refused; its `trace_id` is the client's id."""
        if logger.isEnabledFor(logging.INFO) and self._refused.has_room():
            self._refused.log(f"{verb} {code}  [{client_id}]")
