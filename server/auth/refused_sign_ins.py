"""Refused sign-ins in the audit log: each one, as long as they come at a pace at which people mistype.

An entry is a write, and stays for good. Guessing from many addresses must neither slow writers nor fill the disk, so
beyond that pace they are counted, and the next entry says how many there were.
"""

import time
from collections.abc import Callable

from actors import limits
from server.limits.token_bucket import TokenBucket, rate


class RefusedSignIns:
    """Confined to the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        pace = rate(limits.AUDIT_REFUSED)
        self._bucket = TokenBucket(pace.per_second, float(pace.burst), clock())
        self._clock = clock
        self._left_out = 0

    def reason(self, reason: str) -> str | None:
        """What the entry says, or None where there is to be none."""
        if self._bucket.take_at(self._clock()) < 0:
            self._left_out += 1
            return None
        left_out, self._left_out = self._left_out, 0
        return f"{reason}; {left_out} more sign-ins refused before this one have no entry" if left_out else reason
