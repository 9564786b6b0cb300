"""Requests as spans: of operations and transfers; none of pages, nor of what stays open (WebSockets, streams)."""

from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from server.http.middleware import MEASURED_AS

if TYPE_CHECKING:
    from server.telemetry.tracing.trace import Attributes
    from server.telemetry.tracing.tracer import SpanTracer

API: Final = "/api/v1/"
STAYS_OPEN: Final = ("/events", "/ws", "/edit")
"""How the routes end whose requests last as long as their client listens."""


def every_request(tracer: "SpanTracer") -> Middleware:
    """Around the middleware that answers errors, so that the span has the status that the client gets."""
    from server.telemetry.tracing.tracer import remote_parent

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = route_of(request)
        if route is None or route.endswith(STAYS_OPEN):
            return await handler(request)
        attributes: Attributes = {
            "http.request.method": request.method, "http.route": route, "xp.transport": "rest",
        }  # fmt: skip
        name = f"{request.method} {route}"
        with tracer.serving(name, remote_parent(request.headers), attributes) as trace:
            response = await handler(request)
            if (operation := request.get(MEASURED_AS)) is not None:
                trace.attributes["xp.operation"] = operation
            trace.answered(response.status)
            return response

    return middleware


def route_of(request: web.Request) -> str | None:
    """The path with the names of its parameters, never their values; None for what is not of the API."""
    resource = request.match_info.route.resource
    if resource is None or not resource.canonical.startswith(API):
        return None
    return resource.canonical
