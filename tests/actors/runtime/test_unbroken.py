"""What was begun for a task that is cancelled meanwhile comes to its end, and leaves nothing open."""

import asyncio
import gc
from types import TracebackType

import pytest

from actors.runtime.unbroken import unbroken, unbroken_context
from tests.builders import settle, until


class Slow:
    """A context that is entered and left when it is let."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.may_enter, self.may_leave = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> str:
        self.steps.append("entering")
        await self.may_enter.wait()
        self.steps.append("entered")
        return "it"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.steps.append("leaving")
        await self.may_leave.wait()
        self.steps.append("left")


async def used(slow: Slow) -> None:
    async with unbroken_context(slow) as it:
        slow.steps.append(it)


async def test_who_is_cancelled_while_entering_leaves_again() -> None:
    slow = Slow()
    task = asyncio.ensure_future(used(slow))
    await until(lambda: slow.steps == ["entering"])
    task.cancel()
    await settle()
    slow.may_enter.set()
    slow.may_leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.steps == ["entering", "entered", "leaving", "left"]


async def test_who_is_cancelled_while_leaving_has_left() -> None:
    slow = Slow()
    slow.may_enter.set()
    task = asyncio.ensure_future(used(slow))
    await until(lambda: slow.steps[-1:] == ["leaving"])
    task.cancel()
    slow.may_leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.steps == ["entering", "entered", "it", "leaving", "left"]


async def test_what_cannot_be_entered_is_not_left() -> None:
    class Broken(Slow):
        async def __aenter__(self) -> str:
            raise OSError("no room")

    broken = Broken()
    with pytest.raises(OSError, match="no room"):
        await used(broken)
    assert broken.steps == []


async def test_work_comes_to_its_end_before_its_caller_is_cancelled() -> None:
    may_end, ended = asyncio.Event(), []

    async def work() -> None:
        await may_end.wait()
        ended.append(True)

    task = asyncio.ensure_future(unbroken(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended


async def test_a_failure_is_not_reported_once_nobody_waits_for_it() -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    may_end = asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        raise OSError("no room")

    task = asyncio.ensure_future(unbroken(work()))
    await asyncio.sleep(0)
    task.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    assert reported == []
