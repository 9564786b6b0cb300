"""What the server answers beside the operations: streams, sockets, and the documents themselves, for OpenAPI."""

from typing import Final

from actors import limits
from server.documents import openapi_emulation
from server.documents.assets import assets
from server.documents.examples import ID_PATTERN, THREAD_ID
from server.documents.openapi_components import Json, answer_headers, failures, parameter

TAGS: Final[tuple[Json, ...]] = (
    {"name": "live", "description": "Events as they happen; /docs/events tells what is said there."},
    {"name": "documents", "description": "What describes the server."},
)
_SIGNED_IN: Final[tuple[Json, ...]] = ({"token": []}, {"api_key": ["read"]}, {"cookie": []})
_ID: Final[Json] = {"type": "string", "pattern": ID_PATTERN}
_EVENT: Final[Json] = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "id": {"type": "string", "description": "The cursor; left out where the event passes, and is in no log."},
        "event": {"type": "string", "description": "The type, or `resync`."},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
_STREAM: Final = (
    "Answers a stream of server-sent events that does not end: `event:` is the type, `data:` the event as JSON, `id:` "
    "a cursor. A reconnect goes on from `Last-Event-ID` or `cursor`; one that cannot be served is answered in the "
    "stream, as `event: resync`. Rate limit: `read`."
)
_SOCKET: Final = (
    "Speaks the Centrifugo client protocol: use an official SDK. It is JSON, or Protobuf with the subprotocol "
    "`centrifuge-protobuf`. The token comes with this request, or with the first command."
)
_WRITING: Final = (
    "The body is newline-delimited JSON: `open` with fields of `create_message`, where wanted; `text` as often as need "
    "be; `complete` or `fail`. Or it is the event stream of a model's API, as it comes. A body of lines that ends "
    "completes the message, a model's stream ends it as the model says. Whatever else ends the request ends the "
    "message as FAILED or INTERRUPTED, with `end_reason` in its metadata; a Stop of the message ends the request."
)


def paths() -> Json:
    return {
        "/api/v1/threads/{thread_id}/events": {"get": _stream("follow_thread", "Events of one thread.", _of_thread())},
        "/api/v1/events": {"get": _stream("follow_threads", "Events of many threads in one stream.", _of_threads())},
        "/api/v1/users/me/events": {"get": _stream("follow_me", "What happens to oneself.", [])},
        "/api/v1/threads/{thread_id}/messages:stream": {"post": _written()},
        "/connection/websocket": {"get": _socket("connect", "Open a WebSocket.")},
        "/api/v1/ws": {
            "get": _socket("connect_under_prefix", "The same as `/connection/websocket`, under the prefix.")
        },
        **openapi_emulation.paths(),
        **_documents(),
    }


def _written() -> Json:
    """A message written in one request."""
    lines = '{"open":{"type":"ASSISTANT"}}\n{"text":"The plan"}\n{"text":" is ready."}\n{"complete":{}}\n'
    events = 'data: {"text":"The plan"}\n\ndata: {"text":" is ready."}\n\ndata: [DONE]\n\n'
    answer = '{"opened":{"id":"cmwta8kf2000153uahq0v8d3m", …}}\n{"message":{"status":"COMPLETE", …}}\n'
    return {
        "operationId": "write_message",
        "tags": ["live"],
        "summary": "Write a message piece by piece in one request, as a model yields it.",
        "description": _WRITING,
        "parameters": [
            *_of_thread(),
            {"name": "id", "in": "query", "description": "Of the message, made by the client.", "schema": _ID},
            {"name": "parent_id", "in": "query", "description": "The message that it answers.", "schema": _ID},
            parameter("X-Correlation-ID"),
        ],
        "security": [{"token": []}, {"api_key": ["write"]}, {"cookie": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-ndjson": {"schema": {"type": "string", "format": "ndjson"}, "example": lines},
                "text/event-stream": {"schema": {"type": "string", "format": "event-stream"}, "example": events},
            },
        },
        "responses": {
            "201": {
                "description": "The message as it was opened, and as it ended; or `error`: a problem.",
                "headers": answer_headers(),
                "content": {"application/x-ndjson": {"schema": {"type": "string"}, "example": answer}},
            },
            **failures({400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503}),
        },
    }


def _of_thread() -> list[Json]:
    return [{"name": "thread_id", "in": "path", "required": True, "schema": _ID, "example": THREAD_ID}]


def _of_threads() -> list[Json]:
    description = (
        f"Ids, joined by commas, {limits.SSE_THREADS} at most; without them one's own threads, the last active ones."
    )
    pattern = rf"^(c[0-9a-z]{{24}}(,c[0-9a-z]{{24}}){{0,{limits.SSE_THREADS - 1}}})?$"
    return [
        {"name": "threads", "in": "query", "description": description, "schema": {"type": "string", "pattern": pattern}}
    ]


def _stream(name: str, summary: str, parameters: list[Json]) -> Json:
    more: list[Json] = [
        {
            "name": "cursor",
            "in": "query",
            "description": "The `id:` of the last event that came.",
            "schema": {"type": "string", "examples": [f"{THREAD_ID}-17"]},
        },
        {
            "name": "padding",
            "in": "query",
            "description": "2 KiB come first, for proxies that hold small answers back.",
            "schema": {"type": "boolean"},
        },
        parameter("Last-Event-ID"),
        parameter("X-Correlation-ID"),
    ]
    event = {"id": "cmwta8kdq000053uatt1w0c9x-17", "event": "message.created", "data": '{"type":"message.created", …}'}
    return {
        "operationId": name,
        "tags": ["live"],
        "summary": summary,
        "description": _STREAM,
        "parameters": parameters + more,
        "security": list(_SIGNED_IN),
        "responses": {
            "200": {
                "description": "The stream.",
                "headers": answer_headers(),
                "content": {"text/event-stream": {"schema": _EVENT, "example": event}},
            },
            **failures({400, 401, 403, 404, 405, 429, 500, 503}),
        },
    }


def _socket(name: str, summary: str) -> Json:
    return {
        "operationId": name,
        "tags": ["live"],
        "summary": summary,
        "description": _SOCKET,
        "parameters": [parameter("X-Correlation-ID")],
        "security": [{}, *_SIGNED_IN],
        "responses": {
            "101": {"description": "The WebSocket is open."},
            **failures({400, 401, 403, 405, 429, 500, 503}),
        },
    }


def _documents() -> Json:
    slug = {"name": "slug", "in": "path", "required": True, "schema": {"type": "string"}, "example": "not-found"}
    asset = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}
        for name, example in (("digest", assets()["page.css"].digest), ("name", "page.css"))
    ]
    return {
        "/openapi.json": {"get": _document("get_openapi", "This document.", "application/json")},
        "/asyncapi.json": {
            "get": _document("get_asyncapi", "Live updates, as an AsyncAPI 3.0 document.", "application/json")
        },
        "/": {"get": _document("read_start", "A page that says what is served here.", "text/html")},
        "/docs": {"get": _document("read_docs", "A page to read this document, and to try it.", "text/html")},
        "/docs/events": {"get": _document("read_event_docs", "A page to read about live updates.", "text/html")},
        "/docs/static/{digest}/{name}": {
            "get": _document("get_asset", "What the pages load; it never changes.", "*/*", asset)
        },
        "/problems": {"get": _document("list_problems", "Every error, as a page.", "text/html")},
        "/problems/{slug}": {
            "get": _document("read_problem", "One error: what it means, what to do.", "text/html", [slug])
        },
    }


def _document(name: str, summary: str, content_type: str, parameters: list[Json] | None = None) -> Json:
    schema: Json = (
        {"type": "object", "additionalProperties": True} if content_type == "application/json" else {"type": "string"}
    )
    headers = answer_headers("ETag")
    return {
        "operationId": name,
        "tags": ["documents"],
        "summary": summary,
        "parameters": [*(parameters or []), parameter("X-Correlation-ID"), parameter("If-None-Match")],
        "security": [],
        "responses": {
            "200": {"description": summary, "headers": headers, "content": {content_type: {"schema": schema}}},
            "304": {"description": "It is still what `If-None-Match` names.", "headers": headers},
            **failures({400, 405, 500, 503} | ({404} if parameters else set())),
        },
    }
