"""What all connections together may hold: sockets, answers that are not taken, bodies that are not finished."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from actors import limits
from server.http.headers.peers import Proxies, rate_limit_network
from server.limits.byte_budget import Budget
from server.limits.refusals import RefusalPace
from server.limits.sockets import Socket, SocketLimits, Sockets
from server.limits.token_bucket import rate

S = TypeVar("S", bound=Socket)


class Bounds(Generic[S]):
    def __init__(
        self,
        most: SocketLimits,
        proxies: Proxies,
        *,
        end_untaken: Callable[[S], None],
        end_unfinished: Callable[[S], None],
        is_limited: bool = True,
    ) -> None:
        """Without limits only sockets are counted, as file descriptors end whatever is set."""
        self.sockets: Sockets[S] = Sockets(most)
        no_end = 1 << 62
        self.unsent: Budget[S] = Budget(
            each=limits.UNSENT_BYTES_PER_USER if is_limited else no_end,
            most=limits.UNSENT_BYTES if is_limited else no_end,
            end=end_untaken,
        )
        self.unfinished: Budget[S] = Budget(
            each=limits.UNFINISHED_BYTES_PER_USER if is_limited else no_end,
            most=limits.UNFINISHED_BYTES if is_limited else no_end,
            end=end_unfinished,
        )
        self.refusals = RefusalPace(rate(limits.RATE_REFUSALS) if is_limited else None)
        self._proxies = proxies

    def address_of(self, transport: asyncio.BaseTransport) -> str | None:
        """The network that a socket comes from; None for a proxy that is trusted, which speaks for many."""
        found = transport.get_extra_info("peername")
        address = found[0] if isinstance(found, tuple) else ""
        return None if self._proxies.trusts(address) else rate_limit_network(address)

    def forget(self, socket: S) -> None:
        self.sockets.leave(socket)
        self.unsent.free(socket)
        self.unfinished.free(socket)
