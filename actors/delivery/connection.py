"""The connection actor: one WebSocket or SSE stream. Holds its subscriptions and its send buffer.

Everything for its socket goes through the send buffer, and leaves it once a turn of the event loop, joined into one
write. What the peer has not read yet stays there, counted in bytes; above the limit the connection is closed with a
code that tells the client to come back with its cursor. A slow reader delays no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from actors import limits
from actors.delivery.channel import AccessEnded, Attendance
from actors.delivery.gate import LIVE, OffsetGate
from actors.delivery.publication import EphemeralPublications, Publications, WireFormat
from actors.delivery.send_buffer import SendBuffer
from actors.ports import Transport
from actors.runtime.loop_actor import LoopActor, handles


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for this connection alone: a reply, a ping."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class ShutGate:
    """Keep what arrives on this channel from now on, until its replay is written."""

    channel: str


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Write `wire`, which holds the replay up to `offset`, then what was kept; the channel is live from then on."""

    channel: str
    wire: bytes
    offset: int
    state: EphemeralPublications | None = None
    """Ephemeral events that began before, written between the two."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Subscribe to this channel without a replay: the reply to connect names its head."""

    channel: str


@dataclass(frozen=True, slots=True)
class Leave:
    channel: str


@dataclass(frozen=True, slots=True)
class Close:
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Drained:
    pass


_DRAINED = _Drained()
SLOW_READER: Final = 3008
"""Close code of the client protocol, under which such a connection is counted; its transport closes it."""


class ConnectionActor(LoopActor):
    def __init__(
        self,
        transport: Transport,
        *,
        encode: WireFormat,
        on_access_ended: Callable[[str], bytes],
        on_closed: Callable[[Sequence[str]], None],
        on_behind: Callable[[str], None],
        on_attendance: Callable[[Attendance], bytes] | None = None,
        client_id: str = "",
    ) -> None:
        """`encode` is the wire format of this kind of connection; `on_access_ended` encodes the end of access to a
        channel, `on_attendance` who has joined or left; `on_closed` gets the channels that were open at the end,
        `on_behind` each channel whose current state the client has to get again."""
        super().__init__()
        self._transport = transport
        self._encode = encode
        self._access_ended = on_access_ended
        self._on_closed = on_closed
        self._on_behind = on_behind
        self._encode_attendance = on_attendance
        if client_id:
            self.actor_urn = self.actor_ref.actor_urn = client_id  # the id that presence shows for this connection
        self._gates: dict[str, OffsetGate] = {}
        """Of each channel that it is subscribed to."""
        self._send_buffer = SendBuffer()
        self._blocked = False
        self._behind: set[str] | None = None
        """Channels whose ephemeral events were dropped while the peer took nothing."""
        self._closed = False

    @handles(Publications)
    def _deliver(self, publications: Publications) -> None:
        gate = self._gates.get(publications.channel)
        if gate is None or self._closed:
            return
        newer = gate.arrive(publications)
        if newer is not None:
            self.stage.measures.deliveries += 1
            if self.stage.watcher is not None:
                self.stage.watcher.delivered(self.actor_urn, newer)
            self._put(newer.wire(self._encode))
        elif gate.is_full:
            self._close_slow()

    @handles(EphemeralPublications)
    def _deliver_ephemeral(self, publications: EphemeralPublications) -> None:
        gate = self._gates.get(publications.channel)
        if gate is None or self._closed:
            return
        if gate.arrive(publications) is not None:
            self._put_ephemeral(publications)
        elif gate.is_full:
            self._close_slow()

    def _put_ephemeral(self, publications: EphemeralPublications) -> None:
        """For a slow reader they are dropped: it gets the current state once it reads again."""
        if self._blocked:
            self.stage.measures.ephemeral_dropped += 1
            self._behind = (self._behind or set()) | {publications.channel}
        else:
            if self.stage.watcher is not None:
                self.stage.watcher.delivered(self.actor_urn, publications)
            self._put(publications.wire(self._encode))

    @handles(Attendance)
    def _deliver_attendance(self, attendance: Attendance) -> None:
        gate = self._gates.get(attendance.channel)
        is_live = gate is not None and gate.state is LIVE
        if is_live and not self._blocked and self._encode_attendance is not None:
            self._put(self._encode_attendance(attendance))

    @handles(ShutGate)
    def _shut_gate(self, message: ShutGate) -> None:
        self._gates[message.channel] = OffsetGate()

    @handles(OpenGate)
    def _open_gate(self, message: OpenGate) -> None:
        self._put(message.wire)
        gate = self._gates.get(message.channel)
        if gate is None or gate.state is LIVE:
            return
        gate.replayed(message.offset, () if message.state is None else (message.state,))
        for publications in gate.open():
            if isinstance(publications, EphemeralPublications):
                self._put_ephemeral(publications)
            else:
                self._put(publications.wire(self._encode))
        if gate.has_ended:
            self._end_access(AccessEnded(message.channel))

    @handles(Follow)
    def _follow(self, message: Follow) -> None:
        if message.channel not in self._gates:
            gate = self._gates[message.channel] = OffsetGate()
            gate.replayed(0)
            gate.open()

    @handles(Leave)
    def _leave(self, message: Leave) -> None:
        self._gates.pop(message.channel, None)

    @handles(AccessEnded)
    def _end_access(self, message: AccessEnded) -> None:
        gate = self._gates.get(message.channel)
        if gate is None or not gate.end():  # pushed before its reply, the client would take that for a subscription
            return
        del self._gates[message.channel]
        self._put(self._access_ended(message.channel))

    @handles(Send)
    def _send(self, message: Send) -> None:
        self._put(message.wire)

    def _put(self, chunk: bytes) -> None:
        if not chunk or self._closed or self._send_buffer.put(chunk):
            return
        if self._blocked:
            self._close_slow()
        else:
            self._flush()  # much in one turn: only writing shows whether the peer is slow

    # Writing

    def on_turn_end(self) -> None:
        if self._send_buffer.chunks and not self._blocked and not self._closed:
            self._flush()

    def _flush(self) -> None:
        self.stage.measures.bytes_sent += self._send_buffer.size
        if self.stage.watcher is not None:
            self.stage.watcher.wrote(self.actor_urn, self._send_buffer.size)
        self._transport.write(self._send_buffer.take())
        if self._transport.buffered() > limits.SOCKET_BUFFER_BYTES:
            self._blocked = True
            self._transport.when_drained(self._on_drained)

    def _on_drained(self) -> None:
        if not self._closed:
            self.actor_ref.tell(_DRAINED)

    @handles(_Drained)
    def _resume(self, _: _Drained) -> None:
        self._blocked = False
        behind, self._behind = self._behind, None
        for channel in behind or ():
            self._on_behind(channel)

    # Ending

    @property
    def unsent_bytes(self) -> int:
        """Not yet handed to the socket."""
        return self._send_buffer.size

    @property
    def is_open(self) -> bool:
        return not self._closed

    @property
    def channels(self) -> Sequence[str]:
        return tuple(self._gates)

    @handles(Close)
    def _close_on_request(self, message: Close) -> None:
        self._close(message.code, message.reason)

    def _close(self, code: int, reason: str) -> None:
        if self._closed:
            return
        if self._send_buffer.chunks and not self._blocked:
            self._transport.write(self._send_buffer.take())
        self._closed = True
        self.stage.measures.closes[code] += 1
        if self.stage.watcher is not None:
            self.stage.watcher.closed(self.actor_urn, code, reason)
        self._transport.close(code, reason)

    def _close_slow(self) -> None:
        """What is in the send buffer is dropped: the client comes back with its cursor."""
        if not self._closed:
            self._closed = True
            self.stage.measures.closes[SLOW_READER] += 1
            if self.stage.watcher is not None:
                self.stage.watcher.closed(self.actor_urn, SLOW_READER, "slow reader")
            self._transport.close_slow()

    def on_stop(self) -> None:
        self._closed = True
        self._send_buffer.take()
        channels = self.channels
        self._on_closed(channels)
        self._gates = {}
        self._drop_callbacks()

    def _drop_callbacks(self) -> None:
        """The session that made this actor is referred to by it: leave no cycle for the garbage collector."""
        self._access_ended, self._on_closed, self._on_behind = no_bytes, _ignore, _ignore


def no_bytes(_: object) -> bytes:
    return b""


def _ignore(_: object) -> None:
    pass
