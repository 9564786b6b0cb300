"""The two forms of the client protocol as a client has them. Protobuf by the official SDK's own schema, not by ours."""

from collections.abc import Iterator
from typing import Any, Protocol

import orjson
from centrifuge.codecs import _varint_decode, _varint_encode
from centrifuge.protocol import client_pb2 as official


class Form(Protocol):
    name: str
    content_type: str
    pong: str | bytes

    def encode(self, *commands: dict[str, Any]) -> str | bytes: ...

    def decode(self, frame: Any) -> Iterator[dict[str, Any]]:
        """Replies and pushes; an empty one for each ping."""
        ...

    def emulated(self, session: str, node: str, frame: str | bytes) -> bytes:
        """What `POST /emulation` takes."""
        ...


class Json:
    name = "json"
    content_type = "application/json"
    pong = "{}"

    def encode(self, *commands: dict[str, Any]) -> str:
        return "\n".join(orjson.dumps(command).decode() for command in commands)

    def decode(self, frame: str) -> Iterator[dict[str, Any]]:
        return map(orjson.loads, frame.split("\n"))

    def emulated(self, session: str, node: str, frame: str | bytes) -> bytes:
        return orjson.dumps({"session": session, "node": node, "data": frame})


class Protobuf:
    """Commands and replies as dicts, like those of JSON; fields with their default are left out."""

    name = "protobuf"
    content_type = "application/octet-stream"
    pong = b"\0"

    def encode(self, *commands: dict[str, Any]) -> bytes:
        return b"".join(map(self._command, commands))

    def _command(self, told: dict[str, Any]) -> bytes:
        command = official.Command()
        fill(command, told)
        return delimited(command.SerializeToString())

    def decode(self, frame: bytes) -> Iterator[dict[str, Any]]:
        start = 0
        while start < len(frame):
            size, start = _varint_decode(frame, start)
            assert start + size <= len(frame), "a reply is whole"
            yield plain(official.Reply.FromString(frame[start : start + size]))
            start += size

    def emulated(self, session: str, node: str, frame: str | bytes) -> bytes:
        data = frame if isinstance(frame, bytes) else frame.encode()
        raw: bytes = official.EmulationRequest(session=session, node=node, data=data).SerializeToString()
        return raw


JSON, PROTOBUF = Json(), Protobuf()


def delimited(message: bytes) -> bytes:
    return bytes(_varint_encode(len(message))) + message


def fill(message: Any, told: dict[str, Any]) -> None:
    for name, value in told.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key, entry in value.items():
                fill(getattr(message, name)[key], entry)
        elif field.message_type is not None:
            getattr(message, name).SetInParent()
            fill(getattr(message, name), value)
        elif field.type == field.TYPE_BYTES:
            setattr(message, name, orjson.dumps(value))
        else:
            setattr(message, name, value)


def plain(message: Any) -> dict[str, Any]:
    return {field.name: _plain(field, value) for field, value in message.ListFields()}


def _plain(field: Any, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {key: plain(entry) for key, entry in value.items()}
    if field.message_type is not None:
        return [plain(item) for item in value] if field.is_repeated else plain(value)
    return orjson.loads(value) if isinstance(value, bytes) else value


def bare(told: Any) -> Any:
    """As Protobuf tells it: without fields that have their default; an application's own JSON is left as it is."""
    if not isinstance(told, dict):
        return [bare(item) for item in told] if isinstance(told, list) else told
    kept = {name: value if name in ("data", "conn_info") else bare(value) for name, value in told.items()}
    return {name: value for name, value in kept.items() if value not in (0, "", False, [], None)}
