"""The Centrifugo client protocol, the parts that its two forms share: codes, verbs, and client info.

Schema: `definitions/client.proto` of github.com/centrifugal/protocol; codes: `errors.go` and `disconnect.go` of
github.com/centrifugal/centrifuge. The forms stand in `json_codec` and `protobuf`.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from actors.auth.identity import Identity
from actors.errors import Malformed
from server.http import exact_json
from server.http.exact_json import Inexact
from server.realtime.message_upload import half_json

# Disconnects: below 3500 a client comes back by itself, from 3500 on it does not.
SHUTDOWN: Final = (3001, "shutdown")
SLOW: Final = (3008, "slow")
EXPIRED: Final = (3005, "connection expired")
NO_PONG: Final = (3012, "no pong")
TOO_MANY_REQUESTS: Final = (3013, "too many requests")
INVALID_TOKEN: Final = (3500, "invalid token")
BAD_REQUEST: Final = (3501, "bad request")
STALE: Final = (3502, "stale")
CONNECTION_LIMIT: Final = (3504, "connection limit")
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

TOKEN_EXPIRED: Final = (109, "token expired")
PERMISSION_REFUSED: Final = (103, "permission denied")

UNSUBSCRIBED_EXPIRED: Final = 2501
"""A client subscribes again, with a new token."""
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


UNSERVED: Final[Mapping[str, Mapping[str, str]]] = {
    "subscribe": {
        "type": "map subscriptions and shared polls", "phase": "map subscriptions", "cursor": "map subscriptions",
        "limit": "map subscriptions", "asc": "map subscriptions", "tf": "filters by tags",
    },
    "publish": {"type": "publications of maps", "key": "publications of maps", "removed": "publications of maps"},
    "sub_refresh": {"type": "shared polls", "track": "shared polls", "untrack": "shared polls"},
}  # fmt: skip
"""Verb → field → what it asks for. Answered as if it were not there, a client would take one kind for another. What may
be declined without a word is not among them: `delta`, bits of `flag`, `dict` and `profile` of connect."""


class BadFrame(Exception):
    """What came is not of this protocol; the sentence says what was expected. The connection ends with 3501."""


class Refused(Exception):
    """A command is answered with one of the protocol's own errors."""

    def __init__(self, error: tuple[int, str], detail: str = "") -> None:
        super().__init__(error[1])
        self.code = error[0]
        self.message = detail or error[1]


def must_be_exact(data: object) -> None:
    """Raises `Malformed` for a command's data that could not be kept as they came."""
    if isinstance(data, Inexact):
        raise Malformed(f"JSON that cannot be stored unchanged: {data}.")


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


def must_be_served(verb: str, body: Mapping[str, Any]) -> None:
    """Raises `Refused` for a command that asks for what is not served here."""
    for name, what in UNSERVED.get(verb, {}).items():
        if body.get(name):
            raise Refused(NOT_AVAILABLE, f"not available: `{name}` of {verb} ({what}) is not served")


def is_of_threads(channel: object) -> bool:
    """Whether a channel's name is one of a thread's."""
    return isinstance(channel, str) and channel.startswith("thread:")


def json_of(data: Any, *, takes_halves: bool = False) -> Any:
    """`data` of a command that takes JSON, in whichever form it came; see `must_be_exact`. Raises `Refused`."""
    if not isinstance(data, bytes):
        return data
    try:
        return exact_json.parse(data)
    except Inexact as error:
        return error
    except orjson.JSONDecodeError as error:
        if takes_halves and (piece := half_json.piece(data)) is not None:
            return piece
        raise Refused(BAD_COMMAND, f"bad request: expected JSON in `data`: {error.msg}"[:120]) from None


def client_info(client_id: str, identity: Identity) -> dict[str, Any]:
    author = identity.author
    return {"client": client_id, "user": author.id, "conn_info": {"name": author.name, "kind": author.kind}}
