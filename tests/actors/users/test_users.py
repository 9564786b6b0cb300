"""Connected users: what happened to them reaches their devices, also after a read that failed; unread counts of many
threads that moved at once go out spread, each once and none too late."""

import asyncio
from typing import Any

import pytest

from actors import limits
from actors.delivery.connection import Follow
from actors.delivery.publication import EphemeralPublications, Publications
from actors.errors import StorageUnavailable
from actors.queries import Query
from actors.resources.user_events import GetUserLogHeads, ReadUserLog, UserEvent, UserLogPage
from actors.runtime.loop_actor import LoopActor, Stage, handles
from actors.users.directory import Users
from actors.users.inbox import Posted
from actors.users.unread import Counts, CountUnread, ThreadCount
from tests.builders import message_event, until, user


class Noted(Users):
    """Notes which threads are told together."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, None, lambda event: b"", self._live)  # type: ignore[arg-type]
        self.told: list[list[str]] = []
        self._online[1] = None  # type: ignore[assignment]  # somebody is here

    def _live(self, thread_id: str) -> Any:
        self.told[-1].append(thread_id)

    def _tell_moved(self) -> None:
        self.told.append([])
        super()._tell_moved()


async def test_a_burst_is_told_in_slices(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.01)
    users = Noted(stage)
    names = [f"t{n}" for n in range(100)]
    for name in names:
        users.moved(name, [message_event(1, thread_id=name)])
    await until(lambda: sum(map(len, users.told)) == len(names), "all are told")
    assert [name for together in users.told for name in together] == names, "each once, in order"
    assert max(map(len, users.told)) <= limits.UNREAD_AT_ONCE
    users.stop()


async def test_each_is_told_when_it_is_due(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    users = Noted(stage)
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.01)
    users.moved("early", [message_event(1, thread_id="early")])
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.5)
    users.moved("late", [message_event(1, thread_id="late")])
    users.moved("early", [message_event(2, thread_id="early")])
    await until(lambda: sum(map(len, users.told)) == 2, "both are told")
    assert [together for together in users.told if together] == [["early"], ["late"]]
    assert users._timer is None
    users.stop()


class Log:
    """A log of one user that other processes write, on a disk that fails at times."""

    def __init__(self) -> None:
        self.head = 0
        self.failures = 0
        self.asked: list[type[Query[Any]]] = []
        self.when_asked: list[asyncio.Event] = []
        """A reader answers what it has seen once these are set, one an answer."""

    async def ask(self, query: Query[Any]) -> Any:
        self.asked.append(type(query))
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("The disk is away.")
        seen = self.head
        if self.when_asked:
            await self.when_asked.pop(0).wait()
        if isinstance(query, GetUserLogHeads):
            return dict.fromkeys(query.user_keys, seen)
        if isinstance(query, CountUnread):
            return Counts({"t": ThreadCount(newest=1, read=0)}, {}, position=1)
        assert isinstance(query, ReadUserLog)
        entries = [UserEvent(1, offset, "thread.joined", 0, {}) for offset in range(query.offset + 1, seen + 1)]
        return UserLogPage(tuple(entries), seen, more=False)


class Device(LoopActor):
    def __init__(self) -> None:
        super().__init__()
        self.offsets: list[int] = []
        self.counts = 0
        """How often it was told what is unread."""

    @handles(Publications)
    def _take(self, publications: Publications) -> None:
        self.offsets += [item.offset for item in publications.items]

    @handles(EphemeralPublications)
    def _take_counts(self, publications: EphemeralPublications) -> None:
        self.counts += 1

    @handles(Follow)
    def _follow(self, _: Follow) -> None:
        pass


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def users(stage: Stage, log: Log, device: Device) -> Users:
    """One is connected, and has got all there is."""
    made = Users(stage, log, lambda event: b"{}", lambda thread_id: None)
    stage.start(device)
    made.join(user(1), device.actor_ref)
    return made


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_what_others_have_written_comes_after_reads_that_failed(
    users: Users, log: Log, device: Device, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """Nobody announces it a second time."""
    monkeypatch.setattr(limits, "FOLLOW_SECONDS", 0.001)
    log.head, log.failures = 2, failures
    users.look_at(1)
    await until(lambda: device.offsets == [1, 2], "the device gets both")
    log.head, log.failures = 3, failures
    users.look()
    await until(lambda: device.offsets == [1, 2, 3], "the device gets the third")
    users.stop()


@pytest.mark.parametrize("failures", [0, 1, 2])
async def test_counts_come_after_reads_that_failed(
    users: Users, log: Log, device: Device, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """Not with the next message only: there may be none for long."""
    monkeypatch.setattr(limits, "FOLLOW_SECONDS", 0.001)
    log.failures = failures
    users.actor(user(1)).tell(Posted("t", first=1, newest=1, own=0, began=1, ended=1))
    await until(lambda: device.counts, "the device is told what is unread", seconds=5)
    users.stop()


async def test_what_others_write_during_a_look_is_looked_at_again(users: Users, log: Log, device: Device) -> None:
    """The look may have been too early for it."""
    answered = asyncio.Event()
    log.when_asked = [answered]
    users.look()
    await until(lambda: log.asked, "the first look has begun")
    log.head = 1
    users.look()
    answered.set()
    await until(lambda: device.offsets == [1], "the device gets it", seconds=5)
    users.stop()
