"""`GET /status`: a page for administrators; for all others, without secrets, where STATUS_PAGE is public."""

import asyncio
from typing import Final

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import Forbidden
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.api.services import Services
from server.api_docs.pages import POLICY
from server.auth.authentication import Authentication
from server.http.middleware import HEADER, correlation_id
from server.http.request_end import EndpointEnd
from server.telemetry.status import document
from server.telemetry.status.page import status_page

READ_STATUS: Final = Endpoint("read_status", scope="admin", rate="costly", access="optional", parameters=None)


def routes(services: Services, authentication: Authentication) -> list[web.RouteDef]:
    async def handle(request: web.Request) -> web.StreamResponse:
        end = _StatusEnd(request, READ_STATUS, services, authentication, _answer)
        return await pipeline.run(READ_STATUS, services, end)

    return [web.get("/status", handle)]


class _StatusEnd(EndpointEnd):
    async def identify(self) -> Identity | None:
        is_open, request = self.services.status_is_public, self.request
        return await (self.authentication.maybe_of(request) if is_open else self.authentication.of(request))


async def _answer(request: web.Request, call: Call) -> web.StreamResponse:
    services, who = call.services, call.who
    if who is not None and _may_administer(who):
        status = await document.whole(services)
    elif services.status_is_public:
        status = document.open_to_all(services)
    else:
        raise Forbidden("The status of the server is for administrators; STATUS_PAGE may open a part of it to all.")
    text = await asyncio.to_thread(status_page, status)
    headers = {HEADER: correlation_id.get(), "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _may_administer(who: Identity) -> bool:
    return who.is_admin and who.has_scope("admin")
