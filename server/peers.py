"""Where a request comes from: the client's address, behind proxies that are trusted, and what it calls itself."""

import ipaddress
import sys
from collections.abc import Callable, Sequence

from aiohttp import web

from actors.records import Origin

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
USER_AGENT_CHARS = 256


class Peer:
    """One client, as far as its request tells. What is not asked for is not worked out."""

    __slots__ = ("_cookie", "address", "correlation_id", "is_secure", "user_agent")

    def __init__(
        self,
        *,
        address: str,
        user_agent: str = "",
        correlation_id: str = "",
        is_secure: bool = False,
        cookie: Callable[[str], str | None] = lambda name: None,
    ) -> None:
        """`cookie` answers a cookie by name, or refuses where the page it comes from may not use it."""
        self.address = address
        self.user_agent = user_agent
        self.correlation_id = correlation_id
        self.is_secure = is_secure
        self._cookie = cookie

    def cookie(self, name: str) -> str | None:
        """Raises `Forbidden` where a cookie came with an unsafe request from a page that may not use it."""
        return self._cookie(name)

    def at_rest(self) -> "Peer":
        """Without the request that it came with, which a connection would keep for as long as it lives."""
        return Peer(
            address=sys.intern(self.address),  # thousands of connections share a proxy's address and one user agent
            user_agent=sys.intern(self.user_agent),
            is_secure=self.is_secure,
        )

    @property
    def origin(self) -> Origin:
        return Origin(self.address, self.user_agent, self.correlation_id)


class Proxies:
    """Those that may say for whom they ask. Without any, a peer is whoever holds the other end of the socket."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = tuple(networks)

    def address(self, request: web.BaseRequest) -> str:
        """The client's address: from the right of X-Forwarded-For, the first that is no proxy of ours."""
        nearest = request.remote or ""
        if not self._networks or not self._trusts(nearest):
            return nearest
        found = nearest
        for hop in reversed(_hops(request)):
            try:
                found = str(ipaddress.ip_address(hop))
            except ValueError:
                break
            if not self._trusts(found):
                break
        return found

    def is_secure(self, request: web.BaseRequest) -> bool:
        """Whether the client speaks TLS, to us or to a proxy of ours."""
        if self._networks and self._trusts(request.remote or ""):
            return request.headers.get("X-Forwarded-Proto", request.scheme).strip().lower() == "https"
        return request.secure

    def _trusts(self, address: str) -> bool:
        try:
            given = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(given in network for network in self._networks)


def _hops(request: web.BaseRequest) -> list[str]:
    return [hop.strip() for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]


def user_agent(request: web.BaseRequest) -> str:
    text = request.headers.get("User-Agent", "")[:USER_AGENT_CHARS]
    return "".join(character for character in text if character.isprintable())
