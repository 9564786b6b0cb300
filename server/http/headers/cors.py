"""Which pages may talk to the server: its own, and those of the origins that an operator allows by name.

Never `*`, never `null`, nothing but exact matches: the Fetch standard's CORS protocol for an allow-list.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aiohttp import web

from actors import limits
from actors.errors import Forbidden
from server.http.throttled_log import ThrottledLog

_refused = ThrottledLog(logging.getLogger("server.cors"), logging.WARNING)
_ALLOWED_HEADERS: Final = (
    "Authorization, Content-Digest, Content-Range, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, "
    "Last-Event-ID, Range, Repr-Digest, Traceparent, Tracestate, Tus-Resumable, Upload-Checksum, Upload-Defer-Length, "
    "Upload-Length, Upload-Metadata, Upload-Offset, X-Correlation-ID, X-HTTP-Method-Override, X-Requested-With"
)
_EXPOSED_HEADERS: Final = (
    "Accept-Ranges, Content-Disposition, Content-Location, Content-Range, ETag, Location, RateLimit, RateLimit-Limit, "
    "RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, "
    "Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Defer-Length, Upload-Expires, Upload-Length, "
    "Upload-Metadata, Upload-Offset, X-Correlation-ID, X-File-Id, X-Left-Out, X-Missing-Scripts, X-Storage-Left, "
    "X-Undrawn-Charts"
)


def asks_first(request: web.BaseRequest) -> bool:
    """Whether a browser asks for a page what it may send, before it sends it."""
    headers = request.headers
    return request.method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers


def is_preflight(request: web.BaseRequest, allowed_origins: frozenset[str]) -> bool:
    """The same, for a page that may ask."""
    return asks_first(request) and request.headers["Origin"] in allowed_origins


def preflight(methods: Iterable[str], more: Mapping[str, str]) -> web.Response:
    """What a path takes; `header_adder` adds the origin."""
    headers = {
        "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Max-Age": str(limits.PREFLIGHT_SECONDS),
        **more,
    }
    return web.Response(status=204, headers=headers)


def refusal(request: web.BaseRequest) -> Forbidden:
    origin = request.headers["Origin"][:200]
    _refused.log("preflight", "pages of %r may not call this server: they are not in ALLOWED_ORIGINS", origin)
    return Forbidden(
        f"Pages of {origin} may not call this server; ALLOWED_ORIGINS names those that may.", code="origin_not_allowed"
    )


def header_adder(allowed_origins: frozenset[str]) -> Callable[[web.Request, web.StreamResponse], None]:
    """For every answer, before it goes: pages of these origins may read it, also problems and streams."""

    def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        own = headers.get("Vary")
        headers["Vary"] = "Origin" if own is None else f"{own}, Origin"
        # Also where none came: a cache must not give that answer to a page.
        origin = request.headers.get("Origin")
        if origin in allowed_origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
            headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"

    return add_headers
