"""Routes of everything that moves bytes of files. They go before those of the operations: a form is no JSON, though it
comes by the same address."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from actors.errors import Forbidden, NotFound
from server.api import operations
from server.api.services import Services
from server.files.downloads.download import Downloads
from server.files.downloads.zip_download import Archives
from server.files.transfers import USER, Transfers
from server.files.uploads.direct_handler import DirectBytes
from server.files.uploads.forms import Forms
from server.files.uploads.raw import Raw
from server.files.uploads.receiving import go_on, wait_with_body
from server.files.uploads.tus_handlers import PATH, Tus, spoken
from server.files.uploads.uploads import Uploads
from server.http import rest
from server.http.middleware import correlation_id

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_FILE = "/api/v1/files/{file_id:[^/]{25}}"
_VERSION = _FILE + r"/versions/{number}"
_UPLOAD = PATH + "/{upload_id:[^/]{25}}"


def routes(transfers: Transfers) -> list[web.RouteDef]:
    services = transfers.services
    uploads = Uploads(transfers)
    tus, downloads, archives = Tus(transfers, uploads), Downloads(transfers), Archives(transfers)
    noted = _noting(services)
    form = noted(Forms(transfers, uploads).handle)
    create = rest.handler_of(operations.BY_NAME["create_file"], services, transfers.authentication)

    async def create_by_form_or_json(request: web.Request) -> web.StreamResponse:
        if request.content_type.startswith("multipart/"):
            return await form(request)
        await go_on(request)
        return await create(request)

    return [
        _receiving("POST", "/api/v1/files", create_by_form_or_json),
        _receiving("PUT", _FILE + "/content", noted(Raw(transfers, uploads).put)),
        web.options(PATH, spoken(tus.options)),
        web.options(_UPLOAD, spoken(tus.options)),
        _receiving("POST", PATH, spoken(noted(tus.create))),
        web.head(_UPLOAD, spoken(noted(tus.head))),
        _receiving("PATCH", _UPLOAD, spoken(noted(tus.patch))),
        web.delete(_UPLOAD, spoken(noted(tus.delete))),
        _receiving("POST", _UPLOAD, spoken(noted(tus.instead))),
        _receiving("PUT", _UPLOAD + "/bytes", noted(DirectBytes(transfers, uploads).put)),
        web.get(_FILE + "/content", noted(downloads.content)),
        web.get(_VERSION + "/content", noted(downloads.content)),
        web.get(_FILE + "/preview", noted(downloads.preview)),
        web.get(_VERSION + "/preview", noted(downloads.preview)),
        web.get("/api/v1/files/zip", noted(archives.get)),
        web.post("/api/v1/files/zip", noted(archives.post)),
    ]


def _noting(services: Services) -> Callable[[Handler], Handler]:
    """What was refused can be explained by an administrator, as for operations."""

    def noted(handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except (Forbidden, NotFound) as refusal:
                if (user_id := request.get(USER)) is not None:
                    resource = request.match_info.route.resource
                    assert resource is not None  # of a route with a path
                    what = f"{request.method} {resource.canonical}"
                    services.refusals.note(user_id, what, refusal, correlation_id.get())
                raise

        return handle

    return noted


def _receiving(method: str, path: str, handler: Handler) -> web.RouteDef:
    """Its body is asked for once the request is known to be allowed."""
    return web.route(method, path, handler, expect_handler=wait_with_body)
