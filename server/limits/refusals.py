"""Requests of strangers that are refused: so many of an address at once, then at a pace.

A refusal costs the server little and its sender less, so thousands of them a second would be felt by all. Beyond the
allowance the answer is the same, but late: a sender who waits for it sends fewer, also over new connections. Requests
from the same address that are served do not wait, and users who are identified draw from the rate limits instead.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from actors import limits
from server.limits.token_bucket import Rate


class RefusalPace:
    """Confined to the event loop."""

    def __init__(
        self, pace: Rate | None, *, clock: Callable[[], float] | None = None, most: int = limits.RATE_SUBJECTS
    ) -> None:
        """Without a pace, refusals are not delayed."""
        self._pace = pace
        self._clock = clock or asyncio.get_running_loop().time
        self._most = most
        self._due: OrderedDict[str, float] = OrderedDict()
        """When the allowance of an address is full again."""

    def refused(self, place: str | None) -> float:
        """Count a refusal; answers how many seconds it waits: 0 for nearly all. `place` is None for a proxy, which
        asks for many."""
        if self._pace is None or place is None:
            return 0.0
        now, allowance = self._clock(), self._pace.burst / self._pace.per_second
        full = max(self._due.get(place, now), now) + 1 / self._pace.per_second
        self._due[place] = min(full, now + allowance + limits.REFUSAL_WAIT_SECONDS)
        self._due.move_to_end(place)
        if len(self._due) > self._most:
            self._due.popitem(last=False)
        return max(0.0, self._due[place] - now - allowance)
