"""What is published to a live channel, in both forms of the protocol: the same bytes in Protobuf, the same
value in JSON.

The JSON form cannot hold bytes that are no JSON. They go out as base64, which the tag `encoding` says: if the
connections of its subscribers were closed (3506) instead, any publisher could cut off the others.
"""

import base64
from typing import Any

import orjson

from server.realtime.protocol import codes as protocol
from server.realtime.protocol.codes import Refused

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def in_bytes(data: Any) -> bytes:
    """What a publish command holds; `null` where it holds nothing. Raises `Refused` for JSON that is nested so deeply
    that its text could not be found."""
    if data is None:
        return b"null"
    if not isinstance(data, bytes):
        raise Refused(protocol.BAD_COMMAND, "bad request: `data` is nested too deeply")
    return data


def as_json(data: bytes) -> tuple[bytes, bool]:
    """In one line, as the protocol separates messages by newlines; and whether that is base64."""
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return b'"%b"' % base64.b64encode(data), True
    # Between the tokens of JSON alone: within its strings, line breaks are escaped.
    return data.translate(_ONE_LINE) if b"\n" in data or b"\r" in data else data, False
