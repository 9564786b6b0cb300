"""Errors on the wire: RFC 9457 problems, HTTP statuses, and the WebSocket protocol's error numbers. One table."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from actors import errors
from actors.errors import XpError
from server.api.render import iso_time

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class WireCodes:
    status: int
    """HTTP."""
    error: int
    """Of the Centrifugo client protocol."""


TABLE: Mapping[type[XpError], WireCodes] = {
    errors.Malformed: WireCodes(400, 107),
    errors.ValidationFailed: WireCodes(400, 107),
    errors.TooLarge: WireCodes(413, 106),
    errors.UnsupportedMedia: WireCodes(415, 107),
    errors.RangeNotSatisfiable: WireCodes(416, 107),
    errors.ChecksumMismatch: WireCodes(460, 107),  # as tus has it
    errors.UnsupportedProtocol: WireCodes(412, 107),
    errors.KeyReused: WireCodes(422, 107),
    errors.Invalid: WireCodes(400, 107),
    errors.TokenExpired: WireCodes(401, 109),
    errors.Unauthenticated: WireCodes(401, 101),
    errors.Forbidden: WireCodes(403, 103),
    errors.NotFound: WireCodes(404, 102),
    errors.MethodNotAllowed: WireCodes(405, 104),
    errors.PreconditionFailed: WireCodes(412, 107),
    errors.PreconditionRequired: WireCodes(428, 107),
    errors.QuotaExceeded: WireCodes(413, 107),
    errors.Conflict: WireCodes(409, 107),
    errors.TooManyRequests: WireCodes(429, 111),
    errors.Internal: WireCodes(500, 100),
    errors.StorageFull: WireCodes(507, 100),
    errors.UploadBusy: WireCodes(423, 100),
    errors.FileNotReady: WireCodes(423, 100),
    errors.Unavailable: WireCodes(503, 100),
}


def wire_codes(error: XpError) -> WireCodes:
    """Of the nearest class that the table names."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


_SLUGS: Mapping[str, str] = {"validation_failed": "validation-error"}
"""Where clients of the first system match on the problem's type."""


def slug(code: str) -> str:
    """The last part of the `type` of a problem."""
    return _SLUGS.get(code) or code.replace("_", "-")


def problem(error: XpError, *, base: str, correlation_id: str) -> dict[str, Any]:
    return {
        "type": f"{base}/{slug(error.code)}",
        "title": error.title,
        "status": wire_codes(error).status,
        "detail": _sayable(error.detail),
        "errors": {field: list(sentences) for field, sentences in error.field_errors.items()},
        "code": error.code,
        "retryable": error.retryable,
        "timestamp": iso_time(time.time_ns() // 1_000_000),
        "trace_id": correlation_id,
        "correlation_id": correlation_id,
    }


def _sayable(text: str) -> str:
    """Headers need not be UTF-8; what they say may stand in a sentence, but for control characters."""
    if text.isascii() and text.isprintable():
        return text
    return visible(text.encode(errors="replace").decode())


def visible(text: str) -> str:
    """Control characters as what they are written like: a terminal or a page would obey them."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def body(error: XpError, *, base: str, correlation_id: str) -> bytes:
    return orjson.dumps({"success": False, "error": problem(error, base=base, correlation_id=correlation_id)})


def headers(error: XpError) -> dict[str, str]:
    """What a status wants beside it."""
    status = wire_codes(error).status
    if status == 401:
        hint = ', error="invalid_token"' if isinstance(error, errors.TokenExpired) else ""
        return {"WWW-Authenticate": f'Bearer realm="experience"{hint}'}
    more: dict[str, str] = error.data.get("headers", {})
    if isinstance(error, errors.Unavailable) and status in (423, 429, 503, 507):
        return {"Retry-After": str(error.retry_after), **more}
    if isinstance(error, errors.MethodNotAllowed):
        return {"Allow": ", ".join(error.data.get("allowed", ()))}
    return more
