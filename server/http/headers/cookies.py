"""Cookies: those of a request, and those that an answer sets."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from server.http.aiohttp_internals import cookies_of_header


@dataclass(frozen=True, slots=True)
class Cookie:
    """HttpOnly, SameSite=Lax, and Secure unless an operator says otherwise."""

    name: str
    value: str
    """Empty: the browser forgets it."""
    max_age: int
    path: str = "/"


def cookie_of(request: web.BaseRequest, name: str) -> str | None:
    """In however many lines cookies come: proxies from HTTP/2 may pass on one for each (RFC 9113)."""
    lines = request.headers.getall(hdrs.COOKIE, ())
    if len(lines) < 2:
        return request.cookies.get(name)
    return cookies_of_header("; ".join(lines)).get(name)
