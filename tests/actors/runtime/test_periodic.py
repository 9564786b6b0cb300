"""Work that is done again and again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from actors.errors import StorageUnavailable
from actors.runtime.periodic import Periodic

logger = logging.getLogger("tests.periodic")
LONG = 3600.0


@pytest.fixture
async def started() -> AsyncIterator[Callable[..., Periodic]]:
    running: list[Periodic] = []

    def start(work: Callable[[], Awaitable[object]], **options: float) -> Periodic:
        each = Periodic(work, **{"every_seconds": LONG, **options}, logger=logger, name="the work")  # type: ignore[arg-type]
        each.start()
        running.append(each)
        return each

    yield start
    for each in running:
        await each.stop()


class Times:
    """Counts how often the work is done, and fails in these ways first."""

    def __init__(self, *failures: Exception) -> None:
        self.count = 0
        self._failures = list(failures)
        self._done = asyncio.Event()

    async def __call__(self) -> None:
        self.count += 1
        self._done.set()
        if self._failures:
            raise self._failures.pop(0)

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(30):
            while self.count < count:
                self._done.clear()
                await self._done.wait()


async def test_it_is_done_at_once_and_again_after_a_rest(started: Callable[..., Periodic]) -> None:
    times = Times()
    started(times, every_seconds=0.001)
    await times.reach(3)


async def test_the_first_time_can_wait(started: Callable[..., Periodic]) -> None:
    times = Times()
    periodic = started(times, first_seconds=LONG)
    for _ in range(20):  # turns of the event loop, in any of which it would begin
        await asyncio.sleep(0)
    assert times.count == 0
    periodic.wake()
    await times.reach(1)


async def test_a_wake_during_the_work_ends_the_next_rest(started: Callable[..., Periodic]) -> None:
    begun, go_on, count = asyncio.Event(), asyncio.Event(), 0

    async def work() -> None:
        nonlocal count
        count += 1
        begun.set()
        await go_on.wait()

    periodic = started(work)
    async with asyncio.timeout(30):
        await begun.wait()
        begun.clear()
        periodic.wake()
        go_on.set()
        await begun.wait()
    assert count == 2


async def test_failures_are_logged_and_do_not_end_it(
    started: Callable[..., Periodic], caplog: pytest.LogCaptureFixture
) -> None:
    times = Times(StorageUnavailable("the disk is full"), ValueError("a defect"))
    started(times, every_seconds=0.001)
    await times.reach(3)
    passing, defect = [record for record in caplog.records if record.name == logger.name]
    assert (passing.levelname, passing.exc_info) == ("WARNING", None)
    assert "the work: put off: " in passing.message
    assert defect.levelname == "ERROR"
    assert defect.exc_info


async def test_once_stopped_it_is_not_running_and_work_in_progress_has_ended(started: Callable[..., Periodic]) -> None:
    begun, ended = asyncio.Event(), False

    async def work() -> None:
        nonlocal ended
        try:
            begun.set()
            await asyncio.sleep(LONG)
        finally:
            ended = True

    periodic = started(work)
    async with asyncio.timeout(30):
        await begun.wait()
    assert periodic.is_running
    await periodic.stop()
    assert ended
    assert not periodic.is_running


async def test_one_that_was_not_started_can_be_stopped() -> None:
    periodic = Periodic(Times(), every_seconds=LONG, logger=logger, name="the work")
    periodic.cancel()
    await periodic.stop()
    assert not periodic.is_running
