"""Pages behind links in mails. Opening one changes nothing, because mail scanners open links; its button does. A mail
program presses that of `unsubscribe` by itself (RFC 8058)."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Final

from aiohttp import web

from actors import limits
from actors.resources.mail import ConfirmAddress, EndMail
from server.api.services import Services
from server.documents.html import page
from server.http.middleware import HEADER, correlation_id
from server.outbound.mail.links import Linked, Purpose

POLICY: Final = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
TITLES: Final[dict[Purpose, str]] = {"confirm": "Confirm your address", "unsubscribe": "No more mails"}


def routes(services: Services) -> list[web.RouteDef]:
    def shows(purpose: Purpose) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            linked = _linked(services, purpose, request)
            return _no_link() if linked is None else _page(TITLES[purpose], _button(TITLES[purpose], linked))

        return handle

    def does(purpose: Purpose) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            linked = _linked(services, purpose, request)
            return _no_link() if linked is None else await _done(services, purpose, linked)

        return handle

    purposes: tuple[Purpose, ...] = ("confirm", "unsubscribe")
    return [
        *(web.get(f"/mail/{purpose}", shows(purpose)) for purpose in purposes),
        *(web.post(f"/mail/{purpose}", does(purpose)) for purpose in purposes),
    ]


def _linked(services: Services, purpose: Purpose, request: web.Request) -> Linked | None:
    token = request.query.get("token", "")
    if services.post is None or len(token) > limits.MAIL_LINK_CHARS:
        return None
    return services.post.links.read(purpose, token)


async def _done(services: Services, purpose: Purpose, linked: Linked) -> web.Response:
    if purpose == "unsubscribe":
        await services.write(EndMail(linked.user_id))
        return _page("No more mails", f"<p>No more notifications are sent to {escape(linked.address)}.</p>")
    if not (await services.write(ConfirmAddress(linked.user_id, linked.address))).result:
        return _no_link()
    return _page("Confirmed", f"<p>Notifications may be sent to {escape(linked.address)} now.</p>")


def _button(title: str, linked: Linked) -> str:
    return f'<p>{escape(linked.address)}</p><form method="post"><button>{escape(title)}</button></form>'


def _no_link() -> web.Response:
    says = "<p>It has expired, or the address of its user is another one now. Ask for a new one.</p>"
    return _page("This link is no good", says, status=404)


def _page(title: str, *parts: str, status: int = 200) -> web.Response:
    headers = {
        HEADER: correlation_id.get(), "Content-Security-Policy": POLICY, "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }  # fmt: skip
    return web.Response(text=page(title, *parts), content_type="text/html", headers=headers, status=status)
