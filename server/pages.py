"""What describes the server, for programs and for people: the API's documents, and pages to read. Open to all."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web

from actors.errors import NotFound
from server import asyncapi, event_page, html, openapi, operations
from server.assets import assets
from server.catalogue import BY_SLUG
from server.middleware import HEADER, correlation_id
from server.openapi_components import problem_example
from server.services import Services

HTML: Final = "text/html"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Of the pages: what they load is here. Swagger UI sets styles on its elements; scripts stand in files alone."""
FOR_GOOD: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "public, no-cache"
"""May be kept, and is asked for by its ETag each time."""


@dataclass(frozen=True, slots=True)
class Document:
    body: bytes
    content_type: str
    digest: str
    """Of the body, for its ETag."""
    cache: str


def _document(body: bytes | str, content_type: str) -> Document:
    raw = body.encode() if isinstance(body, str) else body
    return Document(raw, content_type, hashlib.blake2b(raw, digest_size=8).hexdigest(), ASK_AGAIN)


def routes(services: Services) -> list[web.RouteDef]:
    """Each document is made when it is asked for first, beside the event loop, and kept."""
    about = (services.version, services.problem_base, services.sign_ins.cookie)
    fixed: dict[str, Callable[[], Document]] = {
        "/openapi.json": lambda: _openapi(*about),
        "/asyncapi.json": lambda: _asyncapi(services.version),
        "/docs": _api_page,
        "/docs/events": lambda: _event_page(services.version),
        "/problems": _problems_page,
    }

    async def problem(request: web.Request) -> web.Response:
        return _answer(request, _problem_page(request.match_info["slug"], services.problem_base))

    return [
        *(web.get(path, _handler(make)) for path, make in fixed.items()),
        web.get("/problems/{slug}", problem),
        web.get("/docs/static/{digest}/{name}", _asset),
    ]


def _openapi(version: str, problem_base: str, cookie: str) -> Document:
    made = openapi.document(operations.ALL, version=version, problem_base=problem_base, cookie=cookie)
    return _document(orjson.dumps(made), "application/json")


def _asyncapi(version: str) -> Document:
    return _document(orjson.dumps(asyncapi.document(version=version)), "application/json")


def _api_page() -> Document:
    return _document(html.api_page(), HTML)


def _event_page(version: str) -> Document:
    return _document(event_page.render(asyncapi.document(version=version)), HTML)


def _problems_page() -> Document:
    return _document(html.problems_page(), HTML)


def _problem_page(slug: str, problem_base: str) -> Document:
    """Raises `NotFound` for a kind of problem that there is not."""
    entry = BY_SLUG.get(slug)
    if entry is None:
        raise NotFound("kind of problem", slug[:100])
    return _document(html.problem_page(entry, problem_example(entry, problem_base)), HTML)


def _handler(make: Callable[[], Document]) -> Callable[[web.Request], Awaitable[web.Response]]:
    made: Document | None = None

    async def handle(request: web.Request) -> web.Response:
        nonlocal made
        if made is None:
            made = await asyncio.to_thread(make)
        return _answer(request, made)

    return handle


async def _asset(request: web.Request) -> web.Response:
    asset = assets().get(request.match_info["name"])
    if asset is None or asset.digest != request.match_info["digest"]:
        raise NotFound("resource", request.path[:200])
    return _answer(request, Document(asset.body, asset.media_type, asset.digest, FOR_GOOD))


def _answer(request: web.Request, document: Document) -> web.Response:
    headers = {
        HEADER: correlation_id.get(),
        "ETag": f'"{document.digest}"',
        "Cache-Control": document.cache,
    }
    if document.content_type == HTML:
        headers["Content-Security-Policy"] = POLICY
    if any(tag.value in (document.digest, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = document.content_type + (
        "" if document.content_type.endswith("json") else "; charset=utf-8"
    )
    return web.Response(body=document.body, headers=headers)
