"""The body of a connection's newest request, while it arrives: how much, how fast, and when that is enough."""

import math

from aiohttp import StreamReader

from actors import limits
from server.http.aiohttp_internals import EMPTY_PAYLOAD
from server.http.connections.request_timeouts import TimeLimits


class IncomingBody:
    """False between two requests, and once the body has ended."""

    __slots__ = ("_began", "_enough", "_seen", "payload")

    def __init__(self) -> None:
        self.payload: StreamReader = EMPTY_PAYLOAD
        self._began = 0.0
        self._seen = 0
        """Bytes that had arrived at the last look."""
        self._enough = math.inf

    def __bool__(self) -> bool:
        return self.payload is not EMPTY_PAYLOAD

    @property
    def received(self) -> int:
        """Bytes."""
        return self.payload.total_bytes

    def begin(self, payload: StreamReader, now: float) -> None:
        self.payload, self._began, self._seen, self._enough = payload, now, 0, math.inf

    def clear(self) -> None:
        self.payload = EMPTY_PAYLOAD

    def fail(self, error: Exception) -> None:
        """Its reader gets the error; what still arrives is dropped."""
        self.payload.set_exception(error)
        self.clear()

    def needs_no_more(self) -> None:
        """Its request is answered: no more of it is read than its sender needs to notice that."""
        self._enough = self.received + limits.LINGERING_BYTES

    @property
    def is_enough(self) -> bool:
        return self.received >= self._enough

    def excuse(self, seconds: float) -> None:
        """The server was slow, not the client."""
        self._seen = self.received
        self._began += seconds

    def keeps_up(self, now: float, times: TimeLimits) -> bool:
        """Enough has arrived since the last look, and all of it within its time."""
        arrived, self._seen = self.received - self._seen, self.received
        return arrived >= limits.BODY_STEP_BYTES and now < self._ends(times)

    def took(self, now: float) -> float:
        """Seconds since it began."""
        return now - self._began

    def _ends(self, times: TimeLimits) -> float:
        """The largest JSON body has its time; what is larger goes on for as long as it keeps up that pace."""
        beyond = max(0, self.received - limits.BODY_BYTES)
        return self._began + times.body * (1 + beyond / limits.BODY_BYTES)
