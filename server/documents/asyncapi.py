"""The AsyncAPI 3.0 document of live updates, made from the models: the WebSocket, its channels, and the streams."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from server.documents import json_schemas
from server.documents.events import EVENTS, PASSING, ReadyView, ResyncView
from server.documents.examples import SOME_ID, THREAD_ID, USER_ID, Examples
from server.documents.frames import (
    COMMANDS,
    REPLIES,
    VERBS,
    DisconnectPushFrame,
    ErrorReplyFrame,
    JoinPushFrame,
    LeavePushFrame,
    PublicationPushFrame,
    UnsubscribePushFrame,
)
from server.documents.user_events import USER_EVENTS, UnreadEvent

Json = dict[str, Any]

MESSAGES: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    **{f"{verb}.command": (model, VERBS[verb][2]) for verb, model in COMMANDS.items()},
    **{f"{verb}.reply": (model, f"Answers `{verb}`.") for verb, model in REPLIES.items()},
    "error.reply": (ErrorReplyFrame, "Answers a command that failed."),
    "publication.push": (PublicationPushFrame, "An event of a channel that one follows."),
    "join.push": (JoinPushFrame, "Somebody has subscribed to a channel; for those who asked for `join_leave`."),
    "leave.push": (LeavePushFrame, "Somebody has left a channel."),
    "unsubscribe.push": (UnsubscribePushFrame, "Access to a channel has ended."),
    "disconnect.push": (DisconnectPushFrame, "Where replies come as a stream, what closes a WebSocket elsewhere."),
    **{type_: (model, f"`{type_}` in the log of a thread.") for type_, model in EVENTS.items()},
    **{
        type_: (model, f"`{type_}` is told to whoever listens, and kept in no log.") for type_, model in PASSING.items()
    },
    **{type_: (model, f"`{type_}` in one's own log.") for type_, model in USER_EVENTS.items()},
    "unread": (UnreadEvent, "What one has not read has changed; told to whoever listens, and kept in no log."),
    "ready": (ReadyView, "A stream has begun, and nothing was missed."),
    "resync": (ResyncView, "Events are missing, or access has ended: fetch the state anew."),
}
"""Message → the model of its payload, and what it says."""
TOLD: Final = (*EVENTS, *PASSING)
"""What a channel tells."""
OF_STREAMS: Final = ("ready", "resync")
"""What a stream tells besides: how it begins, and that it cannot go on."""
TOLD_OF_ONESELF: Final = (*USER_EVENTS, "unread")

_PING: Final = "ping.push"
_DESCRIPTION: Final = """\
Every transport reads the same log: a publication, an event of a stream and an entry of `GET /threads/{id}/log` are the
same JSON. `offset` counts the events of one thread without a gap, so that state and the events after its offset are
exact together. A replayed event carries its resource as it is now.
"""
_SOCKET: Final = """\
The Centrifugo client protocol: official SDKs work as they are. In its JSON form, shown here, a frame is one or more
objects, joined by a newline; the subprotocol `centrifuge-protobuf` asks for the Protobuf form. Where WebSockets do not
get through, `/connection/http_stream` and `/connection/sse` carry the same. A command has an `id`, which its reply
repeats; a push has none. The server pings with `{}`, and wants anything within 8 s. Beside `thread:…` there may be
channels of the application's own: they carry any JSON, and remember for some minutes.
"""
_STREAM: Final = """\
Server-sent events, without an end: `event:` is the type, `data:` this payload, `id:` a cursor, which a reconnect sends
back as `Last-Event-ID` or `?cursor=`. A comment comes every 20 s.
"""
_EXAMPLES: Final[Mapping[str, Json]] = {
    "connect.command": {"id": 1, "connect": {"token": "eyJhbGciOiJIUzI1NiJ9…"}},
    "subscribe.command": {
        "id": 2,
        "subscribe": {
            "channel": f"thread:{THREAD_ID}", "recover": True, "offset": 17, "epoch": "cmwta8kdq000053uatt1w0c9x",
        },
    },
    "publish.command": {"id": 4, "publish": {"channel": f"thread:{THREAD_ID}", "data": {"content": "Hello"}}},
    "rpc.command": {"id": 5, "rpc": {"method": "get_thread", "data": {"id": THREAD_ID}}},
    "rpc.reply": {"id": 5, "rpc": {"data": {"id": THREAD_ID, "title": "Launch plan"}}},
    "history.command": {
        "id": 6, "history": {"channel": f"thread:{THREAD_ID}", "limit": 100, "since": {"offset": 0, "epoch": ""}}
    },
    "publication.push": {
        "push": {
            "channel": f"thread:{THREAD_ID}", "pub": {"offset": 17, "data": {"type": "message.created", "offset": 17}},
        }
    },
    "presence.reply": {
        "id": 6,
        "presence": {"presence": {SOME_ID: {"client": SOME_ID, "user": USER_ID, "conn_info": {"name": "Ana"}}}},
    },
    "error.reply": {"id": 7, "error": {"code": 103, "message": "permission denied"}},
    "unsubscribe.push": {
        "push": {"channel": f"thread:{THREAD_ID}", "unsubscribe": {"code": 2000, "reason": "access ended"}}
    },
    "ready": {"cursor": "7d1a5c5b9a0e4f3a5e2b7c9d10-17"},
    "resync": {"reason": "unrecoverable position", "reload": "/api/v1/threads"},
}  # fmt: skip
"""Where the models alone make no typical one."""


def document(*, version: str) -> Json:
    """Stable: the same models make the same document, to the byte."""
    schemas = json_schemas.of_models(model for model, _ in MESSAGES.values())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Experience server: live updates",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"websocket": _server("ws"), "streams": _server("http")},
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _messages(schemas),
            "schemas": schemas,
            "securitySchemes": {"token": _TOKEN},
        },
    }


_TOKEN: Final[Json] = {
    "type": "http",
    "scheme": "bearer",
    "description": "A JWT or an API key: in the request, in the cookie of a browser, or with `connect`.",
}


def _server(protocol: str) -> Json:
    return {
        "host": "{host}",
        "protocol": protocol,
        "variables": {"host": {"default": "localhost:8787", "description": "Where this server is."}},
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }


def _messages(schemas: Mapping[str, Json]) -> Json:
    examples = Examples(schemas)
    made: Json = {}
    for name, (model, summary) in MESSAGES.items():
        example = _EXAMPLES.get(name) or _example(examples, model)
        made[name] = {
            "name": name,
            "title": name,
            "summary": summary,
            "contentType": "application/json",
            "payload": json_schemas.reference(model),
            "examples": [{"name": name.replace(".", "_"), "payload": example}],
        }
    made[_PING] = {
        "name": _PING,
        "title": "ping, and its answer",
        "summary": "An empty object, both ways.",
        "payload": {"type": "object", "maxProperties": 0},
        "examples": [{"name": "ping", "payload": {}}],
    }
    return made


def _example(examples: Examples, model: type[BaseModel]) -> Json:
    made: Json = examples.of(json_schemas.reference(model))
    return made


# Channels


def _channels() -> Json:
    socket = [name for name in MESSAGES if name.endswith((".command", ".reply", ".push"))]
    return {
        "websocket": _channel("/connection/websocket", _SOCKET, [*socket, _PING], "websocket"),
        "thread": _of_thread(
            _channel("thread:{thread_id}", "A channel of the WebSocket: members and admins.", TOLD, "websocket")
        ),
        "threadStream": _of_thread(
            _channel("/api/v1/threads/{thread_id}/events", _STREAM, [*TOLD, *OF_STREAMS], "streams")
        ),
        "user": _of_user(
            _channel(
                "user:{user_id}",
                "One's own channel: every connection gets it with the reply to `connect`.",
                TOLD_OF_ONESELF,
                "websocket",
            )
        ),
        "userStream": _channel(
            "/api/v1/users/me/events", f"One's own. {_STREAM}", [*TOLD_OF_ONESELF, *OF_STREAMS], "streams"
        ),
        "threadsStream": _channel(
            "/api/v1/events", f"Of many threads, `?threads=a,b`. {_STREAM}", [*TOLD, *OF_STREAMS], "streams"
        ),
    }


def _channel(address: str, description: str, messages: Iterable[str], server: str) -> Json:
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _of_thread(channel: Json) -> Json:
    return channel | {"parameters": {"thread_id": {"description": "Of the thread.", "examples": [THREAD_ID]}}}


def _of_user(channel: Json) -> Json:
    return channel | {"parameters": {"user_id": {"description": "One's own.", "examples": [USER_ID]}}}


# Operations, as the server performs them


def _operations() -> Json:
    made = {verb: _command(verb) for verb in COMMANDS}
    pushes = [name for name in MESSAGES if name.endswith(".push")]
    made["push"] = _sends("websocket", "What happens to what one follows, and to the connection.", pushes)
    made["keepAlive"] = _sends("websocket", "Every 25 s; the client answers the same.", [_PING])
    made["publishEvents"] = _sends("thread", "Events of a thread, in order.", TOLD)
    made["publishOwnEvents"] = _sends("user", "What happens to oneself, in order.", TOLD_OF_ONESELF)
    made["streamOwnEvents"] = _sends(
        "userStream", "What happens to oneself, in order.", [*TOLD_OF_ONESELF, *OF_STREAMS]
    )
    made["streamThread"] = _sends("threadStream", "Events of a thread, in order.", [*TOLD, *OF_STREAMS])
    made["streamThreads"] = _sends("threadsStream", "Events of many threads, in order.", [*TOLD, *OF_STREAMS])
    return made


def _command(verb: str) -> Json:
    return {
        "action": "receive",
        "channel": {"$ref": "#/channels/websocket"},
        "summary": VERBS[verb][2],
        "messages": _of_channel("websocket", [f"{verb}.command"]),
        "reply": {
            "channel": {"$ref": "#/channels/websocket"},
            "messages": _of_channel("websocket", [f"{verb}.reply", "error.reply"]),
        },
    }


def _sends(channel: str, summary: str, messages: Iterable[str]) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": _of_channel(channel, messages),
    }


def _of_channel(channel: str, messages: Iterable[str]) -> list[Json]:
    return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages]
