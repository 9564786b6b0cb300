"""The actor of a live channel: offsets without gaps, and what of them it still remembers."""

from typing import Any

import pytest

from actors import limits
from actors.delivery.channel import ListPresent, Subscribe, Subscribed, Unsubscribe
from actors.delivery.live_channel import LiveChannelActor, PublishLive, ReadLive
from actors.delivery.live_memory import LiveMemory
from actors.delivery.publication import Publications
from actors.runtime.loop_actor import LoopActor, Ref, Stage, handles
from tests.builders import identity, settle

ANA = identity()


class Keeper:
    def __init__(self) -> None:
        self.memory = LiveMemory()
        self.said: list[str] = []

    def is_used(self, actor: LiveChannelActor) -> None:
        self.said.append("used")

    def is_idle(self, actor: LiveChannelActor) -> None:
        self.said.append("idle")


class Listener(LoopActor):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, int, bytes, bool]] = []

    @handles(Publications)
    def _hear(self, publications: Any) -> None:
        self.heard += [(publications.channel, item.offset, item.data, item.is_base64) for item in publications.items]


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def actor(keeper: Keeper) -> LiveChannelActor:
    return LiveChannelActor("cursors", 1, keeper)


@pytest.fixture
def channel(stage: Stage, actor: LiveChannelActor) -> Ref:
    return stage.start(actor)


async def publish(channel: Ref, *words: bytes) -> list[int]:
    return [await channel.ask(PublishLive(ANA, "client", word, word)) for word in words]


async def read(channel: Ref, since: int | None, limit: int = 100, *, reverse: bool = False) -> tuple[list[int], bool]:
    """Offsets, and whether they are whole."""
    page = await channel.ask(ReadLive(since, limit, reverse))
    return [item.offset for item in page.publications], page.is_whole


async def test_publications_are_counted_and_reach_subscribers(channel: Ref, stage: Stage) -> None:
    listener = Listener()
    assert await publish(channel, b"before") == [1]
    subscribed = await channel.ask(Subscribe(ANA, stage.start(listener)))
    page = await channel.ask(ReadLive(None, 0))
    assert subscribed == Subscribed(1, None, page.epoch)
    assert await channel.ask(PublishLive(ANA, "client", b"\xff", b'"/w=="', is_base64=True)) == 2
    assert await channel.ask(ListPresent(ANA)) == [(listener.actor_urn, ANA)]
    channel.tell(Unsubscribe(listener.actor_ref))
    assert await publish(channel, b"after") == [3]
    assert listener.heard == [("cursors", 2, b"\xff", True)]
    assert await channel.ask(ListPresent(ANA)) == []


async def test_its_keeper_hears_whether_it_is_used(
    channel: Ref, actor: LiveChannelActor, keeper: Keeper, stage: Stage
) -> None:
    first, second = stage.start(Listener()), stage.start(Listener())
    await publish(channel, b"1")
    assert keeper.said == ["idle"]
    assert not actor.is_needed
    for listener in (first, second):
        await channel.ask(Subscribe(ANA, listener))
    await publish(channel, b"2")
    assert keeper.said == ["idle", "used", "used"]
    channel.tell(Unsubscribe(first))
    await settle()
    assert keeper.said == ["idle", "used", "used"]
    assert actor.is_needed
    channel.tell(Unsubscribe(second))
    assert actor.is_needed, "a message is on its way"
    await settle()
    assert keeper.said == ["idle", "used", "used", "idle"]
    assert not actor.is_needed


@pytest.mark.parametrize(
    ("since", "offsets", "is_whole"),
    [
        (None, [3, 4, 5], True), (0, [3, 4, 5], False), (1, [3, 4, 5], False), (2, [3, 4, 5], True), (3, [4, 5], True),
        (5, [], True), (6, [], False),
    ],
)  # fmt: skip
async def test_what_it_remembers_is_whole_where_nothing_between_was_forgotten(
    channel: Ref, monkeypatch: pytest.MonkeyPatch, since: int | None, offsets: list[int], is_whole: bool
) -> None:
    monkeypatch.setattr(limits, "LIVE_HISTORY", 3)
    await publish(channel, *[b"x"] * 5)
    assert await read(channel, since) == (offsets, is_whole)


async def test_pages_go_both_ways(channel: Ref) -> None:
    await publish(channel, *[b"x"] * 5)
    assert await read(channel, 1, limit=2) == ([2, 3], True)
    assert await read(channel, None, limit=2, reverse=True) == ([5, 4], True)
    assert await read(channel, 4, limit=2, reverse=True) == ([3, 2], True)
    assert await read(channel, 1, reverse=True) == ([], True)


async def test_where_it_remembers_nothing_only_its_head_is_whole(
    channel: Ref, actor: LiveChannelActor, keeper: Keeper
) -> None:
    assert [await read(channel, since) for since in (0, 1)] == [([], True), ([], False)]
    await publish(channel, b"x", b"y")
    keeper.memory.forget_all(actor._history)
    assert [await read(channel, since) for since in (1, 2, 3)] == [([], False), ([], True), ([], False)]


async def test_one_with_a_crowd_is_patient(
    channel: Ref, actor: LiveChannelActor, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who publishes waits for who listens: else publications would pile up."""
    monkeypatch.setattr(limits, "CROWD", 1)
    for is_patient in (False, True):
        await channel.ask(Subscribe(ANA, stage.start(Listener())))
        assert actor.is_low_priority is is_patient


async def test_its_end_leaves_nothing_in_memory(channel: Ref, actor: LiveChannelActor, keeper: Keeper) -> None:
    await publish(channel, b"x")
    assert keeper.memory.size > 0
    actor.stop()
    await settle()
    assert keeper.memory.size == 0
