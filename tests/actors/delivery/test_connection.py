"""The connection actor: one write a turn, a bounded send buffer, and a gate that neither loses nor repeats an event."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import limits
from actors.delivery.channel import AccessEnded, Attendance
from actors.delivery.connection import Close, Follow, Leave, OpenGate, Send, ShutGate
from actors.delivery.publication import EphemeralPublications, Publication, Publications
from actors.delivery.send_buffer import SendBuffer
from actors.runtime.loop_actor import Stage
from tests.actors.house import SLOW, Noted, Peer, lines_of
from tests.builders import identity, settle, until

CHANNEL = "thread:t"


def publications(*offsets: int, channel: str = CHANNEL) -> Publications:
    return Publications(channel, [Publication(n, n, "e", b"") for n in offsets])


def ephemeral(event_type: str = "typing", channel: str = CHANNEL) -> EphemeralPublications:
    return EphemeralPublications(channel, [Publication(0, 0, event_type, b"")])


def replay(*offsets: int) -> bytes:
    return lines_of(CHANNEL, publications(*offsets).items) if offsets else b""


def opened(peer: Peer, offset: int = 0, channel: str = CHANNEL) -> None:
    peer.tell(ShutGate(channel), OpenGate(channel, b"", offset))


async def blocked(peer: Peer) -> None:
    """The peer takes no more."""
    peer.wire.slow = True
    peer.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: peer.wire.awaits_drain)


@pytest.fixture
async def peer(stage: Stage) -> AsyncIterator[Peer]:
    made = Peer(stage)
    yield made
    await settle()
    assert made.wire.misuse == []


# Writing


async def test_a_turn_is_one_write(peer: Peer) -> None:
    opened(peer)
    peer.tell(Send(b"one "), Send(b"two "), publications(1, 2), Send(b"three"))
    await settle()
    assert peer.wire.writes == [b"one two 1 e\n2 e\nthree"]
    peer.tell(Send(b"more"))
    await settle()
    assert len(peer.wire.writes) == 2


async def test_a_channel_of_ones_own_is_followed_from_now_on(peer: Peer) -> None:
    peer.tell(publications(1), Follow(CHANNEL), publications(2), Follow(CHANNEL), publications(3))
    await settle()
    assert peer.lines == ["2 e", "3 e"]
    peer.tell(Leave(CHANNEL), publications(4))
    await settle()
    assert peer.lines == ["2 e", "3 e"]


async def test_a_channel_that_is_followed_has_its_very_first_event(peer: Peer) -> None:
    peer.tell(Follow(CHANNEL), publications(1))
    await settle()
    assert peer.offsets == [1]


async def test_following_a_channel_does_not_open_its_gate(peer: Peer) -> None:
    peer.tell(ShutGate(CHANNEL), Follow(CHANNEL), publications(1))
    await settle()
    assert peer.lines == []
    peer.tell(OpenGate(CHANNEL, b"", 0))
    await settle()
    assert peer.lines == ["1 e"]


async def test_a_gate_that_has_gone_or_is_open_is_not_opened(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    peer.tell(ShutGate(CHANNEL), Leave(CHANNEL), OpenGate(CHANNEL, b"too late\n", 0), publications(1))
    opened(peer, channel="thread:open")
    peer.tell(OpenGate("thread:open", b"again\n", 7), publications(1, channel="thread:open"))
    await settle()
    assert peer.lines == ["too late", "again", "1 e"]
    assert caplog.records == []


async def test_nothing_to_say_is_no_write(peer: Peer) -> None:
    peer.tell(Send(b""), publications(1), ShutGate(CHANNEL))
    await settle()
    assert peer.wire.writes == []


async def test_what_the_peer_has_not_taken_stays_in_the_send_buffer(peer: Peer) -> None:
    peer.wire.slow = True
    peer.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: peer.wire.awaits_drain)
    for n in range(3):
        peer.tell(Send(b"%d" % n))
        await settle()
    assert len(peer.wire.writes) == 1
    assert peer.actor.stage.unsent_bytes() == len(b"012")
    peer.wire.slow = False
    peer.wire.drain()
    await until(lambda: len(peer.wire.writes) == 2)
    assert peer.wire.writes[1] == b"012"
    peer.tell(Send(b"at once"))
    await settle()
    assert peer.wire.writes[2] == b"at once"


async def test_a_peer_that_takes_nothing_is_closed_with_3008(peer: Peer) -> None:
    peer.wire.slow = True
    peer.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: peer.wire.awaits_drain)
    chunk = b"x" * (limits.SEND_BUFFER_BYTES // 4)
    for _ in range(4):
        peer.tell(Send(chunk))
    await settle()
    assert peer.wire.closed is None
    assert peer.actor.is_open
    peer.tell(Send(b"the last straw"))
    await settle()
    assert peer.wire.closed == SLOW
    assert not peer.actor.is_open
    assert len(peer.wire.writes) == 1
    assert peer.actor.stage.measures.closes == {3008: 1}


async def test_a_closed_connection_gathers_nothing_more(peer: Peer) -> None:
    """Its socket may take long to go; meanwhile publications still come."""
    opened(peer)
    peer.wire.slow = True
    peer.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: peer.wire.awaits_drain)
    peer.tell(ShutGate("thread:shut"))
    for n in range(1, 40):
        peer.tell(Send(b"x" * limits.SEND_BUFFER_BYTES), publications(n), publications(n, channel="thread:shut"))
    await settle()
    assert peer.wire.closed == SLOW
    assert peer.actor._send_buffer.size <= 2 * limits.SEND_BUFFER_BYTES
    assert len(peer.actor._gates["thread:shut"]._kept) <= 1


async def test_much_at_once_does_not_make_a_peer_slow_that_takes_everything(peer: Peer) -> None:
    """Large messages committed together, or a long reply: how fast the peer is shows only once it is written."""
    chunk = b"x" * (limits.SEND_BUFFER_BYTES // 2)
    for _ in range(7):
        peer.tell(Send(chunk))
    peer.tell(Send(b"y" * (limits.SEND_BUFFER_BYTES + 1)))
    await settle()
    assert peer.wire.closed is None
    assert b"".join(peer.wire.writes) == chunk * 7 + b"y" * (limits.SEND_BUFFER_BYTES + 1)
    assert max(map(len, peer.wire.writes)) < 3 * limits.SEND_BUFFER_BYTES, "no more is gathered than that"


async def test_a_transport_that_fails_costs_only_its_write(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    def fail(chunks: Sequence[bytes]) -> None:
        raise ConnectionResetError("gone")

    write = peer.wire.write
    peer.wire.write = fail
    peer.tell(Send(b"lost"))
    await settle()
    assert "failed at the end of its turn" in caplog.text
    peer.wire.write = write
    peer.tell(Send(b"fine"))
    await settle()
    assert peer.wire.writes == [b"fine"]


async def test_one_slow_reader_hurts_nobody_else(stage: Stage) -> None:
    slow, quick = Peer(stage), Peer(stage)
    slow.wire.slow = True
    opened(slow)
    opened(quick)
    shared = Publications(CHANNEL, [Publication(1, 1, "e" * limits.SEND_BUFFER_BYTES, b"")])
    for n in range(1, 5):
        for peer in (slow, quick):
            peer.tell(Publications(CHANNEL, [Publication(n, n, shared.items[0].type, b"")]))
        await settle()
    assert slow.wire.closed == SLOW
    assert quick.wire.closed is None
    assert quick.offsets == [1, 2, 3, 4]


# Closing


async def test_closing_says_first_what_there_is_to_say(peer: Peer) -> None:
    peer.tell(Send(b"bye"), Close(3001, "shutdown"), Send(b"too late"))
    await settle()
    assert peer.wire.writes == [b"bye"]
    assert peer.wire.closed == (3001, "shutdown")
    assert not peer.actor.is_open


async def test_closing_twice_closes_once(peer: Peer) -> None:
    peer.tell(Close(3001, "first"), Close(3000, "second"))
    await settle()
    assert peer.wire.closed == (3001, "first")
    assert peer.actor.stage.measures.closes == {3001: 1}


async def test_a_drain_after_the_end_is_no_trouble(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    peer.wire.slow = True
    peer.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: peer.wire.awaits_drain)
    peer.actor.stop()
    await until(lambda: not peer.ref.is_alive())
    peer.wire.drain()
    await settle()
    assert caplog.records == []


async def test_what_a_stopped_connection_held_is_released(peer: Peer) -> None:
    peer.wire.slow = True
    peer.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: peer.wire.awaits_drain)
    peer.tell(Send(b"held"))
    await settle()
    assert peer.actor._send_buffer.size == 4
    peer.actor.stop()
    await until(lambda: not peer.ref.is_alive())
    await settle()
    assert (peer.actor._send_buffer.chunks, peer.actor._send_buffer.size) == ([], 0)


async def test_a_slow_reader_gets_the_current_state_once_it_reads_again(stage: Stage) -> None:
    behind: list[str] = []
    peer = Peer(stage, on_behind=behind.append)
    opened(peer)
    peer.wire.slow = True
    peer.tell(Send(b"x" * (limits.SOCKET_BUFFER_BYTES + 1)))
    await until(lambda: peer.wire.awaits_drain)
    for word in (b"dropped", b"dropped too"):
        peer.tell(EphemeralPublications(CHANNEL, [Publication(0, 0, "e", word)]))
    await settle()
    assert behind == []
    peer.wire.slow = False
    peer.wire.drain()
    await until(lambda: behind == [CHANNEL])
    assert len(peer.wire.writes) == 1


async def test_the_end_names_the_channels_that_were_open(stage: Stage) -> None:
    told: list[str] = []
    peer = Peer(stage, told.extend)
    for channel in ("thread:a", "thread:b", "thread:c"):
        opened(peer, channel=channel)
    peer.tell(ShutGate("thread:d"), Leave("thread:b"), AccessEnded("thread:c"))
    await settle()
    assert set(peer.actor.channels) == {"thread:a", "thread:d"}
    peer.actor.stop()
    await settle()
    assert set(told) == {"thread:a", "thread:d"}
    assert peer.actor.channels == ()


# The gate


async def test_what_is_not_subscribed_is_not_delivered(peer: Peer) -> None:
    opened(peer)
    peer.tell(publications(1, channel="thread:other"), publications(1), Leave(CHANNEL), publications(2))
    await settle()
    assert peer.offsets == [1]


async def test_behind_the_gate_events_wait_for_history(peer: Peer) -> None:
    peer.tell(ShutGate(CHANNEL), publications(4), publications(5, 6))
    await settle()
    assert peer.wire.writes == []
    peer.tell(OpenGate(CHANNEL, replay(1, 2, 3), 3), publications(7))
    await settle()
    assert peer.offsets == [1, 2, 3, 4, 5, 6, 7]


async def test_what_history_holds_is_not_sent_again(peer: Peer) -> None:
    peer.tell(ShutGate(CHANNEL), publications(2, 3), publications(4, 5, 6))
    peer.tell(OpenGate(CHANNEL, replay(1, 2, 3, 4), 4), publications(5, 6), publications(6, 7))
    await settle()
    assert peer.offsets == [1, 2, 3, 4, 5, 6, 7]


async def test_channels_have_gates_of_their_own(peer: Peer) -> None:
    opened(peer, channel="thread:open")
    peer.tell(ShutGate(CHANNEL), publications(1), publications(1, channel="thread:open"))
    await settle()
    assert peer.offsets == [1]


async def test_a_gate_behind_which_too_much_gathers(peer: Peer) -> None:
    peer.tell(ShutGate(CHANNEL))
    for n in range(1, limits.RECOVERY_EVENTS + 1):
        peer.tell(publications(n))
    await until(lambda: not peer.actor._inbox)
    assert peer.wire.closed is None
    peer.tell(publications(limits.RECOVERY_EVENTS + 1))
    await settle()
    assert peer.wire.closed == SLOW


async def test_ephemeral_events_behind_a_gate_are_bounded_too(peer: Peer) -> None:
    peer.tell(ShutGate(CHANNEL))
    word = EphemeralPublications(CHANNEL, [Publication(0, 0, "e", b"word")])
    for _ in range(limits.RECOVERY_EVENTS):
        peer.tell(word)
    await until(lambda: not peer.actor._inbox)
    assert peer.wire.closed is None
    peer.tell(word)
    await settle()
    assert peer.wire.closed == SLOW
    assert peer.actor.stage.measures.closes == {SLOW[0]: 1}


async def test_who_leaves_behind_a_shut_gate_gets_the_answer_only(peer: Peer) -> None:
    peer.tell(ShutGate(CHANNEL), publications(1), Leave(CHANNEL), OpenGate(CHANNEL, b"reply\n", 0), publications(2))
    await settle()
    assert peer.lines == ["reply"]


async def test_subscribing_anew_begins_anew(peer: Peer) -> None:
    opened(peer)
    peer.tell(publications(1, 2), Leave(CHANNEL), ShutGate(CHANNEL), publications(2, 3))
    peer.tell(OpenGate(CHANNEL, replay(1, 2), 2))
    await settle()
    assert peer.offsets == [1, 2, 1, 2, 3]


async def test_access_ended_is_the_last_word_on_a_channel(peer: Peer) -> None:
    opened(peer)
    peer.tell(publications(1), AccessEnded(CHANNEL), publications(2), AccessEnded(CHANNEL))
    await settle()
    assert peer.lines == ["1 e", f"ended {CHANNEL}"]


async def test_access_that_ends_behind_a_shut_gate_is_told_after_the_answer(peer: Peer) -> None:
    """Told before it, the client would take the answer for a subscription that lasts."""
    peer.tell(ShutGate(CHANNEL), publications(1), publications(2), AccessEnded(CHANNEL), publications(3))
    await settle()
    assert peer.lines == []
    peer.tell(OpenGate(CHANNEL, b"reply\n", 1), publications(4))
    await settle()
    assert peer.lines == ["reply", "2 e", f"ended {CHANNEL}"]
    assert peer.actor.channels == ()


async def test_access_that_ended_behind_a_shut_gate_does_not_outlast_leaving(peer: Peer) -> None:
    peer.tell(ShutGate(CHANNEL), AccessEnded(CHANNEL), Leave(CHANNEL), OpenGate(CHANNEL, b"reply\n", 1))
    await settle()
    assert peer.lines == ["reply"]


# Ephemeral events


async def test_ephemeral_events_pass_an_open_gate_and_wait_at_a_shut_one(peer: Peer) -> None:
    opened(peer, channel="thread:open")
    peer.tell(ephemeral("nobody's", channel="thread:other"), ephemeral("at once", channel="thread:open"))
    peer.tell(ShutGate(CHANNEL), ephemeral("kept"), publications(2))
    await settle()
    assert peer.lines == ["0 at once"]
    peer.tell(OpenGate(CHANNEL, replay(1), 1, ephemeral("state")))
    await settle()
    assert peer.lines == ["0 at once", "1 e", "0 state", "0 kept", "2 e"]


async def test_each_channel_that_a_slow_reader_missed_is_named_once(stage: Stage) -> None:
    behind: list[str] = []
    peer = Peer(stage, on_behind=behind.append)
    for channel in ("thread:a", "thread:b", "thread:c"):
        opened(peer, channel=channel)
    await blocked(peer)
    peer.tell(ephemeral(channel="thread:a"), ephemeral(channel="thread:b"), ephemeral(channel="thread:a"))
    await settle()
    assert stage.measures.ephemeral_dropped == 3
    for _ in range(2):
        peer.wire.slow = False
        peer.wire.drain()
        await settle()
        assert sorted(behind) == ["thread:a", "thread:b"]
        await blocked(peer)


async def test_a_connection_that_was_closed_takes_no_ephemeral_events(peer: Peer) -> None:
    opened(peer)
    await blocked(peer)
    peer.tell(Close(3001, "shutdown"), ephemeral())
    await settle()
    assert peer.actor.stage.measures.ephemeral_dropped == 0


async def test_who_comes_and_goes_is_written_where_the_gate_is_open_and_the_peer_reads(stage: Stage) -> None:
    peer = Peer(stage, on_attendance=lambda attendance: b"%b\n" % attendance.client_id.encode())
    opened(peer)
    peer.tell(ShutGate("thread:shut"))

    def tell(channel: str, client_id: str) -> None:
        peer.tell(Attendance(channel, client_id, identity(), True))

    for channel, client_id in (("thread:other", "other"), ("thread:shut", "shut"), (CHANNEL, "there")):
        tell(channel, client_id)
    await settle()
    assert peer.lines == ["there"]
    await blocked(peer)
    before = peer.wire.writes
    tell(CHANNEL, "missed")
    await settle()
    peer.wire.slow = False
    peer.wire.drain()
    await settle()
    assert peer.wire.writes == before


async def test_a_connection_without_a_form_for_it_hears_of_nobody(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    opened(peer)
    peer.tell(Attendance(CHANNEL, "client", identity(), True), Send(b"fine"))
    await settle()
    assert peer.wire.writes == [b"fine"]
    assert caplog.records == []


# Watched live


async def test_a_watcher_hears_what_is_delivered_written_and_closed(stage: Stage) -> None:
    watcher = stage.watcher = Noted()
    peer, slow = Peer(stage), Peer(stage)
    name = peer.actor.actor_urn
    opened(peer, 1)
    peer.tell(publications(1, 2), ephemeral())
    await settle()
    assert watcher.heard == [
        ("delivered", name, [2]),
        ("delivered", name, [0]),
        ("wrote", name, len("2 e\n0 typing\n")),
    ]
    peer.tell(Close(3001, "shutdown"))
    await settle()
    assert watcher.heard[3:] == [("closed", name, 3001, "shutdown")]
    await blocked(slow)
    slow.tell(Send(b"x" * (limits.SEND_BUFFER_BYTES + 1)))
    await settle()
    assert watcher.heard[-1] == ("closed", slow.actor.actor_urn, 3008, "slow reader")


async def test_what_is_delivered_and_written_is_counted(peer: Peer) -> None:
    opened(peer)
    peer.tell(publications(1), publications(1), publications(2, 3))
    await settle()
    measures = peer.actor.stage.measures
    assert (measures.deliveries, measures.bytes_sent) == (2, len("1 e\n2 e\n3 e\n"))


# Any order of things

live_batches = st.lists(st.integers(1, 4), max_size=8)


@st.composite
def stories(draw: st.DrawFn) -> dict[str, Any]:
    """A subscription with recovery: what the client had, where the log stood, and what came live, when."""
    since = draw(st.integers(0, 5))
    head = since + draw(st.integers(0, 5))
    batches, offset = [], head
    for size in draw(live_batches):
        overlap = draw(st.integers(0, 2)) if draw(st.booleans()) else 0  # told again, as after a quick re-subscription
        first = max(1, offset + 1 - overlap)
        batches.append(list(range(first, offset + size + 1)))
        offset += size
    return {
        "since": since,
        "head": head,
        "last": offset,
        "batches": batches,
        "opens_at": draw(st.integers(0, len(batches))),
        "pauses": draw(st.lists(st.sampled_from(["", "turn", "slow", "drain"]), min_size=12, max_size=12)),
        "stale": draw(st.booleans()),
    }


@settings(max_examples=300, deadline=None)
@given(stories())
def test_the_wire_gets_each_offset_once_and_in_order(story: dict[str, Any]) -> None:
    async def scenario() -> list[int]:
        stage = Stage()
        peer = Peer(stage)
        if story["stale"]:  # an earlier subscription, whose events are still on the way
            opened(peer, story["head"])
            peer.tell(Leave(CHANNEL))
        peer.tell(ShutGate(CHANNEL))
        if story["stale"] and story["head"]:
            peer.tell(publications(story["head"]))
        history = OpenGate(CHANNEL, replay(*range(story["since"] + 1, story["head"] + 1)), story["head"])
        pauses = iter(story["pauses"])
        for number, batch in enumerate(story["batches"]):
            if number == story["opens_at"]:
                peer.tell(history)
            await pause(peer, next(pauses))
            peer.tell(publications(*batch))
        if story["opens_at"] == len(story["batches"]):
            peer.tell(history)
        peer.wire.slow = False
        for _ in range(3):
            peer.wire.drain()
            await settle(3)
        stage.stop_all()
        return peer.offsets

    assert asyncio.run(scenario()) == list(range(story["since"] + 1, story["last"] + 1))


async def pause(peer: Peer, what: str) -> None:
    if what == "slow":
        peer.wire.slow = True
        peer.wire.waiting = limits.SOCKET_BUFFER_BYTES  # one more byte and it waits
    elif what == "drain":
        peer.wire.slow = False
        peer.wire.drain()
    if what:
        await settle(3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 20))
def test_the_send_buffer_counts_what_it_holds(sizes: list[int], limit: int) -> None:
    buffer = SendBuffer()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "SEND_BUFFER_BYTES", limit)
        held: list[bytes] = []
        for n, size in enumerate(sizes):
            held.append(b"x" * size)
            assert buffer.put(held[-1]) is (sum(map(len, held)) <= limit)
            assert buffer.size == sum(map(len, held))
            if n % 7 == 6:
                assert buffer.take() == held
                held = []
                assert (buffer.take(), buffer.size) == ([], 0)
