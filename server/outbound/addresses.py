"""Which addresses a request to a URL of a user's may reach: none inside, unless an operator names the network.

Names are resolved once for each connection, each address is checked, and the connection is made to the address that was
checked: a name that answers differently the next time (DNS rebinding) changes nothing. The socket is checked once
more when it is made, which covers addresses that stand in the URL.
"""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA: Final = frozenset({ipaddress.ip_address("168.63.129.16")})
"""Services of clouds for their machines that have a public address: Azure's. The others are link-local or private."""
SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4", "::/8",
         "64:ff9b:1::/48", "100::/64", "2001::/23", "3fff::/20", "5f00::/16", "fec0::/10"),
    )
)  # fmt: skip
"""Of IANA's registries of special purposes: those that some versions of Python take for global."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(OSError):
    """The address is inside; the request is not sent."""


def inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for: mapped, NAT64, 6to4 or Teredo; else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.sixtofour is not None:
        return address.sixtofour
    return address.teredo[1] if address.teredo is not None else address


def is_public(address: Address) -> bool:
    """Whether it is an address of the internet: not private, loopback, link-local, reserved, multicast or metadata."""
    meant = inner(address)
    if not meant.is_global or meant.is_multicast or meant.is_reserved or meant in METADATA:
        return False
    return not any(meant.version == network.version and meant in network for network in SPECIAL)


class AddressRules:
    def __init__(self, networks: Sequence[Network] = (), *, internet: bool = True) -> None:
        """`networks`: inside, and allowed nevertheless. `internet`: whether anything else is."""
        self._networks = tuple(networks)
        self._internet = internet

    @property
    def without_internet(self) -> "AddressRules":
        """For requests without TLS: only the networks that an operator names."""
        return AddressRules(self._networks, internet=False)

    def is_named(self, address: Address) -> bool:
        """Whether an operator allows it by name."""
        meant = inner(address)
        return any(meant.version == network.version and meant in network for network in self._networks)

    def allows(self, address: Address) -> bool:
        return self.is_named(address) or (self._internet and is_public(address))

    def must_allow(self, host: str) -> None:
        """`host`: an address. Raises `AddressRefused`."""
        if not self.allows(ipaddress.ip_address(host.partition("%")[0])):
            raise AddressRefused(f"{host} is not an address of the internet")

    def fault(self, url: str) -> str | None:
        """A sentence where no request may go to the URL, as far as it can be known without resolving a name."""
        try:
            parts = urlsplit(url)
            host, has_port = parts.hostname, parts.port != 0
        except ValueError:
            return "expected a URL with a host, and a port from 1 to 65535."
        if not host or not has_port:
            return "expected a URL with a host, and a port from 1 to 65535."
        if parts.username is not None or parts.fragment:
            return "may have neither a user name nor a fragment."
        if parts.scheme == "http" and not self._networks:
            return "expected an https URL."
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return None
        return None if self.allows(address) else "expected a host of the internet; this address is inside."


class CheckedResolver(AbstractResolver):
    """Answers only addresses that are allowed."""

    def __init__(self, rules: AddressRules, resolver: AbstractResolver | None = None) -> None:
        self._rules = rules
        self._resolver = resolver or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        allowed = [each for each in found if self._rules.allows(_address(each["host"]))]
        if found and not allowed:
            raise AddressRefused(f"{host} has no address of the internet")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


def _address(host: str) -> Address:
    return ipaddress.ip_address(host.partition("%")[0])


def checked_connector(rules: AddressRules, resolver: AbstractResolver | None = None) -> aiohttp.TCPConnector:
    """Connects to allowed addresses only, and keeps no answers of the name service."""

    def new_socket(info: "aiohttp.AddrInfoType") -> socket.socket:
        family, kind, protocol, _, address = info
        rules.must_allow(str(address[0]))
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        resolver=CheckedResolver(rules, resolver), use_dns_cache=False, limit=0, socket_factory=new_socket
    )
