"""Limits the number of open connections: a count for each user or network that has one."""

import logging
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from actors import limits
from actors.errors import TooManyRequests

logger = logging.getLogger("server.realtime")


class ConnectionLimiter:
    def __init__(self, limit: int | None, what: str) -> None:
        """`what` names the limit in errors; without a limit nothing is counted."""
        self._limit = limit
        self._what = what
        self._taken: dict[Hashable, int] = {}
        self._has_warned = False

    def take(self, who: Hashable) -> bool:
        """Whether there was one left; the caller returns it by `free`."""
        if self._limit is None:
            return True
        taken = self._taken.get(who, 0)
        if taken >= self._limit:
            self._warn(who)
            return False
        self._taken[who] = taken + 1
        return True

    def free(self, who: Hashable) -> None:
        if self._limit is None:
            return
        taken = self._taken.pop(who) - 1
        if taken:
            self._taken[who] = taken

    @contextmanager
    def one(self, who: Hashable) -> Iterator[None]:
        """Hold one meanwhile; raises `TooManyRequests`."""
        if not self.take(who):
            raise TooManyRequests(
                f"{self._limit} connections are open, which is {self._what}; close some.",
                retry_after=limits.CONNECTION_RETRY_SECONDS,
            )
        try:
            yield
        finally:
            self.free(who)

    def _warn(self, who: Hashable) -> None:
        """Once: it says what an operator has to know, and a client that does not give up must not fill the log."""
        if not self._has_warned:
            self._has_warned = True
            logger.warning("%s holds %d connections, which is %s: more are refused", who, self._limit, self._what)

    def __len__(self) -> int:
        return len(self._taken)
