"""`GET /metrics`: for scrapers of the networks that METRICS lists, or with the token of METRICS_TOKEN."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from actors.errors import Forbidden
from server.api.services import Services
from server.http.headers.peers import Proxies
from server.telemetry.metrics import METRICS

Handler = Callable[[web.Request], Awaitable[web.Response]]


def routes(services: Services, proxies: Proxies) -> list[web.RouteDef]:
    """Of the application's own port; none where metrics have a port of their own."""
    access = services.metrics_access

    async def handle(request: web.Request) -> web.Response:
        if not access.allows(request, proxies):
            raise Forbidden("Metrics are for the networks that METRICS lists, or with the token of METRICS_TOKEN.")
        return await _scraped(services, request)

    return [] if access.has_own_port else [web.get("/metrics", handle, allow_head=False)]


def application(services: Services) -> web.Application:
    """For the port of its own, which serves nothing else: who reaches it may scrape, where no token is set."""
    access = services.metrics_access

    async def handle(request: web.Request) -> web.Response:
        if access.token is not None and not access.has_token(request):
            raise web.HTTPForbidden(text="Send METRICS_TOKEN as a Bearer token.")
        return await _scraped(services, request)

    own = web.Application()
    own.add_routes([web.get("/metrics", handle, allow_head=False)])
    return own


async def _scraped(services: Services, request: web.Request) -> web.Response:
    """Numbers are read on the event loop, and written as text beside it."""
    collected = [(metric, tuple(metric.read(services))) for metric in METRICS]
    body, content_type = await asyncio.to_thread(_text, collected, request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


def _text(collected: object, accept: str) -> tuple[bytes, str]:
    from server.telemetry import exposition

    return exposition.text(collected, accept)  # type: ignore[arg-type]
