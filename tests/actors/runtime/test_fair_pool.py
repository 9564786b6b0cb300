"""Work beside the event loop: in fair turns, bounded, and waited for at the end."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest

from actors import limits
from actors.errors import ShuttingDown, TooManyRequests
from actors.runtime.fair_pool import FairPool, Words

WORDS = Words("computing", "request", "requests")


@pytest.fixture
async def pool() -> AsyncIterator[FairPool]:
    made = FairPool(1, "tests", WORDS)
    yield made
    made.close()


class Gate:
    """Work that goes on when it is told to."""

    def __init__(self) -> None:
        self.opened, self.entered = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.opened.wait(20)


def noted(seen: list[str], what: str) -> Callable[[], None]:
    return lambda: seen.append(what)


async def test_who_asks_for_much_does_not_go_first_for_ever(pool: FairPool) -> None:
    gate, seen = Gate(), list[str]()
    first = asyncio.ensure_future(pool.run(1, gate))
    await asyncio.to_thread(gate.entered.wait, 20)
    waiting = [asyncio.ensure_future(pool.run(1, noted(seen, f"many {number}"))) for number in range(20)]
    waiting.append(asyncio.ensure_future(pool.run(2, noted(seen, "one"))))
    await asyncio.sleep(0)
    gate.opened.set()
    await asyncio.gather(first, *waiting)
    assert seen.index("one") <= 1


async def test_who_waits_too_long_is_refused_with_the_reason(pool: FairPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_WAIT_SECONDS", 0.01)
    gate = Gate()
    first = asyncio.ensure_future(pool.run(1, gate))
    await asyncio.to_thread(gate.entered.wait, 20)
    with pytest.raises(TooManyRequests, match=r"0\.5 s of computing a second, and this request has waited"):
        await pool.run(2, lambda: None)
    gate.opened.set()
    await first


async def test_what_it_raises_is_raised_here_and_nothing_starts_after_the_end(pool: FairPool) -> None:
    with pytest.raises(ZeroDivisionError):
        await pool.run(None, lambda: 1 // 0)
    pool.close()
    with pytest.raises(ShuttingDown):
        await pool.run(None, lambda: None)


async def test_who_has_used_up_their_time_goes_on_when_they_have_some_again(
    pool: FairPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS_BURST", 0.02)
    monkeypatch.setattr(limits, "READ_WAIT_SECONDS", 60.0)

    def work() -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.05:
            pass

    first, second = (asyncio.ensure_future(pool.run(1, work)) for _ in range(2))
    async with asyncio.timeout(20):
        await asyncio.gather(first, second)


async def test_its_end_leaves_no_timer(pool: FairPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one for users who have used up their time."""
    monkeypatch.setattr(limits, "READ_SECONDS_BURST", 0)
    loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
    call_later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda *given: timers.append(call_later(*given)) or timers[-1])
    waiting = asyncio.ensure_future(pool.run(1, lambda: None))
    await asyncio.sleep(0)
    pool.close()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert [timer.cancelled() for timer in timers] == [True, True]
