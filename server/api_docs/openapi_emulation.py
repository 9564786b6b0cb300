"""For OpenAPI: the client protocol over HTTP, where WebSockets do not get through."""

from typing import Final

from actors import limits
from server.api_docs.openapi_components import Json, answer_headers, failures, parameter

_OPEN: Final = (
    "Use an official SDK. The response stays open and carries replies and pushes of the Centrifugo client "
    "protocol, as a WebSocket does; it ends with the push `disconnect`. `session` and `node` in the reply to "
    "`connect` are for `POST /emulation`."
)
_SIGNED_IN: Final[tuple[Json, ...]] = ({}, {"token": []}, {"api_key": ["read"]}, {"cookie": []})
_CONNECT: Final = '{"id":1,"connect":{"token":"eyJhbGciOiJIUzI1NiJ9…"}}'
_CONNECTED: Final = '{"id":1,"connect":{"client":"cmwta8kdq000053uatt1w0c9x","session":"…","node":"…","ping":25}}'
_ANY_OBJECT: Final[Json] = {"type": "object", "additionalProperties": True}
_BYTES: Final[Json] = {"schema": {"type": "string", "contentEncoding": "binary", "minLength": 1}}


def paths() -> Json:
    return {
        "/connection/sse": {"get": _sse()},
        "/connection/http_stream": {"post": _http_stream()},
        "/emulation": {"post": _emulation()},
    }


def _sse() -> Json:
    query = {
        "name": "cf_connect", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1},
        "example": _CONNECT,
        "description": "The command `connect`, and optionally `subscribe`; joined by newlines.",
    }  # fmt: skip
    event: Json = {
        "type": "object",
        "description": "One event of the stream: only `data:`, one reply or push in each line.",
        "properties": {"data": {"type": "string"}},
        "required": ["data"],
    }
    return {
        "operationId": "connect_by_events",
        "summary": "Open a connection that receives server-sent events.",
        **_stream([query], {"text/event-stream": {"schema": event, "example": {"data": _CONNECTED}}}),
    }


def _http_stream() -> Json:
    return {
        "operationId": "connect_by_stream",
        "summary": "Open a connection that receives lines of JSON, or Protobuf.",
        **_stream(
            [],
            {
                "application/x-ndjson": {"schema": {"type": "string"}, "example": _CONNECTED + "\n"},
                "application/octet-stream": _BYTES,
            },
        ),
        "requestBody": {
            "required": True,
            "description": f"A frame that begins with the command `connect`, at most {limits.FRAME_BYTES} bytes.",
            "content": {
                "application/json": {
                    "schema": _ANY_OBJECT,
                    "example": {"id": 1, "connect": {"token": "…"}},
                },
                "application/octet-stream": _BYTES,
            },
        },
    }


def _stream(parameters: list[Json], content: Json) -> Json:
    return {
        "tags": ["live"],
        "description": _OPEN,
        "parameters": [*parameters, parameter("X-Correlation-ID")],
        "security": list(_SIGNED_IN),
        "responses": {
            "200": {"description": "The connection is open.", "headers": answer_headers(), "content": content},
            **failures({400, 401, 403, 405, 413, 415, 500, 503}),
        },
    }


def _emulation() -> Json:
    properties: Json = {
        "session": {"type": "string", "description": "From the reply to `connect`."},
        "node": {"type": "string", "description": "The same."},
        "data": {"type": "string", "description": f"A frame: at most {limits.FRAME_BYTES} bytes."},
    }
    example = {"session": "Zk0v…", "node": "cmwta8kdq000053uatt1w0c9x", "data": '{"id":2,"ping":{}}'}
    schema: Json = {"type": "object", "required": [*properties], "properties": properties}
    return {
        "operationId": "send_commands",
        "tags": ["live"],
        "summary": "Send further commands for a connection over HTTP.",
        "description": "Replies arrive in its stream. The session authorises the request; no token is needed.",
        "parameters": [parameter("X-Correlation-ID")],
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "example": example},
                "application/octet-stream": _BYTES,
            },
        },
        "responses": {
            "204": {"description": "Taken.", "headers": answer_headers()},
            **failures({400, 404, 405, 413, 415, 500, 503}),
        },
    }
