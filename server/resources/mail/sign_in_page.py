"""The page behind a sign-in link in a mail. Opening it changes nothing, because mail scanners open links; its button
signs in, once, by the cookies of a session."""

from html import escape
from typing import Final

from aiohttp import web

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Forbidden, Unauthenticated
from actors.resources.sessions import FindUserByLink
from actors.resources.users import User
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.api.services import Services
from server.auth.authentication import Authentication
from server.auth.issued_secrets import letter_hash_of
from server.auth.own_path import own_path
from server.http.middleware import HEADER, correlation_id
from server.http.request_end import EndpointEnd
from server.resources.auth import links
from server.resources.mail.pages import html_page

PATH: Final = "/mail/sign-in"
ENDPOINT: Final = Endpoint("sign_in_by_mail", rate="auth", access="open", parameters=None)
REFERRERS: Final = "same-origin"
"""With `no-referrer` a browser would not say that the form is of this server."""


def routes(services: Services, authentication: Authentication) -> list[web.RouteDef]:
    async def show(request: web.Request) -> web.StreamResponse:
        return await pipeline.run(ENDPOINT, services, _Page(request, services, authentication))

    async def sign_in(request: web.Request) -> web.StreamResponse:
        return await pipeline.run(ENDPOINT, services, _Button(request, services, authentication))

    return [web.get(PATH, show), web.post(PATH, sign_in)]


class _Page(EndpointEnd):
    """The holder of a link has no identity yet. Links that are no good draw from a rate of their address."""

    __slots__ = ()

    def __init__(self, request: web.Request, services: Services, authentication: Authentication) -> None:
        super().__init__(request, ENDPOINT, services, authentication, self.serve)

    async def identify(self) -> Identity | None:
        return None

    async def serve(self, request: web.Request, call: Call) -> web.StreamResponse:
        user = await call.services.ask(FindUserByLink(_link_hash(request)))
        if user is None:
            return _no_link()
        links.give_back(call)
        return html_page("Sign in", _form(user), referrers=REFERRERS)


class _Button(_Page):
    __slots__ = ()

    async def serve(self, request: web.Request, call: Call) -> web.StreamResponse:
        self.authentication.require_own_page(request)
        try:
            signed_in, refresh = await links.follow(call, _link_hash(request))
        except Unauthenticated:
            return _no_link()
        except Forbidden as refusal:
            return html_page("You may not sign in", f"<p>{escape(refusal.detail)}</p>", status=403)
        links.give_back(call)
        response = _redirect(own_path(request.query.get("return_to")) or "/")
        self.authentication.set_cookies(response, call.services.sign_ins.cookies(signed_in, refresh.text))
        return response


def _link_hash(request: web.Request) -> bytes:
    return letter_hash_of(request.query.get("token", "")[: limits.MAIL_LINK_CHARS])


def _form(user: User) -> str:
    """Names the account: a link that another person has sent would sign in to theirs."""
    return f'<p>{escape(user.name)}, {escape(user.email)}</p><form method="post"><button>Sign in</button></form>'


def _no_link() -> web.Response:
    says = "<p>It has expired, or was used before. Ask for a new one.</p>"
    return html_page("This link is no good", says, status=404)


def _redirect(path: str) -> web.Response:
    headers = {HEADER: correlation_id.get(), "Location": path, "Cache-Control": "no-store"}
    return web.Response(status=303, headers=headers)
