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


def burning(seconds: float) -> Callable[[], None]:
    """Work that takes so much of its thread."""

    def work() -> None:
        began = time.thread_time()
        while time.thread_time() - began < seconds:
            pass

    return work


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

    async with asyncio.timeout(20):
        await asyncio.gather(*(pool.run(1, burning(0.05)) for _ in range(3)))


async def test_each_who_has_used_up_their_time_goes_on_in_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS_BURST", 0.02)
    monkeypatch.setattr(limits, "READ_WAIT_SECONDS", 60.0)
    pool, gate = FairPool(3, "tests", WORDS), Gate()
    await asyncio.gather(pool.run(1, burning(0.03)), pool.run(2, burning(0.15)))
    first, second = (asyncio.ensure_future(pool.run(owner, work)) for owner, work in ((1, gate), (2, lambda: None)))
    async with asyncio.timeout(20):
        await second
    assert gate.entered.is_set()
    gate.opened.set()
    await first
    pool.close()


async def test_what_it_takes_of_its_thread_is_charged(pool: FairPool) -> None:
    for _ in range(3):
        await pool.run(1, burning(0.03))
    assert limits.READ_SECONDS_BURST - 0.2 < pool._turns._accounts[1].left < limits.READ_SECONDS_BURST


async def test_what_has_started_is_not_late(pool: FairPool, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, late = asyncio.get_running_loop(), list[Callable[[], None]]()
    call_later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda seconds, call: late.append(call) or call_later(seconds, call))
    first, second = Gate(), Gate()
    running = asyncio.ensure_future(pool.run(1, first))
    await asyncio.to_thread(first.entered.wait, 20)
    waiting = asyncio.ensure_future(pool.run(2, second))
    await asyncio.sleep(0)
    first.opened.set()
    await asyncio.to_thread(second.entered.wait, 20)
    for call in late:
        call()
    second.opened.set()
    assert await asyncio.gather(running, waiting) == [None, None]


async def test_what_waits_at_the_end_does_not_start(pool: FairPool) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    gate, seen = Gate(), list[str]()
    first = asyncio.ensure_future(pool.run(1, gate))
    await asyncio.to_thread(gate.entered.wait, 20)
    second = asyncio.ensure_future(pool.run(1, noted(seen, "second")))
    await asyncio.sleep(0)
    gate.opened.set()
    pool.close()
    await first
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    assert (seen, failures) == ([], [])


async def test_who_is_refused_comes_back_after_half_the_time_that_one_may_wait(pool: FairPool) -> None:
    assert pool.too_many("you wait").retry_after == 3


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
