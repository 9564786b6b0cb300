"""For OpenAPI: artifacts as files to download, and as pages by a link. Their records are operations."""

from typing import Any, Final

from server.api_docs.examples import ID_PATTERN
from server.api_docs.openapi_components import Json, answer_headers, failures, parameter
from server.artifacts.printing import FORMATS, SHORT_NAMES
from server.files.downloads.signed_urls import SIGNED_BY

_ID: Final[Json] = {"type": "string", "pattern": ID_PATTERN}
_OBJECT: Final[Json] = {"schema": {"type": "object"}}
_BYTES: Final[Json] = {"schema": {"type": "string", "format": "binary"}}
_FILES: Final = (
    "text/csv", "application/zip", "text/markdown", "text/html", "application/pdf", "image/svg+xml", "image/png",
)  # fmt: skip


def paths() -> Json:
    return {
        "/api/v1/artifacts/{artifact_id}/export": {"get": _export()},
        "/api/v1/artifacts/shared/{share_id}": {"get": _shared()},
        "/api/v1/artifacts/{artifact_id}/edit": {"get": _edit()},
    }


def _export() -> Json:
    described = (
        "CSV of several tables, and pictures of several charts, are a zip archive; cells that a spreadsheet would run "
        "are defused. Pictures and PDF need the extra `pdf` on the server."
    )
    return {
        "operationId": "export_artifact",
        "tags": ["transfers"],
        "summary": "An artifact as a file: JSON, CSV, Markdown, HTML without script, PDF; its charts as SVG or PNG.",
        "description": f"{described} Rate limit: `costly`.",
        "parameters": [
            _path("artifact_id"),
            _query("format", {"type": "string", "enum": [*FORMATS, *SHORT_NAMES], "default": "json"}),
            _query("version", {"type": "integer", "minimum": 1, "maximum": 999_999_999}),
            _query("chart", {"type": "string", "description": "Id or number of one chart, for `svg` and `png`."}),
            parameter("X-Correlation-ID"),
        ],
        "security": [{"token": []}, {"api_key": ["read"]}, {"cookie": []}],
        "responses": {
            "200": {
                "description": "The file.",
                "headers": answer_headers("X-Missing-Scripts", "X-Undrawn-Charts"),
                "content": {**dict.fromkeys(_FILES, _BYTES), "application/json": _OBJECT},
            },
            **failures({400, 401, 403, 404, 405, 409, 413, 429, 500, 503, 507}),
        },
    }


def _edit() -> Json:
    described = (
        "Speaks the sync and awareness protocols of Yjs, as npm `y-websocket` does. A viewer reads and shows a cursor. "
        "Rate limit: `read`."
    )
    return {
        "operationId": "edit_artifact",
        "tags": ["live"],
        "summary": "Open a WebSocket in which several people edit an artifact at once.",
        "description": described,
        "parameters": [
            _path("artifact_id"),
            _query("token", {"type": "string", "description": "Where a client cannot send a header."}),
            parameter("X-Correlation-ID"),
        ],
        "security": [{"token": []}, {"api_key": ["read"]}, {"cookie": []}],
        "responses": {
            "101": {"description": "The WebSocket is open."},
            **failures({400, 401, 403, 404, 405, 429, 500, 503}),
        },
    }


def _shared() -> Json:
    text: Json = {"type": "string", "minLength": 1}
    signature = [_query(name, text) for name in SIGNED_BY]
    return {
        "operationId": "read_shared_artifact",
        "tags": ["transfers"],
        "summary": "An artifact by a signed link: a page without script, or JSON where that is asked for.",
        "description": "`POST /artifacts/{id}/shares` makes the link. Rate limit: `costly`.",
        "parameters": [_path("share_id"), *signature, parameter("X-Correlation-ID")],
        "security": [],
        "responses": {
            "200": {
                "description": "The page.",
                "headers": answer_headers(),
                "content": {"text/html": _BYTES, "application/json": _OBJECT},
            },
            **failures({400, 401, 403, 404, 405, 413, 429, 500, 503}),
        },
    }


def _path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": _ID}


def _query(name: str, schema: dict[str, Any]) -> Json:
    return {"name": name, "in": "query", "schema": schema}
