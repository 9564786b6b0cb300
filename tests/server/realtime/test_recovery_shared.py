"""What a crowd has missed is read once, for as long as it is the truth, and never for somebody who may not see it."""

import asyncio
from typing import Any, cast

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound, StorageUnavailable, XpError
from actors.events import LogPage
from actors.queries import Reads
from actors.resources.log import ReadThreadLog
from server.realtime.session.recovery import Recovery
from tests.builders import identity, message_event, until

ANA, BO = identity(1), identity(2)


class Log:
    """The reads, as far as a recovery asks it: a thread in which `events` are."""

    def __init__(self, events: int = 5) -> None:
        self.events = [message_event(offset) for offset in range(1, events + 1)]
        self.asked: list[Identity] = []
        self.gate = asyncio.Event()
        self.refused: dict[int, XpError] = {}

    async def ask(self, query: ReadThreadLog) -> LogPage:
        who, up_to = query.identity, query.up_to or 0
        self.asked.append(who)
        await self.gate.wait()
        if who.user.key in self.refused:
            raise self.refused[who.user.key]
        found = self.events[query.offset : up_to]
        return LogPage("e", tuple(found[: query.limit]), up_to, up_to, len(found) > query.limit)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def recovery(log: Log) -> Recovery:
    return Recovery(cast(Reads, log))


def offsets(stretch: Any) -> list[int]:
    return [item.offset for item in stretch]


async def test_a_crowd_reads_once(log: Log, recovery: Recovery) -> None:
    crowd = [asyncio.create_task(recovery.missed(identity(n), "t", 2, 5)) for n in range(1, 101)]
    await until(lambda: log.asked)
    log.gate.set()
    assert [offsets(stretch) for stretch in await asyncio.gather(*crowd)] == [[3, 4, 5]] * 100
    assert offsets(await recovery.missed(BO, "t", 2, 5)) == [3, 4, 5]
    assert len(log.asked) == 1


@pytest.mark.parametrize("other", [("u", 2, 5), ("t", 1, 5), ("t", 2, 4)], ids=["thread", "cursor", "head"])
async def test_another_stretch_is_another(log: Log, recovery: Recovery, other: tuple[str, int, int]) -> None:
    log.gate.set()
    await recovery.missed(ANA, "t", 2, 5)
    assert offsets(await recovery.missed(BO, *other)) == list(range(other[1] + 1, other[2] + 1))
    assert log.asked == [ANA, BO]


async def test_who_is_shut_out_meanwhile_says_nothing_of_others(log: Log, recovery: Recovery) -> None:
    log.refused[ANA.user.key] = NotFound("thread", "t")
    first, *others = [asyncio.create_task(recovery.missed(who, "t", 2, 5)) for who in (ANA, BO, BO)]
    await until(lambda: log.asked)
    log.gate.set()
    with pytest.raises(NotFound):
        await first
    assert [offsets(await other) for other in others] == [[3, 4, 5]] * 2
    assert log.asked == [ANA, BO]


async def test_a_failure_is_told_to_all_and_not_kept(log: Log, recovery: Recovery) -> None:
    log.refused[ANA.user.key] = StorageUnavailable("Nothing could be read.")
    crowd = [asyncio.create_task(recovery.missed(who, "t", 2, 5)) for who in (ANA, BO)]
    await until(lambda: log.asked)
    log.gate.set()
    for waiting in crowd:
        with pytest.raises(StorageUnavailable):
            await waiting
    assert offsets(await recovery.missed(BO, "t", 2, 5)) == [3, 4, 5]


async def test_more_than_a_client_is_told(monkeypatch: pytest.MonkeyPatch, log: Log, recovery: Recovery) -> None:
    log.gate.set()
    monkeypatch.setattr(limits, "RECOVERY_EVENTS", 4)
    assert await recovery.missed(ANA, "t", 0, 5) is None
    assert offsets(await recovery.missed(ANA, "t", 1, 5)) == [2, 3, 4, 5]
    monkeypatch.setattr(limits, "RECOVERY_BYTES", 10)
    assert await recovery.missed(ANA, "t", 2, 5) is None


async def test_what_a_user_is_called_now(log: Log, recovery: Recovery) -> None:
    log.gate.set()
    await recovery.missed(ANA, "t", 2, 5)
    recovery.forget()
    assert recovery.kept_bytes == 0
    await recovery.missed(BO, "t", 2, 5)
    assert log.asked == [ANA, BO]


async def test_what_a_user_was_called_while_it_was_read(log: Log, recovery: Recovery) -> None:
    reading = asyncio.create_task(recovery.missed(ANA, "t", 2, 5))
    await until(lambda: log.asked)
    recovery.forget()
    log.gate.set()
    assert offsets(await reading) == [3, 4, 5]
    assert recovery.kept_bytes == 0


async def test_what_is_kept_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch, log: Log, recovery: Recovery) -> None:
    log.gate.set()
    monkeypatch.setattr(limits, "RECOVERIES_SECONDS", 0.01)
    await recovery.missed(ANA, "t", 2, 5)
    await until(lambda: not recovery.kept_bytes)
    await recovery.missed(BO, "t", 2, 5)
    assert log.asked == [ANA, BO]


async def test_what_is_kept_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch, log: Log, recovery: Recovery) -> None:
    log.gate.set()
    await recovery.missed(ANA, "t", 4, 5)
    one = recovery.kept_bytes
    assert one > 0
    monkeypatch.setattr(limits, "RECOVERIES_BYTES", 3 * one)
    for thread in "abcdef":
        assert offsets(await recovery.missed(ANA, thread, 4, 5)) == [5]
        assert recovery.kept_bytes <= 3 * one
    before = len(log.asked)
    assert offsets(await recovery.missed(BO, "f", 4, 5)) == [5]
    assert len(log.asked) == before, "the newest is kept"
    assert offsets(await recovery.missed(BO, "a", 4, 5)) == [5]
    assert len(log.asked) == before + 1, "the oldest is not"


async def test_what_is_kept_is_the_very_stretch_that_was_read(log: Log, recovery: Recovery) -> None:
    log.gate.set()
    read = await recovery.missed(ANA, "t", 2, 5)
    log.events.clear()
    assert await recovery.missed(BO, "t", 2, 5) is read
    assert offsets(read) == [3, 4, 5]
    assert recovery.kept_bytes > sum(len(item.data) for item in read or ())
    assert log.asked == [ANA]
