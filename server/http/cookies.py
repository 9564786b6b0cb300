"""Cookies of a request, in however many lines: proxies from HTTP/2 may pass on one for each (RFC 9113)."""

from aiohttp import hdrs, web

from server.http.aiohttp_internals import cookies_of_header


def cookie_of(request: web.BaseRequest, name: str) -> str | None:
    lines = request.headers.getall(hdrs.COOKIE, ())
    if len(lines) < 2:
        return request.cookies.get(name)
    return cookies_of_header("; ".join(lines)).get(name)
