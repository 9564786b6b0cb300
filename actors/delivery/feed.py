"""The feed actor: one SSE stream over one thread or many, in the one order of the log of all threads.

A client resumes such a stream by a single position, so what it has been sent must be everything up to there: what
arrives in a turn is put in order of position before it is written, and nothing is written while more of the same
commit may still wait in the inbox.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors import limits
from actors.delivery.channel import AccessEnded
from actors.delivery.connection import SLOW, ConnectionActor, no_bytes
from actors.delivery.publication import EphemeralPublications, Publication, Publications
from actors.ports import Transport
from actors.runtime.loop_actor import handles


@dataclass(frozen=True, slots=True)
class Watch:
    """Keep what comes on these channels until `Replay`."""

    channels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Replay:
    """The log up to `position` is in `wire`; write it, then what was kept after it, then what comes."""

    wire: bytes
    position: int
    states: Sequence[EphemeralPublications] = ()
    """What is passing in each channel, and began before."""


def _ignored(publications: Publications) -> None:
    """Most streams hear nothing that they do not write."""


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
        """`on_own` gets what a channel tells that is heard and not written: the reader's own."""
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
        self._position: int | None = None
        """Everything up to here was written; None until the replay is."""
        self._arrived: list[Publication] = []
        self._ended: list[str] = []
        """Channels taken away; told once the same commit's events, of whatever thread, are written."""

    @handles(Watch)
    def _watch(self, message: Watch) -> None:
        self._watched.update(message.channels)

    @handles(Publications)
    def _collect(self, publications: Publications) -> None:
        if publications.channel not in self._watched or not self.is_open:
            if publications.channel == self.own_channel:
                self._on_own(publications)
            return
        self._arrived += publications.items
        if len(self._arrived) > limits.FEED_EVENTS:
            self._close(*SLOW)

    @handles(EphemeralPublications)
    def _pass_on(self, passing: EphemeralPublications) -> None:
        """In its place among what is logged: it says the position after which it came."""
        if passing.channel not in self._watched or not self.is_open:
            return
        if self._blocked:
            self._behind = (self._behind or set()) | {passing.channel}
        else:
            self._collect(passing)

    @handles(Replay)
    def _replay(self, message: Replay) -> None:
        self._put(message.wire)
        self._position = message.position
        for state in message.states:
            self._arrived[:0] = state.items

    @handles(AccessEnded)
    def _end_access(self, message: AccessEnded) -> None:
        if message.channel in self._watched:
            self._watched.discard(message.channel)
            self._ended.append(message.channel)

    def on_turn_end(self) -> None:
        if not self._inbox and self._position is not None:
            self._write_arrived(self._position)
            self._tell_ended()
        super().on_turn_end()

    def _write_arrived(self, position: int) -> None:
        arrived, self._arrived = self._arrived, []
        arrived.sort(key=_position_of)
        for item in arrived:
            if item.offset == 0:
                self._put(self._encode_one(item))
            elif item.position > position:
                position = self._position = item.position
                self._put(self._encode_one(item))

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

    def _let_go(self) -> None:
        super()._let_go()
        self._encode_one, self._on_own = no_bytes, _ignored


def _position_of(item: Publication) -> int:
    return item.position


def _unused(channel: str, items: Sequence[Publication]) -> bytes:
    raise AssertionError("a feed encodes one publication at a time")
