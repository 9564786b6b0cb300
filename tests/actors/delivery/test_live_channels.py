"""Which live channels go: those without a subscriber, and without a message that has yet to be handled."""

import re

import pytest

from actors import limits
from actors.delivery.channel import Subscribe
from actors.delivery.live_channel import PublishLive, ReadLive
from actors.delivery.live_channels import LiveChannels
from actors.runtime.loop_actor import Stage
from tests.builders import identity, settle, until

ANA = identity()


@pytest.fixture
def channels(stage: Stage) -> LiveChannels:
    return LiveChannels(stage)


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
