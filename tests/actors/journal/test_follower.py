"""The follower: events of this process go out at once only where nothing of another process comes before them."""

from collections.abc import AsyncIterator

import pytest

from actors import limits
from actors.errors import StorageUnavailable
from actors.events import Event
from actors.journal.follower import Follower
from tests.builders import message_event, until


async def _head() -> tuple[str, int]:
    return "epoch", 0


async def _range(after: int, up_to: int) -> tuple[Event, ...]:
    return ()


def follower() -> Follower:
    return Follower(read_head=_head, read_range=_range, is_busy=lambda: False, publish=lambda events: None)


async def test_it_begins_before_the_first_position() -> None:
    assert follower().committed(1, 3)
    assert not follower().committed(2, 3), "position 1 was taken by another process"


async def test_what_comes_after_a_gap_waits_for_it() -> None:
    following = follower()
    assert following.committed(1, 1)
    assert not following.committed(3, 3)
    assert not following.committed(4, 4), "the gap before it is not read yet"


class Log:
    """One that another process writes; it is read in steps of what the follower asks."""

    def __init__(self, head: int) -> None:
        self.head = head
        self.published: list[Event] = []

    async def read_head(self) -> tuple[str, int]:
        return "epoch", self.head

    async def read_range(self, after: int, up_to: int) -> tuple[Event, ...]:
        return tuple(message_event(position) for position in range(after + 1, up_to + 1))

    @property
    def positions(self) -> list[int]:
        return [event.position for event in self.published]


@pytest.fixture
async def log() -> Log:
    return Log(head=2)


@pytest.fixture
async def following(log: Log, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Follower]:
    monkeypatch.setattr(limits, "FOLLOW_SECONDS", 0.001)
    made = Follower(
        read_head=log.read_head, read_range=log.read_range, is_busy=lambda: False, publish=log.published.extend
    )
    await made.start()
    yield made
    made.stop()


async def test_what_another_process_writes_is_published_once(log: Log, following: Follower) -> None:
    await looks(following)
    assert log.positions == [], "what was there before the start"
    log.head = 4
    await until(lambda: log.positions == [3, 4])
    await looks(following)
    log.head = 5
    await until(lambda: len(log.published) >= 3)
    await looks(following)
    assert log.positions == [3, 4, 5]


async def test_it_looks_at_once_where_ours_come_after_others(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FOLLOW_SECONDS", 3600)
    following = Follower(
        read_head=log.read_head, read_range=log.read_range, is_busy=lambda: True, publish=log.published.extend
    )
    await following.start()
    assert following.committed(3, 3)
    assert not following.committed(5, 6)
    await until(lambda: log.positions == [4, 5, 6])
    assert following.committed(7, 7), "what came before it is published"
    following.stop()


async def test_much_is_read_in_steps(log: Log, following: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FOLLOW_POSITIONS", 3)
    log.head = 12
    await until(lambda: len(log.published) >= 10)
    assert log.positions == list(range(3, 13))


async def test_ours_wait_while_others_are_read_in_steps(
    log: Log, following: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FOLLOW_POSITIONS", 1)
    at_once: list[bool] = []

    async def read_range(after: int, up_to: int) -> tuple[Event, ...]:
        if len(at_once) < 3:
            at_once.append(following.committed(7 + len(at_once), 7 + len(at_once)))
        return await log.read_range(after, up_to)

    monkeypatch.setattr(following, "_read_range", read_range)
    log.head = 6
    await until(lambda: len(log.published) >= 7)
    assert at_once == [False] * 3
    assert log.positions == list(range(3, 10))


async def looks(following: Follower) -> None:
    """Until it has looked at the head once more, from the beginning."""
    seen: list[bool] = []
    read_head = following._read_head

    async def counted() -> tuple[str, int]:
        seen.append(True)
        return await read_head()

    following._read_head = counted
    await until(lambda: len(seen) >= 2)
    following._read_head = read_head


async def test_a_read_that_fails_goes_on_where_it_was(
    log: Log, following: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FOLLOW_POSITIONS", 2)
    reads: list[tuple[int, int]] = []

    async def read_range(after: int, up_to: int) -> tuple[Event, ...]:
        reads.append((after, up_to))
        if len(reads) == 2:
            raise StorageUnavailable("away")
        return await log.read_range(after, up_to)

    monkeypatch.setattr(following, "_read_range", read_range)
    log.head = 6
    await until(lambda: len(log.published) >= 4)
    assert reads == [(2, 4), (4, 6), (4, 6)]
    assert log.positions == [3, 4, 5, 6]
