"""Who may scrape `/metrics`."""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from server.http.headers.peers import Network, Proxies

_FORWARDED = ("X-Forwarded-For", "Forwarded")


@dataclass(frozen=True, slots=True)
class MetricsAccess:
    """Who may scrape."""

    networks: Sequence[Network] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))
    token: str | None = None
    has_own_port: bool = False
    """Whether the application's own port serves no metrics."""

    def allows(self, request: web.BaseRequest, proxies: Proxies) -> bool:
        return self.has_token(request) or self._is_near(request, proxies)

    def has_token(self, request: web.BaseRequest) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if self.token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(errors="replace"), self.token.encode())

    def _is_near(self, request: web.BaseRequest, proxies: Proxies) -> bool:
        """A proxy on this machine that is not in TRUSTED_PROXIES asks for a client that is nobody knows where."""
        if any(name in request.headers for name in _FORWARDED) and not proxies.trusts(request.remote or ""):
            return False
        try:
            address = ipaddress.ip_address(proxies.address(request))
        except ValueError:
            return False
        return any(address in network for network in self.networks)
