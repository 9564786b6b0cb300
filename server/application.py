"""The aiohttp application: routes of all operations, the live transports, and the middleware around them."""

from aiohttp import web

from actors import limits
from actors.runtime import Stage
from server import operations, rest
from server.authentication import Authentication, BrowserRules
from server.middleware import problem_middleware
from server.realtime.sse import Streams
from server.realtime.websocket import WebSockets
from server.services import Services


def make_application(services: Services, stage: Stage, browser: BrowserRules) -> web.Application:
    application = web.Application(
        middlewares=[problem_middleware(services.problem_base)], client_max_size=limits.BODY_BYTES
    )
    authentication = Authentication(services, browser)
    websockets = WebSockets(services, stage, authentication)
    streams = Streams(services, stage, authentication)
    application.add_routes(rest.routes(operations.ALL, services, authentication))
    application.add_routes(
        [
            web.get("/connection/websocket", websockets.handle, allow_head=False),
            web.get("/api/v1/ws", websockets.handle, allow_head=False),
            web.get("/api/v1/threads/{thread_id}/events", streams.of_thread, allow_head=False),
            web.get("/api/v1/events", streams.of_threads, allow_head=False),
        ]
    )
    return application
