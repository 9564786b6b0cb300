"""Routes of everything that moves bytes of files. They go before those of the operations: a form is no JSON, though it
comes by the same address."""

from functools import partial
from typing import Final

from aiohttp import web

from server.api import operations
from server.api.endpoints import Endpoint
from server.files.downloads.download import Downloads
from server.files.downloads.zip_download import Archives
from server.files.transfer_end import Handler, ServeUser, by_url, for_users, handler_of
from server.files.transfers import Transfers
from server.files.uploads.direct_handler import DirectBytes
from server.files.uploads.forms import Forms
from server.files.uploads.raw import Raw
from server.files.uploads.receiving import go_on, wait_with_body
from server.files.uploads.tus_handlers import PATH, Tus, must_be_spoken, spoken
from server.files.uploads.uploads import Uploads
from server.http import rest

_FILE = "/api/v1/files/{file_id:[^/]{25}}"
_VERSION = _FILE + r"/versions/{number}"
_UPLOAD = PATH + "/{upload_id:[^/]{25}}"

writes = partial(Endpoint, scope="write", rate="write")
CREATE_FILE: Final = writes("create_file")
REPLACE_CONTENT: Final = writes("replace_file_content")
CREATE_UPLOAD: Final = writes("create_upload")
GET_UPLOAD: Final = writes("get_upload")
APPEND: Final = writes("append_to_upload")
APPEND_BY_POST: Final = writes("append_to_upload_by_post")
END_UPLOAD: Final = writes("end_upload")
SEND_DIRECT: Final = writes("send_direct_upload", access="open", takes_signature=True)

reads = partial(Endpoint, takes_signature=True)
READ_FILE: Final = reads("read_file", parameters=("disposition", "version"))
READ_VERSION: Final = reads("read_file_version", parameters=("disposition", "version"))
READ_PREVIEW: Final = reads("read_file_preview", parameters=("disposition", "version", "name"))
READ_VERSION_PREVIEW: Final = reads("read_version_preview", parameters=("disposition", "version", "name"))
ZIP: Final = reads("zip_files", rate="costly")
ZIP_BY_GET: Final = reads("zip_files_by_get", rate="costly", parameters=("ids", "name"))


def routes(transfers: Transfers) -> list[web.RouteDef]:
    uploads = Uploads(transfers)
    return [*_uploading(transfers, uploads), *_by_tus(transfers, Tus(transfers, uploads)), *_downloading(transfers)]


def _uploading(transfers: Transfers, uploads: Uploads) -> list[web.RouteDef]:
    by_form = handler_of(CREATE_FILE, transfers, for_users(Forms(transfers, uploads).create))
    by_json = rest.handler_of(operations.BY_NAME["create_file"], transfers.services, transfers.authentication)

    async def create(request: web.Request) -> web.StreamResponse:
        if request.content_type.startswith("multipart/"):
            return await by_form(request)
        await go_on(request)
        return await by_json(request)

    put = handler_of(REPLACE_CONTENT, transfers, for_users(Raw(transfers, uploads).put))
    put_directly = handler_of(SEND_DIRECT, transfers, by_url(DirectBytes(transfers, uploads).put))
    return [
        _receiving("POST", "/api/v1/files", create),
        _receiving("PUT", _FILE + "/content", put),
        _receiving("PUT", _UPLOAD + "/bytes", put_directly),
    ]


def _by_tus(transfers: Transfers, tus: Tus) -> list[web.RouteDef]:
    def handler(endpoint: Endpoint, serve: ServeUser) -> Handler:
        return spoken(handler_of(endpoint, transfers, for_users(must_be_spoken(serve))))

    return [
        web.options(PATH, spoken(tus.options)),
        web.options(_UPLOAD, spoken(tus.options)),
        _receiving("POST", PATH, handler(CREATE_UPLOAD, tus.create)),
        web.head(_UPLOAD, handler(GET_UPLOAD, tus.head)),
        _receiving("PATCH", _UPLOAD, handler(APPEND, tus.patch)),
        web.delete(_UPLOAD, handler(END_UPLOAD, tus.delete)),
        _receiving("POST", _UPLOAD, handler(APPEND_BY_POST, tus.instead)),
    ]


def _downloading(transfers: Transfers) -> list[web.RouteDef]:
    downloads, archives = Downloads(transfers), Archives(transfers)
    return [
        web.get(_FILE + "/content", handler_of(READ_FILE, transfers, downloads.content)),
        web.get(_VERSION + "/content", handler_of(READ_VERSION, transfers, downloads.content)),
        web.get(_FILE + "/preview", handler_of(READ_PREVIEW, transfers, downloads.preview)),
        web.get(_VERSION + "/preview", handler_of(READ_VERSION_PREVIEW, transfers, downloads.preview)),
        web.get("/api/v1/files/zip", handler_of(ZIP_BY_GET, transfers, archives.get)),
        web.post("/api/v1/files/zip", handler_of(ZIP, transfers, archives.post)),
    ]


def _receiving(method: str, path: str, handler: Handler) -> web.RouteDef:
    """Its body is asked for once the request is known to be allowed."""
    return web.route(method, path, handler, expect_handler=wait_with_body)
