"""Under which address browsers reach this server: for the URLs that it makes, and for what counts as its own origin."""

import re
from urllib.parse import urlsplit

from aiohttp import web

from server.http.headers.peers import Proxies

_HOST = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_PORTS = {"http": ":80", "https": ":443"}


class OwnAddress:
    """`public_url` is what an operator says, and goes before everything that a request or a proxy says."""

    def __init__(self, public_url: str | None, proxies: Proxies) -> None:
        self._public_url = public_url.rstrip("/") if public_url else None
        self._public_origin = _origin(self._public_url) if self._public_url else None
        self._proxies = proxies

    def url(self, request: web.BaseRequest) -> str | None:
        """The URL that a browser asked for; None where its host is none."""
        base = self._public_url or self._asked(request)
        return None if base is None else base + str(request.rel_url)

    def is_public(self, origin: str) -> bool:
        """Whether a page's origin is that of PUBLIC_URL."""
        return self._public_origin is not None and origin.lower() == self._public_origin

    def is_own(self, origin: str, request: web.BaseRequest) -> bool:
        """Whether a page's origin is the server's own, as its browser reached it.

        Where the client is known to speak TLS the page must have come by TLS, too. Where it is not, a proxy that is not
        among TRUSTED_PROXIES may have taken it off: then the host alone decides.
        """
        scheme, _, host = origin.lower().partition("://")
        if scheme not in _PORTS or (scheme == "http" and self._proxies.is_secure(request)):
            return False
        port = _PORTS[scheme]
        return bool(host) and host.removesuffix(port) == self._proxies.host(request).lower().removesuffix(port)

    def _asked(self, request: web.BaseRequest) -> str | None:
        scheme = "https" if self._proxies.is_secure(request) else "http"
        host = self._proxies.host(request).lower()
        return f"{scheme}://{host.removesuffix(_PORTS[scheme])}" if _HOST.fullmatch(host) else None


def _origin(url: str) -> str:
    """As browsers spell it: in lower case, and without the scheme's own port."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].removesuffix(_PORTS.get(parts.scheme, ''))}"
