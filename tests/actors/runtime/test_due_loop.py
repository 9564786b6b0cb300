"""The loop of dispatchers: when it looks, how much it begins, what a failure costs, and how it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from actors import limits
from actors.errors import Unavailable
from actors.runtime.due_loop import DueLoop
from tests.builders import settle, until

logger = logging.getLogger("tests.due")
PATIENCE = 20.0


class Work:
    """What is due, and what became of it."""

    def __init__(self) -> None:
        self.due: list[int] = []
        self.begun: list[int] = []
        self.looks = 0
        self.counts = 0
        self.commits = 0
        self.more = False
        self.failure: Exception | None = None
        self.error: Exception = Unavailable("It does not answer.")
        """Of items below zero."""
        self.may_end = asyncio.Event()
        self.loop: DueLoop[int] = DueLoop(self.look, self.count, at_once=2, commits=lambda: self.commits, logger=logger)

    async def look(self) -> bool:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        for key in [key for key in self.due if key not in self.loop.items]:
            if self.loop.has_room:
                self.loop.begin(key, lambda key=key: self.work(key), self.loop.look_soon)  # type: ignore[misc]
        more, self.more = self.more, False
        return more

    async def count(self) -> None:
        self.counts += 1

    async def work(self, key: int) -> None:
        self.begun.append(key)
        await self.may_end.wait()
        if key < 0:
            raise self.error
        self.due.remove(key)


@pytest.fixture
async def work(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Work]:
    """Nothing but what a test does lets it look again."""
    monkeypatch.setattr(limits, "DUE_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(limits, "DUE_REST_SECONDS", 3600.0)
    made = Work()
    yield made
    made.may_end.set()
    await made.loop.stop()


async def test_it_looks_at_its_start_and_after_each_commit(work: Work) -> None:
    work.loop.start()
    await until(lambda: work.looks == 1)
    for number in (2, 3):
        work.commits += 1
        await until(lambda number=number: work.looks == number)  # type: ignore[misc]
    assert work.counts == 1, "seldom"


async def test_it_looks_again_at_once_where_there_is_more(work: Work) -> None:
    work.more = True
    work.loop.start()
    await until(lambda: work.looks == 2)


async def test_so_many_are_worked_on_at_once(work: Work) -> None:
    work.due = [1, 2, 3]
    work.loop.start()
    await until(lambda: len(work.begun) == 2)
    work.commits += 1
    await until(lambda: work.looks == 2)
    assert (work.begun, [*work.loop.items], work.loop.has_room) == ([1, 2], [1, 2], False)
    work.may_end.set()
    await until(lambda: work.begun == [1, 2, 3])


@pytest.mark.parametrize("error", [Unavailable("It does not answer."), RuntimeError("a defect")])
async def test_one_that_fails_rests_and_is_begun_again(
    work: Work, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.due = [-1]
    work.error = error
    work.may_end.set()
    work.loop.start()
    await until(lambda: work.begun)
    work.commits += 1
    await until(lambda: work.looks >= 2)
    await settle()
    assert work.begun == [-1], "it rests"
    await work.loop.stop()
    monkeypatch.setattr(limits, "DUE_REST_SECONDS", 0.001)
    other = Work()
    other.due = [-1]
    other.may_end.set()
    other.loop.start()
    await until(lambda: len(other.begun) > 1)
    await other.loop.stop()


@pytest.mark.parametrize("failure", [Unavailable("The database is away."), RuntimeError("a defect")])
async def test_a_look_that_fails_ends_nothing(
    work: Work, failure: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "DUE_REST_SECONDS", 0.001)
    monkeypatch.setattr(limits, "DUE_LOOK_SECONDS", 3600.0)
    work.failure = failure
    work.loop.start()
    await until(lambda: work.looks == 3)
    work.failure = None
    work.due = [1]
    await until(lambda: work.begun == [1])
    assert any("what is due" in record.message for record in caplog.records)


async def test_what_is_on_its_way_at_the_end_has_a_moment_and_no_other_begins(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DUE_STOP_SECONDS", PATIENCE)
    work.due = [1, 2, 3]
    work.loop.start()
    await until(lambda: work.begun == [1, 2])
    stopping = asyncio.ensure_future(work.loop.stop())
    await settle()
    work.may_end.set()
    await stopping
    assert (work.due, work.begun, [*work.loop.items]) == ([3], [1, 2], [])


async def test_a_look_that_goes_on_at_the_end_is_waited_for(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    async def look() -> bool:
        steps.append("looks")
        try:
            await asyncio.Event().wait()
        finally:
            await settle()
            steps.append("has ended")
        return False

    monkeypatch.setattr(work.loop, "_look", look)
    work.loop.start()
    await until(lambda: steps)
    await work.loop.stop()
    assert steps == ["looks", "has ended"]
    assert not work.loop.has_room


async def test_once_it_has_looked_it_waits_for_news(work: Work) -> None:
    work.loop.start()
    await until(lambda: work.looks == 1)
    work.loop.look_soon()
    await until(lambda: work.looks == 2)
    await settle(50)
    assert work.looks == 2


async def test_it_counts_again_after_a_while(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DUE_COUNT_SECONDS", 0.0)
    work.loop.start()
    for number in (1, 2, 3):
        await until(lambda number=number: work.counts == work.looks == number)  # type: ignore[misc]
        work.commits += 1


async def test_what_does_not_end_is_cancelled(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DUE_STOP_SECONDS", 0)
    work.due = [1]
    work.loop.start()
    await until(lambda: work.begun == [1])
    await work.loop.stop()
    assert (work.due, [*work.loop.items]) == ([1], [])
