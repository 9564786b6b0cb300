"""All open connections, whatever they do: so many of an address, and in all no more than there are file descriptors.

Where one more would be too many, one that waits idle is closed for it, as HTTP allows at any time. Only where all are
busy is the new one refused.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from actors import limits
from server.http.headers.peers import rate_limit_network
from server.http.throttled_log import ThrottledLog

logger = logging.getLogger("server.http")


class Socket(Protocol):
    @property
    def idle_since(self) -> float | None:
        """When its last request was answered, 0.0 if there was none; None while it is busy."""
        ...

    def close_idle(self) -> None: ...


S = TypeVar("S", bound=Socket)


@dataclass(frozen=True, slots=True)
class SocketLimits:
    in_all: int | None = None
    """None: as many as come."""
    of_address: int | None = None


@dataclass(slots=True)
class SocketCounts:
    open: int = 0
    most: int | None = None
    """How many there may be."""
    refused: int = 0
    closed_idle: int = 0
    """Since the start, both."""


class Sockets(Generic[S]):
    """Confined to the event loop."""

    def __init__(self, most: SocketLimits) -> None:
        self.most = most
        self.counts = SocketCounts(most=most.in_all)
        self._all: OrderedDict[S, str | None] = OrderedDict()
        self._by_place: dict[str | None, OrderedDict[S, None]] = {}
        self._full = ThrottledLog(logger, logging.WARNING)

    def enter(self, socket: S, place: str | None) -> bool:
        """Whether there is room for one more from there; `place` is None for a proxy, which has no limit of its own."""
        if not (self._has_room_at(place) and self._has_room_for(place)):
            self.counts.refused += 1
            return False
        self._all[socket] = place
        self._by_place.setdefault(place, OrderedDict())[socket] = None
        self.counts.open += 1
        return True

    def leave(self, socket: S) -> None:
        if socket not in self._all:
            return
        place = self._all.pop(socket)
        theirs = self._by_place[place]
        del theirs[socket]
        if not theirs:
            del self._by_place[place]
        self.counts.open -= 1

    def _has_room_at(self, place: str | None) -> bool:
        theirs = self._by_place.get(place)
        if self.most.of_address is None or place is None or theirs is None or len(theirs) < self.most.of_address:
            return True
        self._full.log("address", "%s holds %d connections: idle ones are closed for new ones", place, len(theirs))
        return self._close_idle(theirs)

    def _has_room_for(self, place: str | None) -> bool:
        if self.most.in_all is None:
            return True
        kept_free = 0 if _is_local(place) else min(limits.OPERATOR_SOCKETS, self.most.in_all // 4)
        if len(self._all) < self.most.in_all - kept_free:
            return True
        self._full.log(
            "all", "%d connections are open, which is all: idle ones are closed for new ones", len(self._all)
        )
        crowded = max(self._by_place.values(), key=len)
        return self._close_idle(crowded) or self._close_idle(self._all)

    def _close_idle(self, sockets: "OrderedDict[S, None] | OrderedDict[S, str | None]") -> bool:
        """The one that has been idle longest, of a few; those come last the next time."""
        sample = [socket for socket, _ in zip(sockets, range(limits.SOCKETS_LOOKED_AT), strict=False)]
        idle: list[tuple[float, int, S]] = []
        for socket in sample:
            sockets.move_to_end(socket)
            if (since := socket.idle_since) is not None:
                idle.append((since, len(idle), socket))
        if not idle:
            return False
        chosen = min(idle)[2]
        self.leave(chosen)
        self.counts.closed_idle += 1
        chosen.close_idle()
        return True


def _is_local(place: str | None) -> bool:
    return place is not None and (place.startswith("127.") or place == _LOCAL_NETWORK)


_LOCAL_NETWORK = rate_limit_network("::1")
