"""Who sent this request? Tokens by Bearer header and by cookie, and what a cookie may not do from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from actors.auth.actor import has_other_rights
from actors.auth.identity import Identity
from actors.errors import Forbidden, Unauthenticated, Unavailable
from server.api.services import Services
from server.http.connections.carrier import belongs_to
from server.http.headers.cookies import Cookie, cookie_of
from server.http.headers.own_address import OwnAddress
from server.http.headers.peers import Peer, Proxies, user_agent
from server.http.middleware import correlation_id

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = (None, "same-origin", "none")
"""`Sec-Fetch-Site` where a page of our own asks, or the user; None of an older browser, and of what is none."""


@dataclass(frozen=True, slots=True)
class BrowserRules:
    """What the server holds against browsers that carry its cookie."""

    cookie: str = "rpotential_auth"
    allowed_origins: frozenset[str] = frozenset()
    """Origins beside the server's own that may use the cookie: `https://app.example.com`."""
    auth_url: str | None = None
    """Sign-in page for browsers without a token."""
    public_url: str | None = None
    """Where browsers find this server, as an operator says; else as their requests say."""
    secure_cookies: bool = True
    """Off: for a browser that is not on this machine and speaks plain HTTP."""
    proxies: Proxies = Proxies()  # noqa: RUF009 - without state


def must_have_same_rights(before: Identity, now: Identity) -> None:
    """For what lasts, and rests on an identity of before. Raises `Unavailable`."""
    if has_other_rights(before, now.user):
        raise Unavailable("Your rights have changed meanwhile; try again, with those of now.")


class Authentication:
    def __init__(self, services: Services, browser: BrowserRules) -> None:
        self._services = services
        self._browser = browser
        self._own = OwnAddress(browser.public_url, browser.proxies)

    def peer(self, request: web.Request) -> Peer:
        proxies = self._browser.proxies
        return Peer(
            address=proxies.address(request),
            user_agent=user_agent(request),
            correlation_id=correlation_id.get(),
            is_secure=proxies.is_secure(request),
            cookie=lambda name: self._cookie(request, name),
        )

    def set_cookies(self, response: web.Response, cookies: Sequence[Cookie]) -> None:
        for cookie in cookies:
            response.set_cookie(
                cookie.name, cookie.value, max_age=cookie.max_age, path=cookie.path, httponly=True,
                secure=self._browser.secure_cookies, samesite="Lax",
            )  # fmt: skip

    async def maybe_of(self, request: web.Request) -> Identity | None:
        """The identity of a request to what is open anyway: a token that is no good is none."""
        try:
            return await self.of(request)
        except (Unauthenticated, Forbidden, web.HTTPFound):
            return None

    async def of(self, request: web.Request) -> Identity:
        """The identity of a request; raises `Unauthenticated`, `Forbidden`, or a redirect for a browser."""
        token = self.token_of(request)
        if token is None:
            self._maybe_redirect(request)
            raise Unauthenticated(
                f"Send a token: `Authorization: Bearer <token>`, or the cookie `{self._browser.cookie}`."
            )
        return await self.of_token(request, token)

    async def must_still_be(self, request: web.Request, who: Identity) -> None:
        """While a request lasts: raises what `of` does, and `Unavailable` where the rights have changed."""
        must_have_same_rights(who, await self.of(request))

    async def of_token(self, request: web.Request, token: str) -> Identity:
        """The identity by the token that came with a request; raises `Unauthenticated`, `Forbidden`."""
        known = self._services.tokens.get(token)
        if known is None:
            known = await self._services.identify(token, self._browser.proxies.address(request))
        belongs_to(request, known.user.key)
        if self._services.seen_tokens.is_due(known):
            self._services.seen_tokens.note(known, self.peer(request))
        return known

    def token_of(self, request: web.Request) -> str | None:
        """The token that came with a request; raises where a cookie came from a page that may not use it."""
        header = request.headers.get("Authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise Unauthenticated("The Authorization header must read `Bearer <token>`.")
            return token.strip()
        return self._cookie(request, self._browser.cookie)

    def _cookie(self, request: web.Request, name: str) -> str | None:
        cookie = cookie_of(request, name)
        if not cookie:
            return None
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        if upgrade or request.method not in SAFE_METHODS:
            self._must_be_same_origin(request)
        return cookie

    def _must_be_same_origin(self, request: web.Request) -> None:
        """A browser names the page that asks by `Origin`, by `Sec-Fetch-Site`, or by both; a client that names neither
        is no browser, and carries only its own cookie."""
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        if self._may_use_cookie(origin, request) if origin is not None else site in _OWN_SITES:
            return
        came = f"Sec-Fetch-Site {site}" if origin is None else f"Origin {origin}"
        raise Forbidden(
            f"With a cookie, only pages of this server (PUBLIC_URL) or ALLOWED_ORIGINS may do this; got {came[:200]}.",
            code="origin_not_allowed",
        )

    def _may_use_cookie(self, origin: str, request: web.Request) -> bool:
        if origin in self._browser.allowed_origins or self._own.is_public(origin):
            return True
        return request.headers.get("Sec-Fetch-Site") in _OWN_SITES and self._own.is_own(origin, request)

    def require_own_page(self, request: web.Request) -> None:
        """For forms that sign in: raises `Forbidden` where a page of elsewhere sends one."""
        self._must_be_same_origin(request)

    def require_same_site(self, request: web.Request) -> None:
        """For streams by cookie, which a browser opens by GET: raises `Forbidden` where a page of elsewhere asks."""
        if "Authorization" not in request.headers and cookie_of(request, self._browser.cookie):
            self._must_be_same_origin(request)

    def _maybe_redirect(self, request: web.Request) -> None:
        wants_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if self._browser.auth_url is not None and wants_page:
            asked = self._own.url(request)
            if asked is None:
                return
            back = quote(asked, safe="")
            separator = "&" if "?" in self._browser.auth_url else "?"
            raise web.HTTPFound(f"{self._browser.auth_url}{separator}return_to={back}")
