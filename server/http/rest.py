"""REST: one route for every operation. Reads the request, calls the operation, answers in the envelope."""

import hashlib
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from typing import Any

import orjson
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from actors import limits
from actors.auth.identity import Identity
from actors.commands import IfVersion, Once
from actors.errors import Malformed, NotFound, Overloaded, TooLarge, UnsupportedMedia, ValidationFailed
from actors.identifiers import is_id
from server.api import pipeline
from server.api.registry import Call, Operation, Result
from server.api.render import iso_time
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http import exact_json
from server.http.connections.parse_errors import in_one_line
from server.http.connections.refusing import TooMuchUnfinished
from server.http.exact_json import Inexact
from server.http.headers.caching import ASKED_FOR, BY_IDENTITY
from server.http.headers.etags import matches, versions_of
from server.http.headers.security_headers import api_headers
from server.http.middleware import HEADER, MEASURED_AS, correlation_id
from server.http.request_end import RequestEnd
from server.realtime.message_upload import half_json

JSON = "application/json"
_ID = re.compile(r"\{(\w*id)\}")
"""A path parameter that holds an id: as long as one, so that `DELETE /users/me` is a wrong method, not a wrong id."""


def routes(operations: Sequence[Operation], services: Services, authentication: Authentication) -> list[web.RouteDef]:
    """Static paths first: `/users/me` is not a user's id. aiohttp tries patterns in order, so the busiest go first."""
    ordered = sorted(operations, key=lambda operation: (operation.path.count("{"), operation.tag != "messages"))
    found = []
    for operation in ordered:
        handler = handler_of(operation, services, authentication)
        found += [web.route(method, _pattern(operation.path), handler) for method in operation.methods]
    return found


@cache
def _pattern(path: str) -> str:
    return _ID.sub(r"{\1:[^/]{25}}", path)


def handler_of(
    operation: Operation, services: Services, authentication: Authentication
) -> Callable[[web.Request], Awaitable[web.Response]]:
    identify = _identification(operation, authentication)

    async def handle(request: web.Request) -> web.Response:
        request[MEASURED_AS] = operation.name
        end = _RestEnd(request, operation, services, authentication, identify)
        return end.answer(await pipeline.run(operation, services, end))

    return handle


Identify = Callable[[web.Request], Awaitable[Identity | None]]


class _RestEnd(RequestEnd):
    __slots__ = ("_identify", "_operation", "_parameters", "_services")

    def __init__(
        self, request: web.Request, operation: Operation, services: Services, authentication: Authentication,
        identify: Identify,
    ) -> None:  # fmt: skip
        super().__init__(request, authentication)
        self._operation = operation
        self._services = services
        self._identify = identify
        self._parameters: dict[str, Any] = {}

    def identify(self) -> Awaitable[Identity | None]:
        return self._identify(self.request)

    async def read(self, who: Identity | None) -> Call:
        request, operation = self.request, self._operation
        is_late = operation.has_body and not request.content.is_eof()
        self._parameters = parameters = await _body(request, operation) if operation.has_body else _query(request)
        if is_late:  # what the identity rested on may have ended while the body came
            who = await self._identify(request)
        _take_path(parameters, request)
        return Call(
            self._services, who, partial(self.authentication.peer, request), _once(request, operation, parameters),
            if_match(request), operation.name,
        )  # fmt: skip

    def work(self, call: Call) -> Awaitable[Result]:
        return self._operation.handler(call, self._operation.parse(self._parameters, typed=self._operation.has_body))

    def answer(self, result: Result) -> web.Response:
        operation = self._operation
        if result.redirect is not None:
            response = _redirect(result.redirect)
        else:
            response = respond(self.request, result, operation.status, keeps_pages=operation.keeps_pages)
        if result.cookies:
            self.authentication.set_cookies(response, result.cookies)
        return response


def _identification(operation: Operation, authentication: Authentication) -> Identify:
    match operation.access:
        case "open":
            return _nobody
        case "optional":
            return authentication.maybe_of
        case _:
            return authentication.of


async def _nobody(request: web.Request) -> None:
    return None


# Reading


async def _body(request: web.Request, operation: Operation) -> dict[str, Any]:
    asked = _query_beside_body(request, operation) if request.query_string else {}
    raw = await raw_body(request, limits.BODY_BYTES if operation.is_for_known else limits.STRANGER_BODY_BYTES)
    if not raw:
        return asked
    if request.headers.get("Content-Type") != JSON and not _is_json(request.content_type):
        raise UnsupportedMedia(f"Expected application/json, got {request.content_type}.")
    body = _parse(raw, operation)
    if (field := operation.request.wrapped.get(request.content_type)) is not None:
        return {field: body, **asked}
    if not isinstance(body, dict):
        raise ValidationFailed({"body": ["expected a JSON object."]})
    if misplaced := operation.request.in_query & body.keys():
        raise ValidationFailed({name: ["This comes with the query; leave it out here."] for name in misplaced})
    return body | asked if asked else body


def _query_beside_body(request: web.Request, operation: Operation) -> dict[str, Any]:
    found = _query(request)
    if unknown := found.keys() - operation.request.in_query:
        raise ValidationFailed({name: ["This query parameter is not known here."] for name in sorted(unknown)})
    return found


def _parse(raw: bytes, operation: Operation) -> Any:
    try:
        return parse_json(raw)
    except Malformed:
        piece = half_json.piece(raw) if operation.request.takes_halves else None
        if piece is None:
            raise
        return piece


async def raw_body(request: web.Request, most: int) -> bytes:
    """All of it, as it came. Raises `TooLarge` before more than `most` bytes are held, `UnsupportedMedia` where it is
    compressed, `Malformed` where it broke off, `Overloaded` where too many others are unfinished."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMedia("Compressed bodies are not supported; send it without Content-Encoding.")
    if (request.content_length or 0) > most:
        raise TooLarge("A body", most, request.content_length)
    try:
        return await _whole(request, most)
    except TooMuchUnfinished as error:
        raise Overloaded(f"{error}.") from None
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise Malformed(f"The body could not be read: {in_one_line(error)}") from None


async def _whole(request: web.Request, most: int) -> bytes:
    content = request.content
    if content.is_eof():  # it has come with its headers, as nearly all do
        raw = content.read_nowait()
    else:
        pieces: list[bytes] = []
        size = 0
        while size <= most and (piece := await content.readany()):
            pieces.append(piece)
            size += len(piece)
        raw = b"".join(pieces)
    if len(raw) > most:
        raise TooLarge("A body", most, None)
    return raw


def _is_json(content_type: str) -> bool:
    return content_type == JSON or content_type.endswith("+json")


def parse_json(raw: bytes | str) -> Any:
    """Raises `Malformed`, which says where, or what of it could not be kept as it came."""
    try:
        return exact_json.parse(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"Expected JSON: {error.msg} at character {error.pos}.") from None
    except Inexact as error:
        raise Malformed(f"JSON that cannot be stored unchanged: {error}.") from None


def _query(request: web.Request) -> dict[str, Any]:
    if not request.query_string:
        return {}
    found: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in found:
            raise ValidationFailed({name: ["This query parameter was given more than once."]})
        found[name] = value
    return found


def _take_path(parameters: dict[str, Any], request: web.Request) -> None:
    for name, value in request.match_info.items():
        if name in parameters:
            raise ValidationFailed({name: ["This comes with the path; leave it out here."]})
        if (name == "id" or name.endswith("_id")) and not is_id(value):
            raise NotFound("resource", request.path[:200])
        parameters[name] = value


def _once(request: web.Request, operation: Operation, parameters: dict[str, Any]) -> Once | None:
    key = request.headers.get("Idempotency-Key")
    return None if key is None or not operation.takes_key(request.method) else once(key, operation, parameters)


def once(key: object, operation: Operation, parameters: dict[str, Any]) -> Once:
    """A retry is the same operation with the same parameters; raises `ValidationFailed` for a key that is none."""
    if not (isinstance(key, str) and 0 < len(key) <= limits.IDEMPOTENCY_KEY_CHARS and key.isprintable()):
        expected = f"expected 1 to {limits.IDEMPOTENCY_KEY_CHARS} printable characters."
        raise ValidationFailed({"Idempotency-Key": [expected]})
    try:
        canonical = orjson.dumps([operation.name, parameters], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # it reads 1024 levels and writes 254
        raise ValidationFailed({"body": [f"may be nested at most {limits.JSON_DEPTH} levels deep."]}) from None
    return Once(key, hashlib.blake2b(canonical, digest_size=16).hexdigest())


def if_match(request: web.Request) -> IfVersion:
    lines = request.headers.getall("If-Match", ())
    if not lines:
        return None
    versions = versions_of(", ".join(lines))
    if versions is None:
        raise Malformed("If-Match must be `*`, or ETags of this server.")
    if len(versions) == 1:
        return next(iter(versions))
    return versions or None


# Answering


def _redirect(location: str) -> web.Response:
    headers = {HEADER: correlation_id.get(), "Location": location, "Cache-Control": "no-store"}
    return web.Response(status=303, headers=headers)


def respond(request: web.Request, result: Result, status: int, *, keeps_pages: bool = False) -> web.Response:
    """In the envelope; `status` where the result names none. `keeps_pages`: a page has an ETag, too."""
    data = orjson.dumps(result.data)
    headers = api_headers()
    headers[HEADER] = correlation_id.get()
    headers[hdrs.CONTENT_TYPE] = JSON
    if result.location is not None:
        headers[hdrs.LOCATION] = result.location
    tag = _tag(result, data, keeps_pages=keeps_pages)
    if tag is not None:
        headers[hdrs.CACHE_CONTROL] = ASKED_FOR
        headers[hdrs.ETAG] = f'"{tag}"' if result.version is not None else f'W/"{tag}"'
        if request.method in ("GET", "HEAD"):
            headers[hdrs.VARY] = BY_IDENTITY
            if matches(request.headers.get("If-None-Match"), tag):
                return web.Response(status=304, headers=headers)
    return web.Response(
        body=b'{"success":true,"data":%b,"metadata":%b}' % (data, _metadata(result)),
        status=result.status or status,
        headers=headers,
    )


def _tag(result: Result, data: bytes, *, keeps_pages: bool) -> str | None:
    """By what an unchanged answer is known; None: it is not kept. Of a page it is all but the time of the answer."""
    if result.version is not None:
        return f"{result.version}-{zlib.crc32(data):08x}"
    if not keeps_pages:
        return None
    digest = hashlib.blake2b(data, digest_size=8)
    digest.update(orjson.dumps([result.limit, result.next_cursor, result.extra]))
    return digest.hexdigest()


def _metadata(result: Result) -> bytes:
    timestamp, chosen = iso_time(time.time_ns() // 1_000_000), correlation_id.get()
    if result.limit is None and not result.extra:  # most answers; neither of the two has anything to escape
        return f'{{"timestamp":"{timestamp}","correlation_id":"{chosen}","version":"1.0"}}'.encode()
    metadata = {"timestamp": timestamp, "correlation_id": chosen, "version": "1.0", **result.extra}
    if result.limit is not None:
        metadata["pagination"] = {
            "limit": result.limit,
            "next_cursor": result.next_cursor,
            "has_more": result.next_cursor is not None,
        }
    return orjson.dumps(metadata)
