"""What every answer tells browsers, whatever it is: pages, problems, streams, and what aiohttp itself answers."""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from multidict import CIMultiDict, istr

from server.http.headers.caching import ASKED_FOR, NOT_KEPT
from server.http.headers.peers import Proxies

_SERVER: Final = istr("Server")
_CACHE_CONTROL: Final = istr("Cache-Control")
_CONTENT_SECURITY_POLICY: Final = istr("Content-Security-Policy")
_CROSS_ORIGIN_RESOURCE_POLICY: Final = istr("Cross-Origin-Resource-Policy")
_REFERRER_POLICY: Final = istr("Referrer-Policy")
_OWN: Final = (_CONTENT_SECURITY_POLICY, _CROSS_ORIGIN_RESOURCE_POLICY, _REFERRER_POLICY)
"""What a handler may choose itself, besides caching."""

NAME: Final = "experience"
"""Without versions; and it tells an answer that has its headers already."""
NO_PAGE: Final = "default-src 'none'; frame-ancestors 'none'"
"""An answer of the API is no page: shown as one it may load nothing, run nothing, and stand in no frame."""
STRICT_TRANSPORT_SECURITY: Final = "max-age=31536000; includeSubDomains"

_API: Final = CIMultiDict(
    {
        _SERVER: NAME,
        istr("X-Content-Type-Options"): "nosniff",
        _REFERRER_POLICY: "no-referrer",  # paths hold ids
        _CONTENT_SECURITY_POLICY: NO_PAGE,
        _CROSS_ORIGIN_RESOURCE_POLICY: "same-origin",
        _CACHE_CONTROL: NOT_KEPT,
    }
)


def api_headers() -> CIMultiDict[str]:
    """The headers that an answer of the API begins with: a copy costs less than to add them one by one."""
    return _API.copy()


def protect(response: web.StreamResponse) -> None:
    """Add what is missing. A handler's own policy for its content, its embedding, its address and its caching stays."""
    headers = response.headers
    if headers.get(_SERVER) == NAME:
        return
    own = {name: headers[name] for name in _OWN if name in headers}
    cache = headers.get(_CACHE_CONTROL, ASKED_FOR if "ETag" in headers else NOT_KEPT)
    headers.update(_API)
    headers.update(own)
    headers[_CACHE_CONTROL] = cache


def header_adder(proxies: Proxies) -> Callable[[web.Request, web.StreamResponse], None]:
    """For every answer, before it goes."""

    has_proxies = bool(proxies)

    def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        protect(response)
        if has_proxies and proxies.is_secure(request):  # the server itself speaks no TLS
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY

    return add_headers
