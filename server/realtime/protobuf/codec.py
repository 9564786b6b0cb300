"""The Protobuf form of the protocol: a frame is one or more messages, each after its length. Implements `Codec`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
from google.protobuf.message import DecodeError

from actors import limits
from actors.delivery.channel import Attendance
from actors.delivery.publication import LivePublication, Publication
from server.realtime.protobuf import client_pb2 as schema
from server.realtime.protocol.codes import BadFrame, client_info

is_binary: Final = True
separator: Final = b""
ping: Final = b"\0"
nothing: Final = b""

_NESTED: Final = 2
"""Wire type of a field that is a message."""
_FIELDS: Final = {name: field.number for name, field in schema.Reply.DESCRIPTOR.fields_by_name.items()}
"""Of a reply: its verbs among them."""


def commands(frame: bytes) -> Iterator[dict[str, Any]]:
    """The commands of a frame in order, an empty one for each pong. Raises `BadFrame` at the first that is none.
    `data` stays bytes: what it must be is its verb's affair."""
    start = 0
    while start < len(frame):
        size, start = _read_length(frame, start)
        end = start + size
        if end > len(frame):
            raise BadFrame(f"expected a command of {size} bytes, {len(frame) - start} came")
        yield _command(frame[start:end])
        start = end


def _read_length(frame: bytes, start: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    length = 0
    for index, byte in enumerate(frame[start : start + limits.VARINT_BYTES]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return length, start + index + 1
    raise BadFrame("expected the length of a command")


def _command(raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        command = schema.Command.FromString(raw)
    except DecodeError:
        raise BadFrame("expected a Command in Protobuf") from None
    fields = _plain(command)
    if "publish" in fields:  # no bytes are bytes, too
        fields["publish"].setdefault("data", b"")
    return fields or {"id": 0}  # something was said, and it is no pong


def _plain(message: Any) -> dict[str, Any]:
    return {field.name: _plain_value(field, value) for field, value in message.ListFields()}


def _plain_value(field: Any, value: Any) -> Any:
    if field.message_type is None:
        return value
    if field.message_type.GetOptions().map_entry:
        return {key: _plain(entry) for key, entry in value.items()}
    return _plain(value)


# Replies


def reply(number: int, verb: str, result: bytes) -> bytes:
    """The result is there already, as bytes: a message may be written field by field."""
    head = _bytes(schema.Reply(id=number)) + _varint(_FIELDS[verb] << 3 | _NESTED) + _varint(len(result))
    return _varint(len(head) + len(result)) + head + result


def error(number: int, code: int, message: str, *, temporary: bool = False) -> bytes:
    fields = schema.Error(code=code, message=message, temporary=temporary)
    return _delimited(schema.Reply(id=number, error=fields))


def result(verb: str, fields: Mapping[str, Any]) -> bytes:
    message = getattr(schema.Reply(), verb)
    _fill(message, fields)
    return _bytes(message)


def connected(fields: Mapping[str, Any], subs: Mapping[str, bytes]) -> bytes:
    message = schema.ConnectResult()
    _fill(message, fields)
    for channel, made in subs.items():
        message.subs[channel].ParseFromString(made)
    return _bytes(message)


def data(value: bytes) -> bytes:
    return _bytes(schema.RPCResult(data=value))


def subscribed(
    epoch: str,
    offset: int,
    missed: Sequence[Publication] | None,
    *,
    was_recovering: bool,
    ttl: int | None = None,
) -> bytes:
    fields = schema.SubscribeResult(
        recoverable=True, positioned=True, epoch=epoch, offset=offset, was_recovering=was_recovering,
        recovered=was_recovering and missed is not None, publications=map(_publication, missed or ()),
        expires=ttl is not None, ttl=ttl,
    )  # fmt: skip
    return _bytes(fields)


def page(items: Sequence[Publication], epoch: str, offset: int) -> bytes:
    return _bytes(schema.HistoryResult(publications=map(_publication, items), epoch=epoch, offset=offset))


def _publication(item: Publication) -> Any:
    fields = schema.Publication(data=item.data, offset=item.offset)
    if isinstance(item, LivePublication):
        _fill(fields.info, client_info(item.client_id, item.identity))
    return fields


# Pushes


def pushes(channel: str, items: Sequence[Publication]) -> bytes:
    return b"".join([_push(channel=channel, pub=_publication(item)) for item in items])


def attendance_push(attendance: Attendance) -> bytes:
    push = schema.Push(channel=attendance.channel)
    fields = push.join if attendance.joined else push.leave
    _fill(fields.info, client_info(attendance.client_id, attendance.identity))
    return _delimited(schema.Reply(push=push))


def unsubscribe_push(channel: str, code: int, reason: str) -> bytes:
    return _push(channel=channel, unsubscribe=schema.Unsubscribe(code=code, reason=reason))


def disconnect_push(code: int, reason: str) -> bytes:
    return _push(disconnect=schema.Disconnect(code=code, reason=reason))


def _push(**fields: Any) -> bytes:
    return _delimited(schema.Reply(push=schema.Push(**fields)))


# Bytes


def _fill(message: Any, fields: Mapping[str, Any]) -> None:
    """Plain values into the fields of the same names; as JSON where those are bytes."""
    for name, value in fields.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.message_type is None:
            setattr(message, name, orjson.dumps(value) if field.type == field.TYPE_BYTES else value)
        elif field.message_type.GetOptions().map_entry:
            for key, entry in value.items():
                _fill(getattr(message, name)[key], entry)
        else:
            _fill(getattr(message, name), value)


def _bytes(message: Any) -> bytes:
    raw: bytes = message.SerializeToString()
    return raw


def _delimited(message: Any) -> bytes:
    raw = _bytes(message)
    return _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
