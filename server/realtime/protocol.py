"""The JSON form of the Centrifugo client protocol: frames in, frames out.

Schema: `definitions/client.proto` of github.com/centrifugal/protocol; codes: `errors.go` and `disconnect.go` of
github.com/centrifugal/centrifuge. A frame is one or more JSON objects joined by a newline.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from actors.publication import Publication

PING: Final = b"{}"

# Disconnects: below 3500 a client comes back by itself, from 3500 on it does not.
SHUTDOWN: Final = (3001, "shutdown")
SLOW: Final = (3008, "slow")
EXPIRED: Final = (3005, "connection expired")
NO_PONG: Final = (3012, "no pong")
TOO_MANY_REQUESTS: Final = (3013, "too many requests")
INVALID_TOKEN: Final = (3500, "invalid token")
BAD_REQUEST: Final = (3501, "bad request")
STALE: Final = (3502, "stale")
INAPPROPRIATE_PROTOCOL: Final = (3506, "inappropriate protocol")
PERMISSION_DENIED: Final = (3507, "permission denied")

# Errors in replies
UNKNOWN_CHANNEL: Final = (102, "unknown channel")
METHOD_NOT_FOUND: Final = (104, "method not found")
ALREADY_SUBSCRIBED: Final = (105, "already subscribed")
LIMIT_EXCEEDED: Final = (106, "limit exceeded")
BAD_COMMAND: Final = (107, "bad request")
NOT_AVAILABLE: Final = (108, "not available")
RATE_LIMITED: Final = (111, "too many requests")
UNRECOVERABLE: Final = (112, "unrecoverable position")

UNSUBSCRIBED_BY_SERVER: Final = 2000
"""A client does not subscribe again by itself."""
REJECT_UNRECOVERED: Final = 2
"""Bit of a subscribe's `flag`: answer error 112 rather than `recovered: false`."""

VERBS: Final = frozenset(
    {
        "connect", "subscribe", "unsubscribe", "publish", "presence", "presence_stats", "history", "ping", "send",
        "rpc", "refresh", "sub_refresh",
    }
)  # fmt: skip


class BadFrame(Exception):
    """What came is not of this protocol; the sentence says what was expected. The connection ends with 3501."""


class Refused(Exception):
    """A command is answered with one of the protocol's own errors."""

    def __init__(self, error: tuple[int, str], detail: str = "") -> None:
        super().__init__(error[1])
        self.code = error[0]
        self.message = detail or error[1]


def commands(frame: str) -> Iterator[dict[str, Any]]:
    """The commands of a frame in order, an empty one for each pong. Raises `BadFrame` at the first that is none."""
    for line in frame.split("\n"):
        if not line:
            continue
        if line == "{}":
            yield {}
            continue
        try:
            command = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadFrame(f"expected JSON: {error.msg}"[:100]) from None
        if not isinstance(command, dict):
            raise BadFrame("expected a JSON object")
        yield command


def command_id(command: Mapping[str, Any]) -> int:
    """Raises `BadFrame` where a command has none that can be answered."""
    number = command.get("id", 0)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**32:
        raise BadFrame("expected an `id` from 1 to 4294967295")
    return number


def verb_of(command: Mapping[str, Any]) -> str | None:
    """What a command asks for; None where it is nothing that the protocol knows."""
    for name in command:
        if name in VERBS:
            return name
    return None


def reply(number: int, verb: str, result: bytes = b"{}") -> bytes:
    return b'{"id":%d,"%b":%b}' % (number, verb.encode(), result)


def error(number: int, code: int, message: str, *, temporary: bool = False) -> bytes:
    told: dict[str, Any] = {"code": code, "message": message}
    if temporary:
        told["temporary"] = True
    return orjson.dumps({"id": number, "error": told})


def publication(item: Publication) -> bytes:
    return b'{"data":%b,"offset":%d}' % (item.data, item.offset)


def publication_list(items: Sequence[Publication]) -> bytes:
    return b"[" + b",".join(map(publication, items)) + b"]"


def pushes(channel: str, items: Sequence[Publication]) -> bytes:
    """The wire format of every connection that speaks this protocol: one push a publication."""
    head = b'{"push":{"channel":"%b","pub":' % channel.encode()
    return b"\n".join([b"%b%b}}" % (head, publication(item)) for item in items])


def unsubscribe_push(channel: str, reason: str) -> bytes:
    told = {"code": UNSUBSCRIBED_BY_SERVER, "reason": reason}
    return orjson.dumps({"push": {"channel": channel, "unsubscribe": told}})
