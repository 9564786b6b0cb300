"""The AsyncAPI 3.0 document of live updates, made from the models: the WebSocket, its channels, and the streams."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from actors.event_kinds import KINDS
from actors.resources.artifacts.channel import is_about_artifacts
from server.api_docs import json_schemas
from server.api_docs.events import EPHEMERAL, EVENTS, ReadyView, ResyncView
from server.api_docs.examples import SOME_ID, THREAD_ID, USER_ID, Examples
from server.api_docs.frames import (
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
from server.api_docs.user_events import USER_EPHEMERAL, USER_EVENTS

Json = dict[str, Any]

MESSAGES: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    **{f"{verb}.command": (model, VERBS[verb][2]) for verb, model in COMMANDS.items()},
    **{f"{verb}.reply": (model, f"Reply to `{verb}`.") for verb, model in REPLIES.items()},
    "error.reply": (ErrorReplyFrame, "Reply to a command that failed."),
    "publication.push": (PublicationPushFrame, "An event of a subscribed channel."),
    "join.push": (JoinPushFrame, "A client has subscribed to a channel; sent to subscribers with `join_leave`."),
    "leave.push": (LeavePushFrame, "A client has left a channel; sent to subscribers with `join_leave`."),
    "unsubscribe.push": (UnsubscribePushFrame, "Access to a channel has ended."),
    "disconnect.push": (DisconnectPushFrame, "Ends a connection over HTTP, as a close code ends a WebSocket."),
    **{type_: (model, f"`{type_}` in the log of a thread.") for type_, model in EVENTS.items()},
    **{
        type_: (model, f"`{type_}`: ephemeral, for current subscribers; not in the log.")
        for type_, model in EPHEMERAL.items()
    },
    **{type_: (model, f"`{type_}` in the log of a user.") for type_, model in USER_EVENTS.items()},
    **{
        type_: (model, f"`{type_}` of a user: ephemeral, for current subscribers; not in the log.")
        for type_, model in USER_EPHEMERAL.items()
    },
    "ready": (ReadyView, "A stream has started, and nothing was missed."),
    "resync": (ResyncView, "Events are missing, or access has ended: fetch the state again."),
}
"""Message → the model of its payload, and its summary."""
THREAD_EVENTS: Final = (*EVENTS, *EPHEMERAL)
"""Of the channel of a thread."""
OF_STREAMS: Final = ("ready", "resync")
"""Of SSE streams only."""
ARTIFACT_EVENTS: Final = tuple(name for name, kind in KINDS.items() if is_about_artifacts(kind))
"""Of the channel of an artifact."""
USER_CHANNEL_EVENTS: Final = (*USER_EVENTS, *USER_EPHEMERAL)

_PING: Final = "ping.push"
_DESCRIPTION: Final = """\
Every transport reads the same log: a publication, an event of a stream and an entry of `GET /threads/{id}/log` are the
same JSON. `offset` numbers the events of one thread without gaps: a state together with the events after its offset is
exact. A replayed event carries its resource in its current state.
"""
_SOCKET: Final = """\
The Centrifugo client protocol: official SDKs work as they are. In its JSON form, shown here, a frame is one or more
objects, joined by newlines; the subprotocol `centrifuge-protobuf` selects the Protobuf form. In networks that block
WebSockets, `/connection/http_stream` and `/connection/sse` carry the same. A command has an `id`, which its reply
repeats; a push has none. The server pings with `{}`, and expects any frame within 8 s. Beside `thread:…` there may be
live channels of the application: they carry any JSON, and keep it for some minutes.
"""
_STREAM: Final = """\
An endless stream of server-sent events: `event:` is the type, `data:` this payload, `id:` the cursor, which a client
sends as `Last-Event-ID` or `?cursor=` to resume. A comment is sent every 20 s.
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
        "variables": {"host": {"default": "localhost:8787", "description": "Host of the server."}},
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
        "title": "Ping and pong",
        "summary": "An empty object, in both directions.",
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
            _channel(
                "thread:{thread_id}",
                "A thread's channel on the WebSocket, for members and admins.",
                THREAD_EVENTS,
                "websocket",
            )
        ),
        "threadStream": _of_thread(
            _channel("/api/v1/threads/{thread_id}/events", _STREAM, [*THREAD_EVENTS, *OF_STREAMS], "streams")
        ),
        "artifact": _of_artifact(
            _channel(
                "artifact:{artifact_id}",
                "Events of its thread's log that are about one artifact, with their offsets there.",
                ARTIFACT_EVENTS,
                "websocket",
            )
        ),
        "artifactStream": _of_artifact(
            _channel("/api/v1/artifacts/{artifact_id}/events", _STREAM, [*ARTIFACT_EVENTS, *OF_STREAMS], "streams")
        ),
        "user": _of_user(
            _channel(
                "user:{user_id}",
                "Your own channel: every connection is subscribed to it with the reply to `connect`.",
                USER_CHANNEL_EVENTS,
                "websocket",
            )
        ),
        "userStream": _channel(
            "/api/v1/users/me/events", f"Your own events. {_STREAM}", [*USER_CHANNEL_EVENTS, *OF_STREAMS], "streams"
        ),
        "threadsStream": _channel(
            "/api/v1/events",
            f"Events of several threads, `?threads=a,b`. {_STREAM}",
            [*THREAD_EVENTS, *OF_STREAMS],
            "streams",
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
    return channel | {"parameters": {"thread_id": {"description": "Id of the thread.", "examples": [THREAD_ID]}}}


def _of_artifact(channel: Json) -> Json:
    return channel | {"parameters": {"artifact_id": {"description": "Id of the artifact.", "examples": [THREAD_ID]}}}


def _of_user(channel: Json) -> Json:
    return channel | {"parameters": {"user_id": {"description": "Your own id.", "examples": [USER_ID]}}}


# Operations, as the server performs them


def _operations() -> Json:
    made = {verb: _command(verb) for verb in COMMANDS}
    pushes = [name for name in MESSAGES if name.endswith(".push")]
    made["push"] = _sends("websocket", "Events of subscribed channels, and changes of the connection.", pushes)
    made["keepAlive"] = _sends("websocket", "Sent every 25 s; the client replies with the same.", [_PING])
    made["publishEvents"] = _sends("thread", "Events of a thread, in order.", THREAD_EVENTS)
    made["publishArtifactEvents"] = _sends("artifact", "Events about an artifact, in order.", ARTIFACT_EVENTS)
    made["streamArtifact"] = _sends(
        "artifactStream", "Events about an artifact, in order.", [*ARTIFACT_EVENTS, *OF_STREAMS]
    )
    made["publishOwnEvents"] = _sends("user", "Events of your own channel, in order.", USER_CHANNEL_EVENTS)
    made["streamOwnEvents"] = _sends(
        "userStream", "Events of your own channel, in order.", [*USER_CHANNEL_EVENTS, *OF_STREAMS]
    )
    made["streamThread"] = _sends("threadStream", "Events of a thread, in order.", [*THREAD_EVENTS, *OF_STREAMS])
    made["streamThreads"] = _sends("threadsStream", "Events of many threads, in order.", [*THREAD_EVENTS, *OF_STREAMS])
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
