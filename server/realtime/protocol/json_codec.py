"""The JSON form of the protocol: a frame is one or more JSON objects joined by a newline. Implements `Codec`."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from actors.delivery.channel import Attendance
from actors.delivery.publication import LivePublication, Publication
from server.http.exact_json import Inexact, must_be_exact
from server.realtime.message_upload import half_json
from server.realtime.protocol import raw_json
from server.realtime.protocol.codes import BadFrame, client_info, is_of_threads, verb_of

is_binary: Final = False
separator: Final = b"\n"
ping: Final = b"{}"
nothing: Final = b"{}"


def commands(frame: str) -> Iterator[dict[str, Any]]:
    """The commands of a frame in order, an empty one for each pong and each empty line. Raises `BadFrame` at the first
    that is none. Line by line: a frame of nothing but newlines must not become a list of them."""
    start = 0
    while (end := frame.find("\n", start)) >= 0:
        yield _command(frame[start:end])
        start = end + 1
    yield _command(frame[start:])


def _command(line: str) -> dict[str, Any]:
    if not line or line == "{}":
        return {}
    try:
        command = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if (append := _append(line)) is not None:
            return append
        raise BadFrame(f"expected JSON: {error.msg}"[:100]) from None
    if not isinstance(command, dict):
        raise BadFrame("expected a JSON object")
    if "publish" in command and _keep_as_written(command["publish"], line):
        return command
    try:
        must_be_exact(line, command)
    except Inexact as error:
        _refuse_data(command, error)
    return command


def _append(line: str) -> dict[str, Any] | None:
    """A piece of a message that is being written, with half of a surrogate pair; None for anything else."""
    with contextlib.suppress(ValueError):
        match half_json.parse(line):
            case {"rpc": {"method": "append_to_message", "data": data, **more}, **others} as command:
                if half_json.is_piece(data) and half_json.is_whole([more, others]):
                    return dict(command)
    return None


def _keep_as_written(publish: Any, line: str) -> bool:
    """What is published to a live channel goes out as it came: parsing would round large numbers."""
    if not isinstance(publish, dict) or publish.get("data") is None or is_of_threads(publish.get("channel")):
        return False
    with contextlib.suppress(RecursionError):
        publish["data"] = raw_json.member(line, "publish", "data").encode()
    return True


def _refuse_data(command: dict[str, Any], error: Inexact) -> None:
    """Only that command fails, where it has data that may be at fault."""
    body = command.get(verb_of(command) or "")
    if not isinstance(body, dict) or "data" not in body:
        raise BadFrame(str(error))
    body["data"] = error


# Replies


def reply(number: int, verb: str, result: bytes) -> bytes:
    return b'{"id":%d,"%b":%b}' % (number, verb.encode(), result)


def error(number: int, code: int, message: str, *, temporary: bool = False) -> bytes:
    fields: dict[str, Any] = {"code": code, "message": message}
    if temporary:
        fields["temporary"] = True
    return orjson.dumps({"id": number, "error": fields})


def result(verb: str, fields: Mapping[str, Any]) -> bytes:
    return orjson.dumps(fields)


def connected(fields: Mapping[str, Any], subs: Mapping[str, bytes]) -> bytes:
    return orjson.dumps({**fields, "subs": {channel: orjson.Fragment(made) for channel, made in subs.items()}})


def data(value: bytes) -> bytes:
    return b'{"data":%b}' % value


def subscribed(
    epoch: str,
    offset: int,
    missed: Sequence[Publication] | None,
    *,
    was_recovering: bool,
    ttl: int | None = None,
) -> bytes:
    fields = b'{"recoverable":true,"positioned":true,"epoch":"%b","offset":%d' % (epoch.encode(), offset)
    if was_recovering:
        fields += b',"was_recovering":true'
        if missed is not None:
            fields += b',"recovered":true,"publications":' + _publications(missed)
    if ttl is not None:
        fields += b',"expires":true,"ttl":%d' % ttl
    return fields + b"}"


def page(items: Sequence[Publication], epoch: str, offset: int) -> bytes:
    return b'{"publications":%b,"epoch":"%b","offset":%d}' % (_publications(items), epoch.encode(), offset)


def _publications(items: Sequence[Publication]) -> bytes:
    return b"[" + b",".join(map(_publication, items)) + b"]"


def _publication(item: Publication) -> bytes:
    if item.offset == 0:  # passing: it stands nowhere in the log
        return b'{"data":%b}' % item.data
    if isinstance(item, LivePublication):
        info = orjson.dumps(client_info(item.client_id, item.identity))
        tags = b',"tags":{"encoding":"base64"}' if item.is_base64 else b""
        return b'{"data":%b,"offset":%d,"info":%b%b}' % (item.as_json, item.offset, info, tags)
    return b'{"data":%b,"offset":%d}' % (item.data, item.offset)


# Pushes


def pushes(channel: str, items: Sequence[Publication]) -> bytes:
    head = b'{"push":{"channel":%b,"pub":' % orjson.dumps(channel)
    return b"\n".join([b"%b%b}}" % (head, _publication(item)) for item in items])


def attendance_push(attendance: Attendance) -> bytes:
    verb = "join" if attendance.joined else "leave"
    fields = {verb: {"info": client_info(attendance.client_id, attendance.identity)}}
    return orjson.dumps({"push": {"channel": attendance.channel, **fields}})


def unsubscribe_push(channel: str, code: int, reason: str) -> bytes:
    return orjson.dumps({"push": {"channel": channel, "unsubscribe": {"code": code, "reason": reason}}})


def disconnect_push(code: int, reason: str) -> bytes:
    return orjson.dumps({"push": {"disconnect": {"code": code, "reason": reason}}})
