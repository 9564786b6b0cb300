"""What describes the server, for programs and for people: the API's documents, and pages to read. Open to all."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Final

from aiohttp import web

from actors.errors import NotFound
from server.api.services import Services
from server.api_docs.assets import assets
from server.api_docs.document import HTML, Document
from server.http.compression import compressed
from server.http.headers.caching import FOR_GOOD
from server.http.headers.etags import matches
from server.http.middleware import HEADER, correlation_id

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Of the pages: what they load is here. Swagger UI sets styles on its elements; scripts stand in files alone."""


def routes(services: Services) -> list[web.RouteDef]:
    """Each document is made when it is asked for first, beside the event loop, and kept."""
    about = (services.version, services.problem_base, services.sign_ins.cookie)
    fixed: dict[str, Callable[[ModuleType], Document]] = {
        "/openapi.json": lambda documents: documents.openapi_json(*about),
        "/asyncapi.json": lambda documents: documents.asyncapi_json(services.version),
        "/": lambda documents: documents.start_page(services.version),
        "/docs": lambda documents: documents.api_page(),
        "/docs/events": lambda documents: documents.events_page(services.version),
        "/problems": lambda documents: documents.problems_page(),
    }

    async def problem(request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        return await _answer(
            request, await _made(lambda documents: documents.problem_page(slug, services.problem_base))
        )

    return [
        *(web.get(path, _handler(make)) for path, make in fixed.items()),
        web.get("/problems/{slug}", problem),
        web.get("/docs/static/{digest}/{name}", _asset),
    ]


async def _made(make: Callable[[ModuleType], Document]) -> Document:
    def with_documents() -> Document:
        from server.api_docs import made as documents

        return make(documents)

    return await asyncio.to_thread(with_documents)


def _handler(make: Callable[[ModuleType], Document]) -> Callable[[web.Request], Awaitable[web.Response]]:
    made: Document | None = None

    async def handle(request: web.Request) -> web.Response:
        nonlocal made
        if made is None:
            made = await _made(make)
        return await _answer(request, made)

    return handle


async def _asset(request: web.Request) -> web.Response:
    asset = assets().get(request.match_info["name"])
    if asset is None or asset.digest != request.match_info["digest"]:
        raise NotFound("resource", request.path[:200])
    return await _answer(request, Document(asset.body, asset.media_type, asset.digest, FOR_GOOD))


async def _answer(request: web.Request, document: Document) -> web.Response:
    body = await compressed(document) if _takes_gzip(request) else None
    headers = {
        HEADER: correlation_id.get(),
        "ETag": f'"{document.digest}"' if body is None else f'"{document.digest}-gzip"',
        "Cache-Control": document.cache,
        "Vary": "Accept-Encoding",
    }
    if body is not None:
        headers["Content-Encoding"] = "gzip"
    if document.content_type == HTML:
        headers["Content-Security-Policy"] = POLICY
    if matches(request.headers.get("If-None-Match"), document.digest):
        headers.pop("Content-Encoding", None)
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = document.content_type + (
        "" if document.content_type.endswith("json") else "; charset=utf-8"
    )
    return web.Response(body=document.body if body is None else body, headers=headers)


def _takes_gzip(request: web.Request) -> bool:
    """RFC 9110, 12.5.3: what has the weight 0 is not taken."""
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return not _NO_WEIGHT.fullmatch(weight.strip())
    return False


_NO_WEIGHT = re.compile(r"q\s*=\s*0(\.0{0,3})?")
