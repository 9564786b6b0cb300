"""Publications: events on their way to subscribers, encoded once and shared by all of them."""

from collections.abc import Callable, Iterator, Sequence

from actors import limits
from actors.auth.identity import Identity


class Publication:
    """One event as JSON bytes, with its place in the log."""

    __slots__ = ("data", "offset", "position", "type")

    def __init__(self, offset: int, position: int, event_type: str, data: bytes) -> None:
        self.offset = offset
        self.position = position
        self.type = event_type
        self.data = data


class LivePublication(Publication):
    """Published by a client in a live channel: the bytes as received, and their form in JSON frames."""

    __slots__ = ("as_json", "client_id", "identity", "is_base64")

    def __init__(
        self, offset: int, data: bytes, client_id: str, identity: Identity, *, as_json: bytes, is_base64: bool = False
    ) -> None:
        """`is_base64`: the data are not JSON, so `as_json` holds them as base64."""
        super().__init__(offset, 0, "", data)
        self.client_id = client_id
        self.identity = identity
        self.as_json = as_json
        self.is_base64 = is_base64

    @property
    def size(self) -> int:
        """In bytes; one object that serves both forms counts once."""
        return len(self.data) + (0 if self.as_json is self.data else len(self.as_json))


WireFormat = Callable[[str, Sequence[Publication]], bytes]
"""(channel, publications) → the bytes to write to a socket. Must be the same function object for all sockets of a kind:
it is the key under which the result is shared."""


class Publications:
    """Consecutive events of one channel. Each wire format is encoded once for all connections."""

    __slots__ = ("_wires", "channel", "first", "is_low_priority", "items", "last")

    def __init__(self, channel: str, items: Sequence[Publication]) -> None:
        self.channel = channel
        self.items = items
        self.is_low_priority = False
        """Whether their subscribers are a crowd (see `LoopActor.is_low_priority`)."""
        self.first = items[0].offset
        self.last = items[-1].offset
        self._wires: dict[WireFormat, bytes] = {}

    def wire(self, encode: WireFormat) -> bytes:
        wire = self._wires.get(encode)
        if wire is None:
            wire = self._wires[encode] = encode(self.channel, self.items)
        return wire

    def after(self, offset: int) -> "Publications | None":
        """The ones after `offset`, or None."""
        if self.first > offset:
            return self
        items = [item for item in self.items if item.offset > offset]
        return Publications(self.channel, items) if items else None


class EphemeralPublications(Publications):
    """Ephemeral events of one channel: without offsets, for its current subscribers only."""

    __slots__ = ()


def in_frames(items: Sequence[Publication]) -> Iterator[Sequence[Publication]]:
    """Groups that each fit into one frame."""
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
