"""The gate: in any order of replay and live events, each is passed once and in order. No sockets, no actors."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from actors.delivery.gate import ENDED, LIVE, REGISTERING, REPLAYING, Gate, OffsetGate, PositionGate
from actors.delivery.publication import EphemeralPublications, Publication, Publications


def batch(*places: int, data: bytes = b"") -> Publications:
    return Publications("thread:t", [Publication(n, n, "e", data) for n in places])


def ephemeral(position: int = 0, data: bytes = b"") -> EphemeralPublications:
    return EphemeralPublications("thread:t", [Publication(0, position, "typing", data)])


def offsets(*batches: Publications | None) -> list[int]:
    return [item.offset for each in batches if each is not None for item in each.items]


def positions(items: Sequence[Publication]) -> list[int]:
    return [item.position for item in items]


def live_at(place: int) -> OffsetGate:
    gate = OffsetGate()
    gate.replayed(place)
    assert gate.open() == []
    return gate


# Its states


@pytest.mark.parametrize("make", [OffsetGate, PositionGate])
def test_it_registers_replays_lives_and_ends(make: type[Gate[object]]) -> None:
    gate = make()
    assert gate.state is REGISTERING
    gate.replayed(3)
    assert gate.state is REPLAYING
    assert gate.open() == []
    assert gate.state is LIVE
    assert gate.end()
    assert gate.state is ENDED
    assert gate.end()


def test_a_step_out_of_order_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"Expected a gate that is replaying, got one that is registering\."):
        OffsetGate().open()
    with pytest.raises(ValueError, match=r"Expected a gate that is registering, got one that is live\."):
        live_at(1).replayed(2)
    with pytest.raises(ValueError, match=r"Expected a gate that is live, got one that is registering\."):
        PositionGate().settle()


# By offset


def test_what_arrives_during_the_replay_follows_it() -> None:
    gate = OffsetGate()
    assert gate.arrive(batch(2, 3)) is None
    assert gate.arrive(batch(4)) is None
    gate.replayed(3)
    assert gate.arrive(batch(5)) is None
    assert offsets(*gate.open()) == [4, 5]
    assert offsets(gate.arrive(batch(5, 6))) == [6]


def test_a_live_gate_passes_only_what_is_newer() -> None:
    gate = live_at(3)
    assert gate.arrive(batch(2, 3)) is None
    assert offsets(gate.arrive(batch(3, 4))) == [4]
    assert gate.arrive(batch(4)) is None
    assert offsets(gate.arrive(batch(5))) == [5]


def test_a_live_gate_passes_the_same_object() -> None:
    """All subscribers share its wire form."""
    whole = batch(4, 5)
    assert live_at(3).arrive(whole) is whole


def test_ephemeral_publications_pass_where_they_stand() -> None:
    gate, state, typing = OffsetGate(), ephemeral(), ephemeral()
    for item in (batch(1), typing, batch(2)):
        gate.arrive(item)
    gate.replayed(1, (state,))
    first, second, third = gate.open()
    assert first is state
    assert second is typing
    assert offsets(third) == [2]
    assert gate.arrive(typing) is typing
    assert gate.place == 2


def test_an_end_during_the_replay_waits_until_the_gate_opens() -> None:
    gate = OffsetGate()
    gate.arrive(batch(1))
    assert not gate.end()
    gate.arrive(batch(2))
    gate.replayed(0)
    assert not gate.has_ended
    assert offsets(*gate.open()) == [1]
    assert gate.has_ended
    assert gate.arrive(batch(3)) is None
    assert not gate.is_full


def test_it_keeps_a_bounded_number() -> None:
    gate = OffsetGate()
    for n in range(1, limits.RECOVERY_EVENTS + 1):
        gate.arrive(batch(n))
    assert not gate.is_full
    gate.arrive(batch(limits.RECOVERY_EVENTS + 1))
    assert gate.is_full


@pytest.mark.parametrize("make", [OffsetGate, PositionGate])
def test_it_keeps_a_bounded_number_of_bytes(make: type[OffsetGate | PositionGate]) -> None:
    for item in (batch(1, data=b"x" * limits.GATE_BYTES), ephemeral(data=b"x" * limits.GATE_BYTES)):
        gate = make()
        gate.arrive(item)
        assert not gate.is_full
        gate.arrive(batch(2, data=b"x"))
        assert gate.is_full


@pytest.mark.parametrize("make", [OffsetGate, PositionGate])
def test_a_live_gate_is_not_full(make: type[OffsetGate | PositionGate]) -> None:
    """What it passes is bounded by the outbox of the connection."""
    gate = make()
    gate.arrive(batch(1, data=b"x" * limits.GATE_BYTES))
    gate.replayed(0)
    gate.open()
    for n in (2, 3):
        gate.arrive(batch(n, data=b"x" * limits.GATE_BYTES))
    assert not gate.is_full


# By position


def test_one_turn_is_sorted_by_position() -> None:
    gate = PositionGate()
    gate.arrive(batch(4, 6))
    gate.arrive(batch(1, 2, 5))
    gate.replayed(1)
    assert positions(gate.open()) == [2, 4, 5, 6]
    gate.arrive(batch(8))
    gate.arrive(batch(6, 7))
    assert positions(gate.settle()) == [7, 8]
    assert gate.settle() == []


def test_an_ephemeral_publication_stands_at_its_position() -> None:
    gate, before, during = PositionGate(), ephemeral(1), ephemeral(3)
    for item in (during, batch(4), batch(2, 3)):
        gate.arrive(item)
    gate.replayed(1, before.items)
    assert [(item.offset, item.position) for item in gate.open()] == [(0, 1), (2, 2), (0, 3), (3, 3), (4, 4)]


def test_a_position_gate_keeps_a_bounded_number() -> None:
    gate = PositionGate()
    gate.arrive(batch(*range(1, limits.FEED_EVENTS + 1)))
    assert not gate.is_full
    gate.arrive(ephemeral())
    assert gate.is_full


# Any order


@dataclass(frozen=True)
class Join:
    batches: Sequence[Sequence[int]]
    """What arrives, in order; the first ones may be in the replay, and some arrive twice."""
    head: int
    """The replay is 1, 2, 3, … up to here."""
    replayed: int
    """The step (number of batches that have arrived) at which it is known, and at which it is written."""
    opened: int
    ended: int | None


@st.composite
def joins(draw: st.DrawFn) -> Join:
    head = draw(st.integers(0, 8))
    newest = head + draw(st.integers(0, 8))
    batches: list[Sequence[int]] = []
    reached = draw(st.integers(0, head))
    while reached < newest:
        first = max(1, reached + 1 - draw(st.integers(0, 2)))
        reached = draw(st.integers(reached + 1, newest))
        batches.append(range(first, reached + 1))
    replayed = draw(st.integers(0, len(batches)))
    opened = draw(st.integers(replayed, len(batches)))
    return Join(batches, head, replayed, opened, draw(st.none() | st.integers(0, len(batches))))


@given(joins())
def test_each_offset_is_passed_once_and_in_order(join: Join) -> None:
    gate, seen = OffsetGate(), list[int]()
    arrived = join.batches if join.ended is None else join.batches[: join.ended]
    for step in range(len(join.batches) + 1):
        if step == join.replayed:
            gate.replayed(join.head)
        if step == join.opened:
            seen += [*range(1, join.head + 1), *offsets(*gate.open())]
        if step == join.ended:
            gate.end()
        if step < len(join.batches):
            seen += offsets(gate.arrive(batch(*join.batches[step])))
    assert seen == list(range(1, max(join.head, *(each[-1] for each in arrived), 0) + 1))


@given(st.data())
def test_each_position_is_passed_once_and_in_order(data: st.DataObject) -> None:
    """Commits arrive whole between two turns, but their events in any order."""
    newest = data.draw(st.integers(0, 16))
    cuts = sorted(data.draw(st.sets(st.integers(0, newest), max_size=5)) | {0, newest})
    commits = [data.draw(st.permutations(range(first + 1, last + 1))) for first, last in pairwise(cuts)]
    head = data.draw(st.sampled_from(cuts))
    turn = data.draw(st.integers(0, len(commits)))
    gate, seen = PositionGate(), list[int]()
    for step in range(len(commits) + 1):
        if step == turn:
            gate.replayed(head)
            seen += [*range(1, head + 1), *positions(gate.open())]
        elif gate.state is LIVE:
            seen += positions(gate.settle())
        for place in commits[step] if step < len(commits) else ():
            gate.arrive(batch(place))
    if gate.state is LIVE:
        seen += positions(gate.settle())
    assert seen == list(range(1, newest + 1))
