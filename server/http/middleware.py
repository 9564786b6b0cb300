"""The middleware of every request: a correlation id, and problems for all failures."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import pykka
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.typedefs import Middleware
from multidict import istr

from actors import errors, limits
from actors.errors import XpError
from actors.identifiers import new_id
from server.http import problems
from server.http.headers import cors
from server.http.request_log import RequestLog
from server.telemetry.measures import ServerMeasures
from server.telemetry.tracing import current as tracing

logger = logging.getLogger("server.http")

HEADER = istr("X-Correlation-ID")
_VALID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
"""Of the request being handled; every log line carries it."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def correlate(request: web.BaseRequest) -> str:
    """The id that the client sent, where it is a sane one, that of the trace, or a new one."""
    given = request.headers.get(HEADER, "")
    chosen = given if _VALID.fullmatch(given) else tracing.trace_id() or new_id()
    correlation_id.set(chosen)
    return chosen


AddHeaders = Callable[[web.Request, web.StreamResponse], None]
"""Adds the headers that every response has."""
ADD_HEADERS: web.AppKey[AddHeaders] = web.AppKey("ADD_HEADERS")
"""For responses that start within their handler; see `begin`. aiohttp's own signal for it costs each request 8 %."""

MEASURED_AS: web.RequestKey[str] = web.RequestKey("measured_as", str)
"""Name of the operation that a request is counted and timed as; without it, one of the other requests."""


async def begin(request: web.Request, response: web.StreamResponse) -> AbstractStreamWriter | None:
    """Send the headers of a stream or an upgrade."""
    request.app[ADD_HEADERS](request, response)
    return await response.prepare(request)


def every_request(
    problem_base: str,
    allowed_origins: frozenset[str],
    add_headers: AddHeaders,
    log: RequestLog,
    measures: ServerMeasures,
) -> Middleware:  # fmt: skip
    """Around every handler: errors of the catalogue, of aiohttp and of ours become problems; pages of other origins
    that ask first are answered; every answer gets the headers that all have."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        chosen = correlate(request)
        began, code = time.monotonic(), ""
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - the response is a problem; logged where the fault is ours
            response, code = _answer(error, request, chosen)
            _break_off_begun(request)
        if not response.prepared:
            add_headers(request, response)
        seconds = time.monotonic() - began
        measures.request(request.get(MEASURED_AS), response.status, seconds, code)
        log.request(
            request.method, request.rel_url.raw_path, response.status, seconds, code=code,
            known=getattr(request.protocol, "user_key", None) is not None,
        )  # fmt: skip
        return response

    def _answer(error: Exception, request: web.Request, chosen: str) -> tuple[web.Response, str]:
        match error:
            case web.HTTPMethodNotAllowed() if cors.is_preflight(request, allowed_origins):
                return cors.preflight(error.allowed_methods, {HEADER: chosen}), ""
            case web.HTTPException() if error.status < 400:
                return web.Response(status=error.status, headers={**error.headers, HEADER: chosen}), ""
            case web.HTTPException():
                problem = _translate(request, error)
            case XpError():
                problem = error
            case pykka.ActorDeadError():
                problem = errors.ShuttingDown("The server is shutting down; retry in a moment.")
            case _:
                logger.error("%s %s failed", request.method, request.rel_url.raw_path, exc_info=error)
                problem = errors.Internal()
        tracing.note_error(problem.code)
        return problem_response(problem, problem_base, chosen), problem.code

    return middleware


def _break_off_begun(request: web.Request) -> None:
    """An answer to a failure would be read as the rest of one that has begun."""
    if request.writer.output_size and request.transport is not None:
        request.transport.close()


def problem_response(error: XpError, problem_base: str, chosen: str) -> web.Response:
    return web.Response(
        body=problems.body(error, base=problem_base, correlation_id=chosen),
        status=problems.wire_codes(error).status,
        content_type=problems.CONTENT_TYPE,
        headers={HEADER: chosen, **problems.headers(error)},
    )


def _translate(request: web.Request, error: web.HTTPException) -> XpError:
    """What aiohttp itself refuses, in our words."""
    match error:
        case web.HTTPMethodNotAllowed() if cors.asks_first(request):
            return cors.refusal(request)
        case web.HTTPMethodNotAllowed():
            allowed = sorted(error.allowed_methods)
            return errors.MethodNotAllowed(
                f"{request.path} supports {', '.join(allowed)}; got {request.method}.", allowed=allowed
            )
        case web.HTTPNotFound():
            return errors.NotFound("resource", request.path[:200])
        case web.HTTPRequestEntityTooLarge():
            return errors.TooLarge("A body", limits.BODY_BYTES, request.content_length)
        case _:
            return errors.Malformed(error.text or error.reason)
