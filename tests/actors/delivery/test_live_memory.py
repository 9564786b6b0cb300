"""What live channels remember: no channel has a hole, nothing exceeds its limit, and nothing forgotten still counts."""

from collections import deque

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.delivery.live_memory import History, LiveMemory
from actors.delivery.publication import LivePublication
from tests.builders import identity

ANA, BEN = identity(1), identity(2)
SIZE = 10 + limits.LIVE_ENTRY_BYTES


class Channel:
    """A history, and what is published in it."""

    def __init__(self, memory: LiveMemory) -> None:
        self.history: History = deque()
        self._memory = memory
        self._head = 0

    def publish(self, who: Identity = ANA, now: float = 0.0) -> None:
        self._head += 1
        data = b"0123456789"
        item = LivePublication(self._head, data, "c", who, as_json=data)
        self._memory.keep(self.history, item, now)

    @property
    def offsets(self) -> list[int]:
        return [kept.item.offset for kept in self.history]


@pytest.fixture
def memory() -> LiveMemory:
    return LiveMemory()


@pytest.fixture
def channels(memory: LiveMemory) -> tuple[Channel, Channel]:
    return Channel(memory), Channel(memory)


def test_a_channel_keeps_its_newest(
    memory: LiveMemory, channels: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_HISTORY", 2)
    for _ in range(4):
        channels[0].publish()
    channels[1].publish()
    assert [channel.offsets for channel in channels] == [[3, 4], [1]]
    assert (len(memory), memory.size) == (3, 3 * SIZE)


def test_the_oldest_of_a_user_makes_room_and_what_is_older_in_its_channel(
    memory: LiveMemory, channels: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_USER_BYTES", 2 * SIZE)
    first, second = channels
    first.publish(BEN)
    first.publish(ANA)
    first.publish(BEN)
    second.publish(ANA)
    assert (first.offsets, second.offsets) == ([1, 2, 3], [1]), "each has two, as many as are allowed"
    second.publish(ANA)
    assert (first.offsets, second.offsets) == ([3], [1, 2])
    assert (len(memory), memory.size) == (3, 3 * SIZE)
    second.publish(BEN)
    assert (first.offsets, second.offsets) == ([3], [1, 2, 3]), "what was forgotten does not count"


def test_a_byte_too_much_is_too_much(
    memory: LiveMemory, channels: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_USER_BYTES", 2 * SIZE - 1)
    for _ in range(2):
        channels[0].publish()
    assert (channels[0].offsets, memory.size) == ([2], SIZE)


def test_the_oldest_of_all_makes_room(
    memory: LiveMemory, channels: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIVE_BYTES", 3 * SIZE)
    first, second = channels
    for channel, who in ((first, ANA), (second, BEN), (first, BEN)):
        channel.publish(who)
    assert len(memory) == 3
    second.publish(BEN)
    assert (first.offsets, second.offsets) == ([2], [1, 2])
    assert (len(memory), memory.size) == (3, 3 * SIZE)


def test_what_is_older_than_a_time_is_forgotten_in_steps(memory: LiveMemory, channels: tuple[Channel, Channel]) -> None:
    first, second = channels
    for now in (1.0, 2.0, 3.0):
        first.publish(now=now)
        second.publish(now=now)
    assert not memory.forget_older(3.0, 3)
    assert (first.offsets, second.offsets) == ([3], [2, 3])
    assert memory.forget_older(3.0, 3)
    assert (first.offsets, second.offsets) == ([3], [3]), "what is as old as that stays"
    assert memory.forget_older(4.0, 3)
    assert (len(memory), memory.size) == (0, 0)
    assert memory.forget_older(4.0, 1)


def test_a_channel_that_ends_is_forgotten_with_its_users(memory: LiveMemory, channels: tuple[Channel, Channel]) -> None:
    first, second = channels
    first.publish(ANA)
    first.publish(BEN)
    second.publish(BEN)
    memory.forget_all(first.history)
    assert (first.offsets, second.offsets) == ([], [1])
    assert (len(memory), memory.size) == (1, SIZE)
    assert list(memory._shares) == [BEN.user.key]
    memory.forget_all(second.history)
    assert memory._shares == {}
