"""`GET /status`: a page for administrators; for all others, without secrets, where STATUS_PAGE is public."""

import asyncio

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import Forbidden
from server.api.services import Services
from server.auth.authentication import Authentication
from server.documents.pages import POLICY
from server.http.middleware import HEADER, correlation_id
from server.telemetry.status import document
from server.telemetry.status.page import status_page


def routes(services: Services, authentication: Authentication) -> list[web.RouteDef]:
    async def handle(request: web.Request) -> web.Response:
        return await _answered(services, authentication, request)

    return [web.get("/status", handle)]


async def _answered(services: Services, authentication: Authentication, request: web.Request) -> web.Response:
    is_open = services.status_is_public
    who = await (authentication.maybe_of(request) if is_open else authentication.of(request))
    if who is not None and _may_administer(who):
        status = await document.whole(services)
    elif is_open:
        status = document.open_to_all(services)
    else:
        raise Forbidden("The status of the server is for administrators; STATUS_PAGE may open a part of it to all.")
    text = await asyncio.to_thread(status_page, status)
    headers = {HEADER: correlation_id.get(), "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _may_administer(who: Identity) -> bool:
    return who.is_admin and (who.scopes is None or "admin" in who.scopes)
