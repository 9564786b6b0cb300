"""The feed actor: one SSE stream over one thread or many, in the one order of the log of all threads.

A client resumes such a stream by a single position, so it must have been sent everything up to there: the gate sorts by
position what arrives in a turn, and nothing is written while more of the same commit may wait in the inbox.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.delivery.channel import AccessEnded
from actors.delivery.connection import ConnectionActor, no_bytes
from actors.delivery.gate import LIVE, REGISTERING, PositionGate
from actors.delivery.publication import EphemeralPublications, Publication, Publications
from actors.ports import Transport
from actors.runtime.loop_actor import handles


@dataclass(frozen=True, slots=True)
class Watch:
    """Keep what arrives on these channels until `Replay`."""

    channels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Replay:
    """Write `wire`, which holds the log up to `position`, then what was kept; all channels are live from then on."""

    wire: bytes
    position: int
    states: Sequence[EphemeralPublications] = ()
    """Ephemeral events of each channel that began before."""


def _ignored(publications: Publications) -> None:
    """Most streams write all that they receive."""


class FeedActor(ConnectionActor):
    def __init__(
        self,
        transport: Transport,
        *,
        encode_one: Callable[[Publication], bytes],
        on_access_ended: Callable[[str], bytes],
        on_closed: Callable[[Sequence[str]], None],
        on_behind: Callable[[str], None],
        on_own: Callable[[Publications], None] = _ignored,
        client_id: str = "",
    ) -> None:
        """`on_own` gets the publications of `own_channel`, the reader's own log, which are not written."""
        super().__init__(
            transport,
            encode=_unused,
            on_access_ended=on_access_ended,
            on_closed=on_closed,
            on_behind=on_behind,
            client_id=client_id,
        )
        self._encode_one = encode_one
        self._on_own = on_own
        self.own_channel: str | None = None
        self._watched: set[str] = set()
        self._gate = PositionGate()
        self._ended: list[str] = []
        """Channels whose access has ended; announced once all events of the same commit are written."""

    @handles(Watch)
    def _watch(self, message: Watch) -> None:
        self._watched.update(message.channels)

    @handles(Publications)
    def _deliver(self, publications: Publications) -> None:
        if publications.channel not in self._watched or not self.is_open:
            if publications.channel == self.own_channel:
                self._on_own(publications)
            return
        if self.stage.watcher is not None:
            self.stage.watcher.delivered(self.actor_urn, publications)
        self._gate.arrive(publications)
        if self._gate.is_full:
            self._close_slow()

    @handles(EphemeralPublications)
    def _deliver_ephemeral(self, publications: EphemeralPublications) -> None:
        if publications.channel not in self._watched or not self.is_open:
            return
        if self._blocked:
            self._behind = (self._behind or set()) | {publications.channel}
        else:
            self._deliver(publications)

    @handles(Replay)
    def _replay(self, message: Replay) -> None:
        self._put(message.wire)
        self._gate.replayed(message.position, [item for state in message.states for item in state.items])

    @handles(AccessEnded)
    def _end_access(self, message: AccessEnded) -> None:
        if message.channel in self._watched:
            self._watched.discard(message.channel)
            self._ended.append(message.channel)

    def on_turn_end(self) -> None:
        if not self._inbox and self._gate.state is not REGISTERING:
            arrived = self._gate.settle() if self._gate.state is LIVE else self._gate.open()
            for item in arrived:
                self._put(self._encode_one(item))
            self._tell_ended()
        super().on_turn_end()

    def _tell_ended(self) -> None:
        ended, self._ended = self._ended, []
        for channel in ended:
            self._put(self._access_ended(channel))

    @property
    def watches(self) -> int:
        """How many channels; they only become fewer."""
        return len(self._watched)

    @property
    def channels(self) -> Sequence[str]:
        return tuple(self._watched)

    def _drop_callbacks(self) -> None:
        super()._drop_callbacks()
        self._encode_one, self._on_own = no_bytes, _ignored


def _unused(channel: str, items: Sequence[Publication]) -> bytes:
    raise AssertionError("a feed encodes one publication at a time")
