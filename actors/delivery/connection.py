"""The connection actor: one WebSocket or SSE stream. Holds its subscriptions and its outbox.

Everything for its socket goes through the outbox, and leaves it once a turn of the event loop, joined into one write.
What the peer has not taken yet stays there, where it is counted; too much of it closes the connection with a code that
tells the client to come back with its cursor. A slow reader hurts nobody else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors import limits
from actors.delivery.channel import AccessEnded, Attendance
from actors.delivery.publication import EphemeralPublications, Publications, WireFormat
from actors.ports import Transport
from actors.runtime.loop_actor import LoopActor, handles

SLOW = (3008, "slow")


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for this connection alone: a reply, a ping."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class ShutGate:
    """From now on keep what comes on this channel: its history is being written first."""

    channel: str


@dataclass(frozen=True, slots=True)
class OpenGate:
    """History up to `offset` is in `wire`; write it, then what was kept, then what comes, nothing twice."""

    channel: str
    wire: bytes
    offset: int
    state: EphemeralPublications | None = None
    """What is passing and began before: told between the two."""


@dataclass(frozen=True, slots=True)
class Follow:
    """From now on this channel comes by itself: the client was told of it when it connected."""

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


class _Subscription:
    """Where one channel stands on one connection."""

    __slots__ = ("ended", "kept", "offset")

    def __init__(self) -> None:
        self.offset = 0
        self.ended = False
        """Access ended while the gate is shut; told once it opens."""
        self.kept: list[Publications] | None = []
        """What arrived while the gate is shut; None once it is open."""


class Outbox:
    """Chunks for one socket, bounded in bytes. Shared chunks are counted in full: each reader has to take them all."""

    __slots__ = ("chunks", "size")

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0

    def put(self, chunk: bytes) -> bool:
        """Whether there was room."""
        self.chunks.append(chunk)
        self.size += len(chunk)
        return self.size <= limits.OUTBOX_BYTES

    def take(self) -> list[bytes]:
        chunks, self.chunks, self.size = self.chunks, [], 0
        return chunks


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
        """`encode` is the wire format of this kind of connection; `on_access_ended` makes what tells the client that a
        channel was taken from it; `on_closed` gets the channels that were open at the end, `on_behind` each of
        which the state must be told anew; `on_attendance` makes what tells who joined or left."""
        super().__init__()
        self._transport = transport
        self._encode = encode
        self._access_ended = on_access_ended
        self._on_closed = on_closed
        self._on_behind = on_behind
        self._encode_attendance = on_attendance
        if client_id:
            self.actor_urn = self.actor_ref.actor_urn = client_id  # by it others know whose connection this is
        self._subscriptions: dict[str, _Subscription] = {}
        self._outbox = Outbox()
        self._blocked = False
        self._behind: set[str] | None = None
        """Channels of which something that passed was not told, while the peer took nothing."""
        self._closed = False

    @handles(Publications)
    def _deliver(self, publications: Publications) -> None:
        subscription = self._subscriptions.get(publications.channel)
        if subscription is None or subscription.ended or self._closed:
            return
        if subscription.kept is not None:
            self._keep(subscription, publications)
            return
        news = publications.after(subscription.offset)
        if news is not None:
            subscription.offset = news.last
            self._put(news.wire(self._encode))

    def _keep(self, subscription: _Subscription, publications: Publications) -> None:
        assert subscription.kept is not None
        subscription.kept.append(publications)
        if len(subscription.kept) > limits.RECOVERY_EVENTS:
            self._close(*SLOW)

    @handles(EphemeralPublications)
    def _pass_on(self, passing: EphemeralPublications) -> None:
        """What a slow reader is not told is not kept for it: it gets the state anew once it reads again."""
        subscription = self._subscriptions.get(passing.channel)
        if subscription is None or subscription.ended or self._closed:
            return
        if subscription.kept is not None:
            self._keep(subscription, passing)
        elif self._blocked:
            self._behind = (self._behind or set()) | {passing.channel}
        else:
            self._put(passing.wire(self._encode))

    @handles(Attendance)
    def _tell_attendance(self, attendance: Attendance) -> None:
        subscription = self._subscriptions.get(attendance.channel)
        is_open = subscription is not None and subscription.kept is None and not subscription.ended
        if is_open and not self._blocked and self._encode_attendance is not None:
            self._put(self._encode_attendance(attendance))

    @handles(ShutGate)
    def _shut_gate(self, message: ShutGate) -> None:
        self._subscriptions[message.channel] = _Subscription()

    @handles(OpenGate)
    def _open_gate(self, message: OpenGate) -> None:
        self._put(message.wire)
        subscription = self._subscriptions.get(message.channel)
        if subscription is None or subscription.kept is None:
            return
        kept, subscription.kept = subscription.kept, None
        subscription.offset = message.offset
        ended, subscription.ended = subscription.ended, False
        if message.state is not None:
            self._pass_on(message.state)
        for publications in kept:
            if isinstance(publications, EphemeralPublications):
                self._pass_on(publications)
            else:
                self._deliver(publications)
        if ended:
            self._end_access(AccessEnded(message.channel))

    @handles(Follow)
    def _follow(self, message: Follow) -> None:
        if message.channel not in self._subscriptions:
            subscription = self._subscriptions[message.channel] = _Subscription()
            subscription.kept = None

    @handles(Leave)
    def _leave(self, message: Leave) -> None:
        self._subscriptions.pop(message.channel, None)

    @handles(AccessEnded)
    def _end_access(self, message: AccessEnded) -> None:
        subscription = self._subscriptions.get(message.channel)
        if subscription is None:
            return
        if subscription.kept is not None:  # told before its history, the client would take that for one that lasts
            subscription.ended = True
            return
        del self._subscriptions[message.channel]
        self._put(self._access_ended(message.channel))

    @handles(Send)
    def _send(self, message: Send) -> None:
        self._put(message.wire)

    def _put(self, chunk: bytes) -> None:
        if not chunk or self._closed or self._outbox.put(chunk):
            return
        if self._blocked:
            self._close(*SLOW)
        else:
            self._flush()  # a lot in one turn: whether the peer is slow shows only once it was given it

    # Writing

    def on_turn_end(self) -> None:
        if self._outbox.chunks and not self._blocked and not self._closed:
            self._flush()

    def _flush(self) -> None:
        self._transport.write(self._outbox.take())
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
    def is_open(self) -> bool:
        return not self._closed

    @property
    def channels(self) -> Sequence[str]:
        return tuple(self._subscriptions)

    @handles(Close)
    def _close_as_told(self, message: Close) -> None:
        self._close(message.code, message.reason)

    def _close(self, code: int, reason: str) -> None:
        if self._closed:
            return
        if self._outbox.chunks and not self._blocked and code != SLOW[0]:
            self._transport.write(self._outbox.take())
        self._closed = True
        self._transport.close(code, reason)

    def on_stop(self) -> None:
        self._closed = True
        self._outbox.take()
        channels = self.channels
        self._on_closed(channels)
        self._subscriptions = {}
        self._let_go()

    def _let_go(self) -> None:
        """What made this actor holds it: no cycle may be left for the garbage collector."""
        self._access_ended, self._on_closed, self._on_behind = no_bytes, _ignore, _ignore


def no_bytes(_: object) -> bytes:
    return b""


def _ignore(_: object) -> None:
    pass
