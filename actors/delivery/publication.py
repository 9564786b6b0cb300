"""Events on their way to subscribers: encoded once, shared by everyone who gets them."""

from collections.abc import Callable, Iterator, Sequence

from actors import limits
from actors.auth.identity import Identity


class Publication:
    """One event as JSON bytes, and where it stands in its log."""

    __slots__ = ("data", "offset", "position", "type")

    def __init__(self, offset: int, position: int, event_type: str, data: bytes) -> None:
        self.offset = offset
        self.position = position
        self.type = event_type
        self.data = data


class LivePublication(Publication):
    """What a client published itself, in a live channel: bytes as they came, and what the JSON form has for them."""

    __slots__ = ("as_json", "client_id", "identity", "is_base64")

    def __init__(
        self, offset: int, data: bytes, client_id: str, identity: Identity, *, as_json: bytes, is_base64: bool = False
    ) -> None:
        """`is_base64`: the data are no JSON, so `as_json` holds them as base64."""
        super().__init__(offset, 0, "", data)
        self.client_id = client_id
        self.identity = identity
        self.as_json = as_json
        self.is_base64 = is_base64

    @property
    def size(self) -> int:
        """In bytes; what is the same in both forms is there once."""
        return len(self.data) + (0 if self.as_json is self.data else len(self.as_json))


WireFormat = Callable[[str, Sequence[Publication]], bytes]
"""(channel, publications) → what is written to a socket for them. Must be one and the same function for all sockets
of a kind: it is the key under which its result is shared."""


class Publications:
    """Neighbouring events of one channel. Each wire format is made once, however many connections it goes to."""

    __slots__ = ("_wires", "channel", "first", "is_patient", "items", "last")

    def __init__(self, channel: str, items: Sequence[Publication]) -> None:
        self.channel = channel
        self.items = items
        self.is_patient = False
        """Whether they go to a crowd (see `LoopActor.is_patient`)."""
        self.first = items[0].offset
        self.last = items[-1].offset
        self._wires: dict[WireFormat, bytes] = {}

    def wire(self, encode: WireFormat) -> bytes:
        wire = self._wires.get(encode)
        if wire is None:
            wire = self._wires[encode] = encode(self.channel, self.items)
        return wire

    def after(self, offset: int) -> "Publications | None":
        """Those after `offset`; None when there are none."""
        if self.first > offset:
            return self
        items = [item for item in self.items if item.offset > offset]
        return Publications(self.channel, items) if items else None


class EphemeralPublications(Publications):
    """Neighbouring ephemeral events of one channel: without offsets, told to who listens now, or not at all."""

    __slots__ = ()


def in_frames(items: Sequence[Publication]) -> Iterator[Sequence[Publication]]:
    """Pieces that one frame can carry, however much was committed at once."""
    if sum(len(item.data) for item in items) <= limits.PUBLICATIONS_BYTES:
        yield items
        return
    frame: list[Publication] = []
    size = 0
    for item in items:
        if frame and size + len(item.data) > limits.PUBLICATIONS_BYTES:
            yield frame
            frame, size = [], 0
        frame.append(item)
        size += len(item.data)
    yield frame
