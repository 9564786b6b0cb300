"""The aiohttp application: routes of all operations, the live transports, and the middleware around them."""

from aiohttp import web

from actors import limits
from actors.runtime.loop_actor import Stage
from server.api import operations
from server.api.services import Services
from server.api_docs import pages
from server.artifacts import routes as artifacts
from server.auth.authentication import Authentication, BrowserRules
from server.collab.sockets import EditorSockets
from server.exports import routes as exports
from server.files import routes as files
from server.files.transfers import Transfers
from server.files.uploads.disk_pace import DiskPace
from server.files.uploads.staging import Staging
from server.http import rest, tracing
from server.http.headers import cors, security_headers
from server.http.middleware import ADD_HEADERS, AddHeaders, every_request
from server.limits import rate_limits
from server.realtime.message_upload.handler import Answers
from server.realtime.sse.handler import Streams
from server.realtime.transports.emulation import Emulation
from server.realtime.transports.websocket import WebSockets
from server.resources.mail import pages as mail
from server.resources.mail import sign_in_page
from server.telemetry import endpoint
from server.telemetry.status import routes as status
from server.telemetry.watching import routes as watching


def make_application(services: Services, stage: Stage, browser: BrowserRules) -> web.Application:
    add_headers = _header_adder(services, browser)
    answering = every_request(
        services.problem_base, browser.allowed_origins, add_headers, services.request_log, services.measures
    )
    around = [] if services.tracer is None else [tracing.every_request(services.tracer)]
    application = web.Application(
        middlewares=[*around, answering],
        client_max_size=limits.BODY_BYTES,
    )
    application[ADD_HEADERS] = add_headers
    authentication = Authentication(services, browser)
    websockets = WebSockets(services, stage, authentication)
    streams = Streams(services, stage, authentication)
    emulation = Emulation(services, stage, authentication)
    transfers = transfers_of(application, services, authentication)
    application.add_routes(files.routes(transfers))
    application.add_routes(artifacts.routes(transfers))
    application.add_routes(exports.routes(transfers))
    editors = EditorSockets(services, authentication)
    application.add_routes([web.get("/api/v1/artifacts/{artifact_id}/edit", editors.handle, allow_head=False)])
    application.add_routes(watching.routes(services, stage, authentication))
    application.add_routes(rest.routes(operations.ALL, services, authentication))
    application.add_routes(pages.routes(services))
    application.add_routes(endpoint.routes(services, browser.proxies))
    application.add_routes(status.routes(services, authentication))
    application.add_routes(mail.routes(services, authentication))
    application.add_routes(sign_in_page.routes(services, authentication))
    application.add_routes(
        [
            web.get("/connection/websocket", websockets.handle, allow_head=False),
            web.get("/api/v1/ws", websockets.handle, allow_head=False),
            web.get("/connection/sse", emulation.sse, allow_head=False),
            web.post("/connection/http_stream", emulation.http_stream),
            web.post("/emulation", emulation.more),
            web.get("/api/v1/threads/{thread_id}/events", streams.of_thread, allow_head=False),
            web.get("/api/v1/artifacts/{artifact_id}/events", streams.of_artifact, allow_head=False),
            web.get("/api/v1/events", streams.of_threads, allow_head=False),
            web.get("/api/v1/users/me/events", streams.of_oneself, allow_head=False),
            web.post("/api/v1/threads/{thread_id}/messages:stream", Answers(services, stage, authentication).handle),
        ]
    )
    return application


def transfers_of(application: web.Application, services: Services, authentication: Authentication) -> Transfers:
    """What moves bytes of files; its threads end with the application."""
    staging = Staging(services.files.folder, DiskPace(lambda: services.directory.journal.batches))

    async def close(_: web.Application) -> None:
        staging.close()

    application.on_cleanup.append(close)
    return Transfers(services, authentication, services.files, staging, services.files.url_keys)


def _header_adder(services: Services, browser: BrowserRules) -> AddHeaders:
    """Adds headers to every response, also to streams and to errors of aiohttp itself."""
    adders = [security_headers.header_adder(browser.proxies)]
    if browser.allowed_origins:
        adders.append(cors.header_adder(browser.allowed_origins))
    if services.limiter is not None:
        adders.append(rate_limits.add_headers)
    if len(adders) == 1:
        return adders[0]

    def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        for add in adders:
            add(request, response)

    return add_headers
