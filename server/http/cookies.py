"""Cookies of a request, in however many lines: proxies from HTTP/2 may pass on one for each (RFC 9113)."""

from aiohttp import hdrs, web
from aiohttp._cookie_helpers import parse_cookie_header


def cookie_of(request: web.BaseRequest, name: str) -> str | None:
    lines = request.headers.getall(hdrs.COOKIE, ())
    if len(lines) < 2:
        return request.cookies.get(name)
    found = dict(parse_cookie_header("; ".join(lines)))
    return found[name].value if name in found else None
