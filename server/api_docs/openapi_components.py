"""What the operations of the OpenAPI document share: headers, parameters, failures, and ways to sign in."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from actors import limits
from server.api_docs.examples import SOME_ID, TIME
from server.http import catalogue
from server.http.catalogue import Entry
from server.http.problems import CONTENT_TYPE

Json = dict[str, Any]

FAILURES: Final[Mapping[int, tuple[str, str]]] = {
    400: (
        "BadRequest",
        "The request could not be read, or a parameter or a field of the body is invalid: `errors` lists each.",
    ),
    401: ("Unauthenticated", "The request has no token, or an invalid one."),
    403: ("Forbidden", "The caller is known, but may not do it."),
    404: ("NotFound", "It does not exist, or the caller may not know that it exists."),
    405: ("MethodNotAllowed", "The path does not support this method."),
    409: ("Conflict", "The current state does not allow it."),
    412: ("PreconditionFailed", "`If-Match` does not name the current version."),
    413: ("TooLarge", f"The body has more than {limits.BODY_BYTES} bytes."),
    415: ("UnsupportedMediaType", "The body is not `application/json`, or it is compressed."),
    416: ("RangeNotSatisfiable", "None of the ranges lies within the content; `Content-Range` says how long it is."),
    423: ("Locked", "The file has no content yet, or another request writes to this upload; retry in a moment."),
    460: ("ChecksumMismatch", "The bytes are not those that `Upload-Checksum` announces; nothing of them was kept."),
    422: ("IdempotencyKeyReused", "The `Idempotency-Key` was already used for a different request."),
    428: ("PreconditionRequired", "The newest version is by another user, and the request has no `If-Match`."),
    429: ("TooManyRequests", "A rate limit was exceeded; retry after `Retry-After` seconds."),
    500: ("InternalError", "A defect of the server; its log entry has the correlation id."),
    503: ("Unavailable", "Overloaded, shutting down, or the database is unavailable. Nothing was done."),
    507: ("StorageFull", "The disk has no space for an upload or an export; retry after `Retry-After` seconds."),
}
"""Status → name of the response, and what it means."""

_WANTED: Final[Mapping[int, str]] = {
    401: "WWW-Authenticate",
    405: "Allow",
    423: "Retry-After",
    429: "Retry-After",
    503: "Retry-After",
    507: "Retry-After",
}
_RATE_LIMIT: Final = ("RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

_HEADERS: Final[Mapping[str, tuple[str, Json, Any]]] = {
    "X-Correlation-ID": (
        "The id that the request sent, or a generated one; it is in every log line of the request.", {"type": "string"},
        SOME_ID,
    ),
    "ETag": ("The version of the resource, if it has versions.", {"type": "string"}, '"3-9b1d0c4e"'),
    "Location": (
        "URL of the created resource.", {"type": "string", "format": "uri-reference"},
        f"/api/v1/threads/{SOME_ID}",
    ),
    "Tus-Resumable": ("The version of tus.", {"const": "1.0.0"}, "1.0.0"),
    "Tus-Version": ("Versions of tus that are spoken.", {"type": "string"}, "1.0.0"),
    "Tus-Extension": ("Extensions of tus that are spoken.", {"type": "string"}, "creation,expiration"),
    "Tus-Max-Size": ("Bytes of one file at most.", {"type": "integer", "minimum": 1}, limits.FILE_BYTES),
    "Tus-Checksum-Algorithm": ("What `Upload-Checksum` may use.", {"type": "string"}, "sha1,sha256,md5"),
    "Upload-Offset": ("How many bytes are there.", {"type": "integer", "minimum": 0}, 4_194_304),
    "Upload-Length": ("Bytes in all.", {"type": "integer", "minimum": 0}, 8_000_000),
    "Upload-Defer-Length": ("The length is not known yet.", {"const": "1"}, "1"),
    "Upload-Expires": ("When the upload ends, if it is not complete.", {"type": "string"},
                       "Tue, 01 Sep 2026 12:00:00 GMT"),
    "Upload-Metadata": ("Pairs of a name and a value in Base64.", {"type": "string"}, "filename YS50eHQ="),
    "X-File-Id": ("The file that the upload became.", {"type": "string"}, SOME_ID),
    "Content-Location": (
        "URL of that file.", {"type": "string", "format": "uri-reference"}, f"/api/v1/files/{SOME_ID}",
    ),
    "X-Storage-Left": ("Bytes that fit under the narrowest quota, where one is set.",
                       {"type": "integer", "minimum": 0}, 100_000_000),
    "Accept-Ranges": ("Ranges are served.", {"const": "bytes"}, "bytes"),
    "Content-Range": ("Which part this is, of how many bytes.", {"type": "string"}, "bytes 0-99/8000000"),
    "Content-Disposition": ("Whether to show or to save it, and its name (RFC 6266).", {"type": "string"},
                            'attachment; filename="a.txt"'),
    "Retry-After": ("Seconds to wait before the next attempt.", {"type": "integer", "minimum": 1}, 1),
    "WWW-Authenticate": ("How to sign in (RFC 6750).", {"type": "string"}, 'Bearer realm="experience"'),
    "Allow": ("The methods of the path.", {"type": "string"}, "GET, HEAD"),
    "X-Left-Out": (
        "Older messages of the thread than the export has.", {"type": "integer", "minimum": 1}, 120,
    ),
    "X-Missing-Scripts": (
        "Scripts of which no font of the server has all characters that are in the text.", {"type": "string"},
        "Han, Arabic",
    ),
    "X-Undrawn-Charts": (
        "Charts that could not be drawn; their data stand in their place.", {"type": "integer", "minimum": 1}, 1,
    ),
    "RateLimit": ("Bucket, remaining requests, seconds until more.", {"type": "string"}, '"read";r=399;t=1'),
    "RateLimit-Policy": ("Bucket, its size, seconds to fill it.", {"type": "string"}, '"read";q=400;w=4'),
    "RateLimit-Limit": ("Size of the bucket.", {"type": "integer", "minimum": 1}, 400),
    "RateLimit-Remaining": ("Remaining requests.", {"type": "integer", "minimum": 0}, 399),
    "RateLimit-Reset": ("Seconds until more requests are available.", {"type": "integer", "minimum": 0}, 1),
}  # fmt: skip
_SURE: Final = frozenset({"X-Correlation-ID", "WWW-Authenticate", "Allow", "Retry-After"})
"""They are there wherever they are documented."""

_PARAMETERS: Final[Mapping[str, tuple[str, Json, str]]] = {
    "X-Correlation-ID": (
        "Identifies the request in logs and responses: 1 to 128 letters, digits, or `._:-`. Other values are replaced.",
        {"type": "string"}, "",
    ),
    "Idempotency-Key": (
        "For 24 hours, the same request with the same key is executed once and returns the same result.",
        {"type": "string", "pattern": "^[!-~]([ -~]*[!-~])?$", "maxLength": limits.IDEMPOTENCY_KEY_CHARS}, "",
    ),
    "If-Match": (
        "An ETag of the resource: the change is made only if it is still the current version.",
        {"type": "string", "pattern": r'^(\*|(W/)?"[0-9]{1,18}(-[0-9a-f]{1,8})?")$'}, "*",
    ),
    "If-None-Match": ("An ETag: 304 while it is the current version.", {"type": "string"}, '"3-9b1d0c4e"'),
    "Last-Event-ID": ("The cursor to resume from; takes precedence over `cursor`.", {"type": "string"}, ""),
}  # fmt: skip


def security_schemes(cookie: str) -> Json:
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of `POST /api/v1/auth/login`, or of an issuer that this server trusts.",
        },
        "api_key": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "xpk_…",
            "description": "An API key in place of a token. Its scopes limit what it may do: `read`, `write`, `admin`.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "An access token in a browser. Requests that change something need an allowed `Origin`.",
        },
    }


def header(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}


def parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def failures(statuses: Iterable[int]) -> Json:
    """Responses of an operation that may fail so."""
    return {str(status): {"$ref": f"#/components/responses/{FAILURES[status][0]}"} for status in sorted(statuses)}


def answer_headers(*names: str) -> Json:
    """Of a response: what every answer has, and these."""
    return {name: header(name) for name in ("X-Correlation-ID", *names, *_RATE_LIMIT)}


def headers() -> Json:
    return {
        name: {"description": description, "required": name in _SURE, "schema": schema, "example": example}
        for name, (description, schema, example) in _HEADERS.items()
    }


def parameters() -> Json:
    made = {}
    for name, (description, schema, example) in _PARAMETERS.items():
        made[name] = {"name": name, "in": "header", "description": description, "schema": schema}
        if example:
            made[name]["example"] = example
    return made


def responses(problem_base: str) -> Json:
    return {name: _failure(status, description, problem_base) for status, (name, description) in FAILURES.items()}


def _failure(status: int, description: str, problem_base: str) -> Json:
    examples = {
        entry.code: {"summary": entry.what_to_do, "value": problem_example(entry, problem_base)}
        for entry in catalogue.ENTRIES
        if entry.status == status
    }
    wanted = (_WANTED[status],) if status in _WANTED else ()
    return {
        "description": description,
        "headers": answer_headers(*wanted),
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Failure"}, "examples": examples}},
    }


def problem_example(entry: Entry, problem_base: str) -> Json:
    is_about_fields = entry.code == "validation_failed"
    problem = {
        "type": f"{problem_base}/{entry.slug}",
        "title": entry.title,
        "status": entry.status,
        "detail": "Invalid: title. `errors` says what each field expects." if is_about_fields else entry.what_to_do,
        "errors": {"title": ["This field is required."]} if is_about_fields else {},
        "code": entry.code,
        "retryable": entry.is_retryable,
        "timestamp": TIME,
        "trace_id": SOME_ID,
        "correlation_id": SOME_ID,
    }
    return {"success": False, "error": problem}
