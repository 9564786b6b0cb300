"""Which live channels go: those without a subscriber, and without a message that has yet to be handled."""

import re
from typing import Any

import pytest

from actors import limits
from actors.delivery.channel import ListPresent, Subscribe, Unsubscribe
from actors.delivery.live_channel import PublishLive, ReadLive
from actors.delivery.live_channels import LiveChannels
from actors.runtime.loop_actor import Ref, Stage
from tests.actors.clock import Clock
from tests.builders import identity, settle, until

ANA = identity()


@pytest.fixture
def channels(stage: Stage) -> LiveChannels:
    return LiveChannels(stage)


def opened(channels: LiveChannels, name: str, user_key: int = 1) -> Ref:
    channel = channels.open(name, user_key)
    assert channel is not None
    return channel


def those_that_live(channels: LiveChannels, *names: str) -> list[str]:
    return [name for name in names if channels.find(name) is not None]


async def test_an_idle_one_makes_room(channels: LiveChannels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIVE_CHANNELS", 2)
    for name in ("first", "second", "third"):
        assert channels.open(name, user_key=1) is not None
    assert [channels.find(name) is not None for name in ("first", "second", "third")] == [False, True, True]
    channels.stop()


@pytest.mark.parametrize("limit", ["LIVE_CHANNELS", "LIVE_CHANNELS_PER_USER"])
async def test_one_that_has_yet_to_handle_a_message_does_not(
    channels: LiveChannels, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(limits, limit, 1)
    busy = channels.open("busy", user_key=1)
    assert busy is not None
    busy.tell(PublishLive(ANA, "client", b"1", b"1"))
    assert channels.open("other", user_key=1) is None
    assert channels.find("busy") is busy
    await settle()
    assert channels.open("other", user_key=1) is not None, "the message is handled, and nobody is subscribed"
    assert channels.find("busy") is None
    channels.stop()


async def test_one_that_has_a_subscriber_does_not(
    channels: LiveChannels, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_CHANNELS", 1)
    used = channels.open("used", user_key=1)
    assert used is not None
    connection = channels.open("used", user_key=1)
    assert connection is not None
    used.tell(Subscribe(ANA, connection))
    await settle()
    assert channels.open("other", user_key=2) is None
    assert len(channels) == 1
    channels.stop()


async def test_one_that_is_made_anew_has_another_epoch(
    channels: LiveChannels, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_CHANNELS", 1)
    epochs = []
    for name in ("same", "other", "same"):
        channel = channels.open(name, user_key=1)
        assert channel is not None
        epochs.append((await channel.ask(ReadLive(None, 1))).epoch)
    assert len(set(epochs)) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", epoch) for epoch in epochs), "as in a thread's log"
    channels.stop()


async def test_time_retires_them_again_and_again(channels: LiveChannels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIVE_SECONDS", 0.01)
    for name in ("first", "second"):
        channel = channels.open(name, user_key=1)
        assert channel is not None
        channel.tell(PublishLive(ANA, "client", b"1", b"1"))
        await until(lambda: len(channels) == 0)
        assert (channels.find(name), channels.memory.size, channels._timer) == (None, 0, None)


async def test_no_timer_outlives_them(channels: LiveChannels) -> None:
    channels.stop()
    channels.open("one", user_key=1)
    timer = channels._timer
    assert timer is not None
    channels.open("two", user_key=1)
    assert channels._timer is timer, "one for all of them"
    channels.stop()
    assert timer.cancelled()
    channels.open("late", user_key=1)
    assert channels._timer is timer, "nothing begins after the end"


@pytest.mark.parametrize("limit", ["LIVE_CHANNELS", "LIVE_CHANNELS_PER_USER"])
async def test_the_one_that_was_used_longest_ago_makes_room(
    channels: LiveChannels, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(limits, limit, 2)
    first, second = opened(channels, "first"), opened(channels, "second")
    await first.ask(PublishLive(ANA, "client", b"1", b"1"))
    opened(channels, "third")
    assert those_that_live(channels, "first", "second", "third") == ["first", "third"]
    await until(lambda: not second.is_alive())
    assert first.is_alive()
    channels.stop()


async def test_a_user_who_has_too_many_takes_no_room_from_others(
    channels: LiveChannels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_CHANNELS_PER_USER", 1)
    opened(channels, "of another", user_key=2)
    used = opened(channels, "used")
    await used.ask(Subscribe(ANA, used))
    assert channels.open("more", user_key=1) is None
    assert those_that_live(channels, "of another", "used", "more") == ["of another", "used"]
    used.tell(Unsubscribe(used))
    await settle()
    opened(channels, "more")
    assert those_that_live(channels, "of another", "used", "more") == ["of another", "more"]
    channels.stop()


async def test_what_matters_only_to_live_ones_makes_none(channels: LiveChannels) -> None:
    channels.tell_if_live("one", Subscribe(ANA, opened(channels, "other")))
    assert channels.find("one") is None
    one = opened(channels, "one")
    channels.tell_if_live("one", Subscribe(ANA, one))
    assert len(await one.ask(ListPresent(ANA))) == 1
    one.stop(block=False)
    await settle()
    channels.tell_if_live("one", Unsubscribe(one))  # when all stop, channels go before connections
    channels.stop()


async def test_nothing_is_kept_of_users_whose_channels_have_gone(channels: LiveChannels) -> None:
    used = opened(channels, "used")
    await used.ask(Subscribe(ANA, used))
    assert channels._idle_of == {}
    opened(channels, "idle", user_key=2)
    for actor in list(channels._channels.values()):
        channels._retire(actor)
    assert (channels._idle, channels._idle_of, channels._made) == ({}, {}, {})
    channels.stop()


class OnClock:
    """A stage whose time a test moves."""

    def __init__(self, stage: Stage) -> None:
        self.loop = Clock()
        self.start = stage.start


@pytest.fixture
def timed(stage: Stage) -> Any:
    return OnClock(stage)


async def test_one_retires_at_the_first_look_after_its_time(timed: Any) -> None:
    channels, look = LiveChannels(timed), limits.LIVE_SECONDS / limits.LIVE_LOOKS
    opened(channels, "first")
    timed.loop.advance(look)
    opened(channels, "second")
    timed.loop.advance(limits.LIVE_SECONDS - look)
    assert those_that_live(channels, "first", "second") == ["first", "second"]
    timed.loop.advance(look)
    assert those_that_live(channels, "first", "second") == ["second"]
    timed.loop.advance(look)
    assert (len(channels), timed.loop.pending) == (0, [])


async def test_one_with_a_message_on_its_way_has_its_time_again(timed: Any) -> None:
    channels, look = LiveChannels(timed), limits.LIVE_SECONDS / limits.LIVE_LOOKS
    opened(channels, "asked").tell(ListPresent(ANA))
    timed.loop.advance(limits.LIVE_SECONDS + look)
    await settle()
    timed.loop.advance(limits.LIVE_SECONDS)
    assert those_that_live(channels, "asked") == ["asked"]
    timed.loop.advance(look)
    assert len(channels) == 0


async def test_many_retire_in_steps_with_a_pause(timed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIVE_SWEPT_AT_ONCE", 2)
    channels = LiveChannels(timed)
    for number in range(5):
        opened(channels, f"{number}")
    timed.loop.advance(limits.LIVE_SECONDS + limits.LIVE_SECONDS / limits.LIVE_LOOKS)
    left = [len(channels)]
    while timed.loop.pending:
        timed.loop.advance(limits.LIVE_SWEEP_PAUSE_SECONDS)
        left.append(len(channels))
    assert left == [3, 1, 0]
