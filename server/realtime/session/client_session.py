"""What the parts of a session (its channels, calls and sign-on) work with: the session, as they see it."""

from typing import TYPE_CHECKING, Protocol

from actors.auth.identity import Identity
from actors.runtime.reference import Ref
from server.api.registry import Operation
from server.api.services import Services
from server.http.headers.peers import Peer
from server.realtime.hub import Client
from server.realtime.protocol.codec import Codec

if TYPE_CHECKING:
    from server.http.connections.connection import Connection


class ClientSession(Client, Protocol):
    services: Services
    codec: Codec
    transport: str
    peer: Peer
    client_id: str
    identity: Identity | None
    """Set by sign-on."""
    sdk: str
    connection: Ref
    carrier: "Connection | None"
    """The HTTP connection below, which learns its user."""

    def send(self, wire: bytes) -> None: ...

    def tell(self, message: object) -> None:
        """A message to the connection; dropped after the socket has closed."""
        ...

    def draw(self, kind: str) -> None:
        """From the user's rate. Raises `TooManyRequests`."""
        ...

    def welcome(self) -> None:
        """Connect was answered well."""
        ...

    def seconds_until(self, moment: int) -> float:
        """Until a moment in seconds since 1970, as far as a timer reaches."""
        ...

    def time_to_live(self, moment: int) -> int:
        """The `ttl` for a client, which sends a new token when it is over."""
        ...

    def is_subscribed(self, channel: str) -> bool: ...

    async def run(self, operation: Operation, data: object) -> bytes:
        """An operation in this client's name; answers its `data` as JSON."""
        ...
