"""Who sent this request? Tokens by Bearer header and by cookie, and what a cookie may not do from elsewhere."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from aiohttp import web

from actors.errors import Forbidden, Unauthenticated
from actors.records import Identity
from server.services import Services

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class BrowserRules:
    """What the server holds against browsers that carry its cookie."""

    cookie: str = "rpotential_auth"
    allowed_origins: frozenset[str] = frozenset()
    """Origins beside the server's own that may use the cookie: `https://app.example.com`."""
    auth_url: str | None = None
    """Where a browser without a token is sent to sign in."""


class Authentication:
    def __init__(self, services: Services, browser: BrowserRules) -> None:
        self._services = services
        self._browser = browser

    async def of(self, request: web.Request) -> Identity:
        """The identity of a request; raises `Unauthenticated`, `Forbidden`, or a redirect for a browser."""
        token = self.token_of(request)
        if token is None:
            self._maybe_redirect(request)
            raise Unauthenticated(
                f"Send a token: `Authorization: Bearer <token>`, or the cookie `{self._browser.cookie}`."
            )
        known = self._services.tokens.get(token)
        return known if known is not None else await self._services.identify(token)

    def token_of(self, request: web.Request) -> str | None:
        """The token that came with a request; raises where a cookie came from a page that may not use it."""
        header = request.headers.get("Authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise Unauthenticated("The Authorization header must read `Bearer <token>`.")
            return token.strip()
        cookie = request.cookies.get(self._browser.cookie)
        if not cookie:
            return None
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        if upgrade or request.method not in SAFE_METHODS:
            self._must_be_same_origin(request)
        return cookie

    def _must_be_same_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and (_host(origin) == request.host or origin in self._browser.allowed_origins):
            return
        came = "no Origin" if origin is None else f"Origin {origin}"
        raise Forbidden(
            f"With a cookie this needs an Origin of this server or of ALLOWED_ORIGINS; {came} came.",
            code="origin_not_allowed",
        )

    def _maybe_redirect(self, request: web.Request) -> None:
        wants_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if self._browser.auth_url is not None and wants_page:
            try:
                back = quote(str(request.url), safe="")
            except ValueError:  # a Host header that is no host
                return
            separator = "&" if "?" in self._browser.auth_url else "?"
            raise web.HTTPFound(f"{self._browser.auth_url}{separator}return_to={back}")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
