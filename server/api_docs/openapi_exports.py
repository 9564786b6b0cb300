"""For OpenAPI: threads as files, and the files that export jobs have made. The jobs are operations."""

from typing import Any, Final

from server.api_docs.examples import ID_PATTERN
from server.api_docs.openapi_components import Json, answer_headers, failures, parameter
from server.artifacts.printing import SHORT_NAMES
from server.exports.threads import THREAD_FORMATS

_ID: Final[Json] = {"type": "string", "pattern": ID_PATTERN}
_BYTES: Final[Json] = {"schema": {"type": "string", "format": "binary"}}
_OBJECT: Final[Json] = {"schema": {"type": "object"}}
_READING: Final = [{"token": []}, {"api_key": ["read"]}, {"cookie": []}]


def paths() -> Json:
    return {
        "/api/v1/threads/{thread_id}/export": {"get": _thread()},
        "/api/v1/exports/{export_id}/content": {"get": _content()},
    }


def _thread() -> Json:
    formats: dict[str, Any] = {"type": "string", "enum": [*THREAD_FORMATS, *SHORT_NAMES], "default": "json"}
    return {
        "operationId": "export_thread",
        "tags": ["transfers"],
        "summary": "A thread as a file: its newest 2,000 messages as JSON, Markdown, HTML or PDF.",
        "description": "`X-Left-Out` counts older messages; a job takes more of them. Rate limit: `costly`.",
        "parameters": [
            {"name": "thread_id", "in": "path", "required": True, "schema": _ID},
            {"name": "format", "in": "query", "schema": formats},
            parameter("X-Correlation-ID"),
        ],
        "security": _READING,
        "responses": {
            "200": {
                "description": "The file.",
                "headers": answer_headers("X-Left-Out", "X-Missing-Scripts"),
                "content": {
                    **dict.fromkeys(("text/markdown", "text/html", "application/pdf"), _BYTES),
                    "application/json": _OBJECT,
                },
            },
            **failures({400, 401, 403, 404, 405, 409, 413, 429, 500, 503, 507}),
        },
    }


def _content() -> Json:
    return {
        "operationId": "get_export_content",
        "tags": ["transfers"],
        "summary": "The file that an export job has made, whole or in ranges.",
        "description": "For who asked for it, while they still see what it shows. Rate limit: `read`.",
        "parameters": [
            {"name": "export_id", "in": "path", "required": True, "schema": _ID},
            parameter("X-Correlation-ID"),
        ],
        "security": _READING,
        "responses": {
            "200": {"description": "The file.", "headers": answer_headers(), "content": {"*/*": _BYTES}},
            "206": {"description": "A part of it.", "headers": answer_headers(), "content": {"*/*": _BYTES}},
            "304": {"description": "It is as it was.", "headers": answer_headers()},
            **failures({400, 401, 403, 404, 405, 409, 412, 416, 429, 500, 503}),
        },
    }
