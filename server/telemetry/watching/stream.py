"""What an administrator watches, as server-sent events."""

from collections.abc import Sequence
from typing import Any

import orjson

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.connection import Close, ConnectionActor, Send, no_bytes
from actors.delivery.publication import Publication
from actors.identifiers import new_id
from actors.resources.users import User
from actors.runtime.loop_actor import Stage
from server.api.services import Services
from server.http.headers.peers import Peer
from server.realtime.protocol import codes as protocol
from server.realtime.sse.stream import HEARTBEAT
from server.realtime.sse.transport import StreamTransport


class WatchStream:
    """A client of the hub, like every stream: whoever ends the administrator's access ends it."""

    transport = "sse"
    channels: Sequence[str] = ()

    def __init__(
        self, services: Services, stage: Stage, identity: Identity, peer: Peer, transport: StreamTransport, seconds: int
    ) -> None:
        self._services = services
        self.client_id = new_id()
        self.identity = identity
        self.peer = peer
        self._actor = ConnectionActor(
            transport, encode=_nothing, on_access_ended=no_bytes, on_closed=_ignore, on_behind=_ignore,
            client_id=self.client_id,
        )  # fmt: skip
        self._connection = stage.start(self._actor)
        left = max(0.0, min(identity.expires_at - services.clock(), limits.TIMER_SECONDS))
        self._timers = (
            stage.loop.call_later(left, self.close, *protocol.EXPIRED),
            stage.loop.call_later(seconds, self.close, protocol.EXPIRED[0], "the time is over"),
        )
        services.hub.join(self)
        if services.hub.draining:  # since the request was let in
            self.close(*protocol.SHUTDOWN)

    def tell(self, kind: str, facts: dict[str, Any]) -> None:
        """Beyond what the outbox holds the stream is closed, as that of every slow reader."""
        if not self._actor.actor_stopped.is_set():
            self._connection.tell(Send(b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(facts))))

    def ping(self) -> float | None:
        if not self._actor.is_open:
            return None
        self._connection.tell(Send(HEARTBEAT))
        return limits.SSE_HEARTBEAT_SECONDS

    def close(self, code: int, reason: str) -> None:
        if self._actor.is_open:
            self.tell("end", {"code": code, "reason": reason})
            self._connection.tell(Close(code, reason))

    def renew(self, user: User) -> None:
        """Nothing in it has the name of its reader."""

    def end(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._services.hub.leave(self)
        self._actor.stop()


def _nothing(channel: str, items: Sequence[Publication]) -> bytes:
    return b""


def _ignore(_: object) -> None: ...
