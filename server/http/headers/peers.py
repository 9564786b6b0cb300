"""Where a request comes from: the client's address, behind proxies that are trusted, and what it calls itself.

A proxy that is trusted speaks by `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`; where it sends none of
the three, by `proto` and `host` of RFC 7239's `Forwarded`. The client's address is not read from there: a proxy that
only passes on what its client sent would let the client say who it is.
"""

import ipaddress
import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache

from aiohttp import web
from multidict import CIMultiDictProxy

from actors import limits
from actors.auth.identity import Origin

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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
    """Proxies that may name the client they forward. Without any, the peer is the other end of the socket."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = tuple(networks)
        self._is_proxy = lru_cache(limits.PEERS_REMEMBERED)(self._judge)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._networks)

    def address(self, request: web.BaseRequest) -> str:
        """The client's address: from the right of X-Forwarded-For, the first that is no proxy of ours.

        What a client wrote there itself stands further left than what the proxies added, and is not reached. Where a
        hop is no address (`unknown`, an obfuscated name), the nearest known one stands for all behind it.
        """
        return self._client(request)[0]

    def _client(self, request: web.BaseRequest) -> tuple[str, int]:
        """Its address, and how many proxies of ours stand between it and the one that talks to us."""
        found, between = _plain(request.remote or ""), 0
        if not self._trusts(request):
            return found, between
        for hop in _hops(request):
            address = _parse(hop)
            if address is None:
                break
            found = str(address)
            if not self._contain(address):
                break
            between += 1
        return found, between

    def is_secure(self, request: web.BaseRequest) -> bool:
        """Whether the client speaks TLS, to us or to a proxy of ours."""
        said = self._said(request, "X-Forwarded-Proto", "proto")
        return request.secure if said is None else said.lower() == "https"

    def host(self, request: web.BaseRequest) -> str:
        """Under which name the client reached us; with a port, where it is not the scheme's own."""
        said = self._said(request, "X-Forwarded-Host", "host")
        return request.host if said is None else said

    def _said(self, request: web.BaseRequest, header: str, parameter: str) -> str | None:
        """What the proxy says that the client talks to. Where each added its own value, the client's proxy stands as
        far from the right as there are proxies between; where there are fewer values, theirs is the first."""
        if not self._trusts(request):
            return None
        headers = request.headers
        speaks = any(name in headers for name in _FORWARDED_BY)
        values = _values(headers, header) if speaks else _forwarded(request, parameter)
        if not values:
            return None
        between = self._client(request)[1] if len(values) > 1 else 0
        return values[max(0, len(values) - 1 - between)] or None

    def _trusts(self, request: web.BaseRequest) -> bool:
        return self.trusts(request.remote or "")

    def trusts(self, address: str) -> bool:
        """Whether the other end of a socket is a proxy of ours."""
        return bool(self._networks) and self._is_proxy(address)

    def _judge(self, text: str) -> bool:
        address = _parse(text)
        return address is not None and self._contain(address)

    def _contain(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _values(headers: CIMultiDictProxy[str], name: str) -> list[str]:
    lines = headers.getall(name, ())
    return [value.strip() for value in ",".join(lines).split(",")] if lines else []


_FORWARDED_BY = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
_ELEMENTS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PAIRS = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*(?:;|$)')


def _forwarded(request: web.BaseRequest, parameter: str) -> list[str]:
    """A parameter of each element of `Forwarded`, empty where an element lacks it."""
    whole = ",".join(request.headers.getall("Forwarded", ()))[: limits.HEAD_LINE_BYTES]
    found = []
    for element in _ELEMENTS.findall(whole):
        pairs = {name.lower(): value for name, value in _PAIRS.findall(element)}
        found.append(pairs.get(parameter, "").strip('"'))
    return found


def _hops(request: web.BaseRequest) -> list[str]:
    """From the right, as far as a sane chain of proxies is long."""
    whole = ",".join(request.headers.getall("X-Forwarded-For", ()))
    return whole.rsplit(",", limits.PROXIES_IN_A_ROW)[: -limits.PROXIES_IN_A_ROW - 1 : -1]


def _parse(text: str) -> Address | None:
    """An address, with or without a port; one way of writing each, and IPv4 where it is wrapped in IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])  # an interface's name is the sender's own affair
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _plain(text: str) -> str:
    """An address from the kernel, in its usual notation."""
    if ":" not in text:
        return text
    address = _parse(text)
    return text if address is None else str(address)


def rate_limit_network(address: str) -> str:
    """For limits by address: a client with one IPv6 address usually has its network of 2^64."""
    if ":" not in address:
        return address
    parsed = _parse(address)
    return address if parsed is None else str(ipaddress.ip_network((parsed, 64), strict=False))


def user_agent(request: web.BaseRequest) -> str:
    text = request.headers.get("User-Agent", "")[: limits.USER_AGENT_CHARS]
    return "".join(character for character in text if character.isprintable())
