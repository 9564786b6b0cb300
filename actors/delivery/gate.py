"""Joining a log without a race: no event is lost between its replay and its live events, and none is delivered twice.

    REGISTERING ──replayed(place)──▶ REPLAYING ──open()──▶ LIVE ──end()──▶ ENDED

A subscriber registers first, so that all later events arrive at its gate, and reads the log afterwards. The gate keeps
what arrives until the replay is written; then it opens, and passes only what is newer than the replay and than all that
it has passed before. Pure: the owner of a gate writes what `arrive`, `open` and `settle` answer.

Places are offsets (`OffsetGate`, one log) or positions (`PositionGate`, many logs in their one total order).
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final, Generic, TypeVar

from actors import limits
from actors.delivery.publication import EphemeralPublications, Publication, Publications

T = TypeVar("T")


class GateState(Enum):
    REGISTERING = "registering"
    """The replay is being read: all that arrives is kept."""
    REPLAYING = "replaying"
    """It is being written: its place is known, and all that is newer is kept."""
    LIVE = "live"
    ENDED = "ended"


REGISTERING: Final = GateState.REGISTERING
REPLAYING: Final = GateState.REPLAYING
LIVE: Final = GateState.LIVE
ENDED: Final = GateState.ENDED


class Gate(Generic[T]):
    __slots__ = ("_ends", "_kept", "_size", "place", "state")

    place: int
    """From `replayed` on: everything up to here was passed, or is in the replay."""

    def __init__(self) -> None:
        self.state = REGISTERING
        self._ends = False
        self._kept: list[T] = []
        self._size = 0
        """In bytes, of what is kept before the gate is live."""

    def _keep(self, item: T, size: int) -> None:
        if not self._ends:
            self._kept.append(item)
            self._size += size

    def replayed(self, place: int, ephemeral: Sequence[T] = ()) -> None:
        """The replay holds everything up to `place`. `ephemeral`: what began before it; passed first."""
        self._require(REGISTERING)
        self.state = REPLAYING
        self.place = place
        self._kept[:0] = ephemeral

    def open(self) -> list[T]:
        """The replay is written. Answers what is newer of what was kept, in order. The gate is live from now on, or
        ended where its end was waiting for this."""
        self._require(REPLAYING)
        kept, self._kept = self._kept, []
        self.state = ENDED if self._ends else LIVE
        return self._newer_of(kept)

    def end(self) -> bool:
        """Nothing that arrives from now on is passed. Answers whether the end is reached: before the gate is live it
        waits for `open`, which still passes what was kept."""
        self._ends = True
        if self.state is LIVE:
            self.state = ENDED
        return self.has_ended

    @property
    def has_ended(self) -> bool:
        return self.state is ENDED

    def _require(self, state: GateState) -> None:
        if self.state is not state:
            raise ValueError(f"Expected a gate that is {state.value}, got one that is {self.state.value}.")

    def _newer_of(self, kept: list[T]) -> list[T]:
        """In order, and what is newer than `place`; moves it."""
        raise NotImplementedError


class OffsetGate(Gate[Publications]):
    """Of one log, whose publications arrive in order. Ephemeral ones have no offset: they pass where they stand."""

    __slots__ = ()

    def arrive(self, publications: Publications) -> Publications | None:
        """What of them is to be written now."""
        if self.state is LIVE:  # the hot path: one comparison, and the same object for all subscribers
            if publications.first > self.place:
                self.place = publications.last
                return publications
            return self._newer(publications)
        self._keep(publications, sum(len(item.data) for item in publications.items))
        return None

    @property
    def is_full(self) -> bool:
        """Too much arrived before the gate was live: the subscriber has to come back with its cursor."""
        return len(self._kept) > limits.RECOVERY_EVENTS or self._size > limits.GATE_BYTES

    def _newer_of(self, kept: list[Publications]) -> list[Publications]:
        return [newer for item in kept if (newer := self._newer(item)) is not None]

    def _newer(self, publications: Publications) -> Publications | None:
        if isinstance(publications, EphemeralPublications):
            return publications
        newer = publications.after(self.place)
        if newer is not None:
            self.place = newer.last
        return newer


class PositionGate(Gate[Publication]):
    """Of many logs at once. One commit may hold events of several of them, which arrive one after the other, in any
    order; so the gate keeps them until its owner knows that the commit has arrived whole, and `settle` sorts them."""

    __slots__ = ()

    def arrive(self, publications: Publications) -> None:
        for item in publications.items:
            self._keep(item, 0 if self.state is LIVE else len(item.data))

    def settle(self) -> list[Publication]:
        """What has arrived, in order of position; the gate must be live."""
        self._require(LIVE)
        if not self._kept:
            return []
        kept, self._kept = self._kept, []
        return self._newer_of(kept)

    @property
    def is_full(self) -> bool:
        """Too much arrived before it could be written: the subscriber has to come back with its cursor."""
        return len(self._kept) > limits.FEED_EVENTS or self._size > limits.GATE_BYTES

    def _newer_of(self, kept: list[Publication]) -> list[Publication]:
        kept.sort(key=_position_of)
        return [item for item in kept if self._passes(item)]

    def _passes(self, item: Publication) -> bool:
        """An ephemeral one (offset 0) stands at the position after which it came, and passes there."""
        if item.offset == 0:
            return True
        if item.position <= self.place:
            return False
        self.place = item.position
        return True


def _position_of(item: Publication) -> int:
    return item.position
