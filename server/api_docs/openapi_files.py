"""For OpenAPI: what moves the bytes of files. The records of files are operations."""

from typing import Final

from actors import limits
from server.api_docs.examples import ID_PATTERN
from server.api_docs.openapi_components import Json, answer_headers, failures, parameter
from server.files.downloads.signed_urls import SIGNED_BY
from server.files.uploads import tus

_ID: Final[Json] = {"type": "string", "pattern": ID_PATTERN}
_IDS: Final = rf"^c[0-9a-z]{{24}}(,c[0-9a-z]{{24}}){{0,{limits.ZIP_FILES - 1}}}$"
_BYTE_COUNT: Final[Json] = {"pattern": "^[0-9]{1,15}$"}
_PAIRS: Final = "^[!-+\\--~]+( [A-Za-z0-9+/]+={0,2})?(,[!-+\\--~]+( [A-Za-z0-9+/]+={0,2})?)*$"
_ARCHIVE_NAME: Final[Json] = {"type": "string", "minLength": 1, "maxLength": limits.FILE_NAME_CHARS}
_READ: Final[tuple[Json, ...]] = ({"token": []}, {"api_key": ["read"]}, {"cookie": []}, {})
_WRITE: Final[tuple[Json, ...]] = ({"token": []}, {"api_key": ["write"]}, {"cookie": []})
_BYTES: Final[Json] = {"schema": {"type": "string", "format": "binary"}}
_ANY: Final[Json] = {"application/octet-stream": _BYTES}
_SPAN: Final = "^bytes [0-9]{1,15}-[0-9]{1,15}/[0-9]{1,15}$"
_PIECE: Final[Json] = {"application/offset+octet-stream": _BYTES}
_OBJECT: Final[Json] = {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}
_REFUSED: Final = {400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503, 507}


_PROGRESS: Final = ("Upload-Offset", "Upload-Expires", "X-File-Id", "Content-Location", "X-Storage-Left")


def paths() -> Json:
    return {
        "/api/v1/files/uploads": {"post": _create(), "options": _options("get_upload_protocol")},
        "/api/v1/files/uploads/{upload_id}": {
            "head": _head(), "patch": _patch(), "delete": _delete(), "post": _instead(),
            "options": _options("get_upload_protocol_of_one", _path("upload_id")),
        },
        "/api/v1/files/uploads/{upload_id}/bytes": {"put": _direct()},
        "/api/v1/files/{file_id}/content": {"get": _content("read_file"), "put": _put()},
        "/api/v1/files/{file_id}/versions/{number}/content": {"get": _content("read_file_version", _number())},
        "/api/v1/files/{file_id}/preview": {"get": _content("read_file_preview", _name())},
        "/api/v1/files/{file_id}/versions/{number}/preview": {
            "get": _content("read_version_preview", _number(), _name())
        },
        "/api/v1/files/zip": {"post": _zip(), "get": _signed_zip()},
    }  # fmt: skip


def _tus(
    name: str, summary: str, status: str, description: str, parameters: list[Json], codes: set[int], *headers: str
) -> Json:
    """`headers`: of the answer, beside the version of tus."""
    return {
        "operationId": name,
        "tags": ["transfers"],
        "summary": summary,
        "description": "tus 1.0.0: use any of its clients.",
        "parameters": [
            *parameters,
            _header("Tus-Resumable", "The version of tus.", "1.0.0", {"const": "1.0.0"}),
            parameter("X-Correlation-ID"),
        ],
        "security": list(_WRITE),
        "responses": {
            status: {"description": description, "headers": answer_headers("Tus-Resumable", *headers)},
            **failures(codes | {412, 423, 460}),
        },
    }


def _create() -> Json:
    described = f"Bytes in all, at most {limits.FILE_BYTES} unless FILE_BYTES says otherwise; or Upload-Defer-Length."
    pairs = "`filename`, `filetype`, `thread_id`, `file_id`, `metadata`: pairs of a name and a value in Base64."
    parameters = [
        _header("Upload-Length", described, "8000000", _BYTE_COUNT, required=False),
        _header(
            "Upload-Defer-Length", "In place of Upload-Length: that comes with a later request.", None, {"const": "1"},
            required=False,
        ),
        _header("Upload-Metadata", pairs, "filename YS50eHQ=", {"pattern": _PAIRS}),
        _checksum(), parameter("Idempotency-Key"),
    ]  # fmt: skip
    return {
        **_tus("create_upload", "Begin an upload, also with its first bytes.", "201",
               "`Location` takes the rest; `Upload-Offset` says how much is there.", parameters, _REFUSED,
               "Location", "Upload-Offset", "Upload-Expires", "X-File-Id", "Content-Location", "X-Storage-Left"),
        "requestBody": {"required": False, "content": _PIECE},
    }  # fmt: skip


def _head() -> Json:
    return _tus("get_upload", "How far an upload is.", "200", "`Upload-Offset`; of a complete one `X-File-Id`, too.",
                [_path("upload_id")], _REFUSED, "Upload-Offset", "Upload-Length", "Upload-Defer-Length",
                "Upload-Expires", "Upload-Metadata", "X-File-Id", "Content-Location")  # fmt: skip


def _patch() -> Json:
    late = "Bytes in all, where the creation did not say it."
    parameters = [
        _path("upload_id"), _header("Upload-Offset", "Where these bytes begin.", "0", _BYTE_COUNT),
        _header("Upload-Length", late, None, _BYTE_COUNT, required=False), _checksum(),
    ]  # fmt: skip
    return {
        **_tus("append_to_upload", "Append bytes to an upload.", "204",
               "Taken. With the last byte it becomes the file that `X-File-Id` names.", parameters, _REFUSED,
               *_PROGRESS),
        "requestBody": {"required": True, "content": _PIECE},
    }  # fmt: skip


def _delete() -> Json:
    return _tus("end_upload", "End an upload; nothing of it is kept.", "204", "Ended.", [_path("upload_id")], _REFUSED)


def _instead() -> Json:
    override = _header(
        "X-HTTP-Method-Override", "The method that is meant.", "PATCH", {"enum": ["PATCH", "DELETE", "HEAD"]}
    )
    offset = _header("Upload-Offset", "Of PATCH: where these bytes begin.", None, {}, required=False)
    length = _header("Upload-Length", "Of PATCH, as there.", None, {}, required=False)
    parameters = [_path("upload_id"), override, offset, length, _checksum()]
    made = _tus(
        "append_to_upload_by_post", "The same by POST, where other methods do not get through.", "204", "Done.",
        parameters, _REFUSED, *_PROGRESS,
    )  # fmt: skip
    made["responses"] = {"200": {**_head()["responses"]["200"], "description": "Of HEAD."}, **made["responses"]}
    return {
        **made,
        "requestBody": {"required": False, "content": _PIECE},
    }  # fmt: skip


def _options(name: str, *parameters: Json) -> Json:
    return {
        "operationId": name,
        "tags": ["transfers"],
        "summary": "Versions and extensions of tus that are spoken here.",
        "parameters": [*parameters, parameter("X-Correlation-ID")],
        "security": [],
        "responses": {
            "204": {
                "description": "What is spoken here.",
                "headers": answer_headers(
                    "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"
                ),
            },
            **failures({400, 405, 500, 503} | ({404} if parameters else set())),
        },
    }


def _signed_zip() -> Json:
    ids = {"name": "ids", "in": "query", "required": True, "schema": {"type": "string", "pattern": _IDS},
           "description": "By commas."}  # fmt: skip
    name = {"name": "name", "in": "query", "schema": _ARCHIVE_NAME, "description": "Of the archive."}
    found = _zip()
    return {
        **{key: value for key, value in found.items() if key != "requestBody"},
        "operationId": "zip_files_by_get",
        "parameters": [ids, name, *_signature(required=False), parameter("X-Correlation-ID")],
        "security": list(_READ),
    }


def _direct() -> Json:
    return {
        "operationId": "send_direct_upload",
        "tags": ["transfers"],
        "summary": "Send the bytes of a direct upload to its signed URL.",
        "parameters": [_path("upload_id"), *_signature(required=True), parameter("X-Correlation-ID")],
        "security": [],
        "requestBody": {"required": True, "content": _ANY},
        "responses": {
            "204": {"description": "Taken; complete the upload now.", "headers": answer_headers()},
            **failures(_REFUSED - {401} | {423}),
        },
    }


def _put() -> Json:
    return {
        "operationId": "replace_file_content",
        "tags": ["transfers"],
        "summary": "Send a file's bytes as the body; they become its newest version.",
        "description": "`Content-Range` goes on where an upload broke off. Rate limit: `write`.",
        "parameters": [
            _path("file_id"),
            _header("Content-Range", "Which part this is, of how many.", None, {"pattern": _SPAN}, required=False),
            _header("Content-Digest", "`sha-256=:…:` of this body, a part or the whole (RFC 9530).", None, {},
                    required=False),
            _header("Repr-Digest", "`sha-256=:…:` of the whole content (RFC 9530).", None, {}, required=False),
            parameter("If-Match"), parameter("X-Correlation-ID"),
        ],
        "security": list(_WRITE),
        "requestBody": {"required": True, "content": _ANY},
        "responses": {
            "200": {
                "description": "The file.", "headers": answer_headers("ETag", "X-Storage-Left"), "content": _OBJECT,
            },
            "202": {
                "description": "A part; `Upload-Offset` says how much is there.",
                "headers": answer_headers("Upload-Offset"),
            },
            **failures(_REFUSED | {412, 423}),
        },
    }  # fmt: skip


def _content(name: str, *more: Json) -> Json:
    disposition = {"type": "string", "enum": ["inline", "attachment"]}
    return {
        "operationId": name,
        "tags": ["transfers"],
        "summary": "A preview of a file." if "preview" in name else "The content of a file: whole, or ranges of it.",
        "description": "With a signed URL no token is needed. Rate limit: `read`.",
        "parameters": [
            _path("file_id"), *more,
            {"name": "disposition", "in": "query", "schema": disposition, "description": "Shown, where that is safe."},
            *_signature(required=False),
            _header("Range", "One range of bytes or several, 32 at most.", None, {}, required=False),
            _header("If-Range", "An ETag or a date: the ranges only while it is still the version.", None, {},
                    required=False),
            parameter("If-None-Match"), parameter("X-Correlation-ID"),
        ],
        "security": list(_READ),
        "responses": {
            "200": {"description": "All of it.", "headers": _sent(), "content": {"*/*": _BYTES}},
            "206": {
                "description": "The range; of several, `multipart/byteranges`.", "headers": _sent("Content-Range"),
                "content": {"*/*": _BYTES},
            },
            "304": {"description": "It still has the ETag in `If-None-Match`.", "headers": answer_headers("ETag")},
            **failures({400, 401, 403, 404, 405, 409, 412, 416, 423, 429, 500, 503}),
        },
    }  # fmt: skip


def _sent(*more: str) -> Json:
    return answer_headers("ETag", "Accept-Ranges", "Content-Disposition", *more)


def _zip() -> Json:
    ids = {"type": "array", "items": _ID, "minItems": 1, "maxItems": limits.ZIP_FILES, "uniqueItems": True}
    schema = {
        "type": "object", "required": ["ids"], "additionalProperties": False,
        "properties": {"ids": ids, "name": _ARCHIVE_NAME},
    }  # fmt: skip
    return {
        "operationId": "zip_files",
        "tags": ["transfers"],
        "summary": "Several files as one zip archive.",
        "parameters": [parameter("X-Correlation-ID")],
        "security": list(_READ[:3]),
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "200": {
                "description": "The archive.", "headers": answer_headers(), "content": {"application/zip": _BYTES},
            },
            **failures({400, 401, 403, 404, 405, 409, 413, 415, 423, 429, 500, 503}),
        },
    }  # fmt: skip


def _path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": _ID}


def _number() -> Json:
    return {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}


def _name() -> Json:
    return {"name": "name", "in": "query", "schema": {"type": "string", "default": "small"}}


def _header(name: str, description: str, example: str | None, schema: Json, *, required: bool = True) -> Json:
    shown = {} if example is None else {"example": example}
    return {
        "name": name, "in": "header", "required": required, "description": description, **shown,
        "schema": {"type": "string", **schema},
    }  # fmt: skip


def _checksum() -> Json:
    described = f"Of the bytes of this request: {', '.join(tus.ALGORITHMS)}, a space, and the digest in Base64."
    return _header("Upload-Checksum", described, None, {}, required=False)


def _signature(*, required: bool) -> list[Json]:
    return [
        {"name": name, "in": "query", "required": required and name != "by", "schema": {"type": "string"},
         "description": "Of a signed URL."}
        for name in SIGNED_BY
    ]  # fmt: skip
