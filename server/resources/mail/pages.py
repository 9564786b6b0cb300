"""Pages behind links in mails. Opening one changes nothing, because mail scanners open links; its button does. A mail
program presses that of `unsubscribe` by itself (RFC 8058)."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Final

from aiohttp import web

from actors import limits
from actors.auth.identity import Identity
from actors.resources.mail import ConfirmAddress, EndMail
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.api.services import Services
from server.api_docs.html import page
from server.auth.authentication import Authentication
from server.http.middleware import HEADER, correlation_id
from server.http.request_end import EndpointEnd
from server.limits.rate_classes import Limited, RateClass
from server.limits.rate_limits import Subject
from server.outbound.mail.links import Linked, Purpose

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[[Services, Purpose, Linked], Awaitable[web.StreamResponse]]
POLICY: Final = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
TITLES: Final[dict[Purpose, str]] = {"confirm": "Confirm your address", "unsubscribe": "No more mails"}


def routes(services: Services, authentication: Authentication) -> list[web.RouteDef]:
    def handler(purpose: Purpose, rate: RateClass, answer: Answer) -> Handler:
        endpoint = Endpoint(f"{purpose}_by_mail", rate=rate, access="open", parameters=None)

        async def handle(request: web.Request) -> web.StreamResponse:
            end = _LinkEnd(request, endpoint, authentication, services, purpose, answer)
            return await pipeline.run(endpoint, services, end)

        return handle

    purposes: tuple[Purpose, ...] = ("confirm", "unsubscribe")
    return [
        *(web.get(f"/mail/{purpose}", handler(purpose, "read", _show)) for purpose in purposes),
        *(web.post(f"/mail/{purpose}", handler(purpose, "write", _do)) for purpose in purposes),
    ]


class _LinkEnd(EndpointEnd):
    """The holder of a link has no identity. The links of one user draw from one rate: a mail provider presses the
    buttons of many users from one address."""

    __slots__ = ("_linked",)

    def __init__(
        self, request: web.Request, endpoint: Endpoint, authentication: Authentication, services: Services,
        purpose: Purpose, answer: Answer,
    ) -> None:  # fmt: skip
        linked = self._linked = _linked(services, purpose, request)

        async def serve(request: web.Request, call: Call) -> web.StreamResponse:
            return _no_link() if linked is None else await answer(services, purpose, linked)

        super().__init__(request, endpoint, services, authentication, serve)

    async def identify(self) -> None:
        return None

    def subject(self, target: Limited, who: Identity | None) -> Subject:
        return super().subject(target, who) if self._linked is None else ("mail", self._linked.user_id)


def _linked(services: Services, purpose: Purpose, request: web.Request) -> Linked | None:
    token = request.query.get("token", "")
    if services.digests is None or len(token) > limits.MAIL_LINK_CHARS:
        return None
    return services.digests.links.read(purpose, token)


async def _show(services: Services, purpose: Purpose, linked: Linked) -> web.StreamResponse:
    return html_page(TITLES[purpose], _button(TITLES[purpose], linked))


async def _do(services: Services, purpose: Purpose, linked: Linked) -> web.StreamResponse:
    if purpose == "unsubscribe":
        await services.write(EndMail(linked.user_id))
        return html_page("No more mails", f"<p>No more notifications are sent to {escape(linked.address)}.</p>")
    if not (await services.write(ConfirmAddress(linked.user_id, linked.address))).result:
        return _no_link()
    return html_page("Confirmed", f"<p>Notifications may be sent to {escape(linked.address)} now.</p>")


def _button(title: str, linked: Linked) -> str:
    return f'<p>{escape(linked.address)}</p><form method="post"><button>{escape(title)}</button></form>'


def _no_link() -> web.Response:
    says = "<p>It has expired, or the address of its user is another one now. Ask for a new one.</p>"
    return html_page("This link is no good", says, status=404)


def html_page(title: str, *parts: str, status: int = 200, referrers: str = "no-referrer") -> web.Response:
    headers = {
        HEADER: correlation_id.get(), "Content-Security-Policy": POLICY, "Cache-Control": "no-store",
        "Referrer-Policy": referrers,
    }  # fmt: skip
    return web.Response(text=page(title, *parts), content_type="text/html", headers=headers, status=status)
