"""Hearing of what ends access: nothing is missed, what comes together is told together, and others have their time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.auth.access_changes import CHANGE_KINDS, AccessChange, AccessChanges, ChangeKind
from actors.auth.access_watch import AccessWatch
from actors.errors import StorageUnavailable
from tests.builders import identity, until


class Log:
    """Changes as they stand in the database: two on a page."""

    def __init__(self) -> None:
        self.changes: list[AccessChange] = []
        self.failures: list[Exception] = []
        self.reads = 0
        self.gate: asyncio.Event | None = None

    def add(self, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.changes) + 1
            self.changes.append(AccessChange(number, "session", f"s{number}", None))

    async def read(self, after: int) -> Sequence[AccessChange]:
        self.reads += 1
        found = self.changes[after : after + 2]
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop()
        return found


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def told() -> list[list[int]]:
    return []


@pytest.fixture
async def watch(log: Log, told: list[list[int]]) -> AsyncIterator[AccessWatch]:
    made = AccessWatch(newest=0, read=log.read, tell=lambda changes: told.append([each.number for each in changes]))
    made.start()
    yield made
    made.stop()


async def test_what_others_change_is_heard_of(log: Log, told: list[list[int]], watch: AccessWatch) -> None:
    """Without a word from anybody."""
    log.add()
    await until(lambda: told == [[1]])


async def test_what_we_change_is_told_before_it_is_settled(
    log: Log, told: list[list[int]], watch: AccessWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ACCESS_LOOK_SECONDS", 3600.0)
    for number in (1, 2, 3):
        log.add()
        await asyncio.wait_for(watch.settle(), 10)
        assert told[-1] == [number]


async def test_what_comes_together_is_told_together(log: Log, told: list[list[int]], watch: AccessWatch) -> None:
    log.add(5)
    await watch.settle()
    assert told == [[1, 2], [3, 4], [5]]


async def test_who_asks_while_a_look_is_under_way_waits_for_the_next(
    log: Log, told: list[list[int]], watch: AccessWatch
) -> None:
    """What is being read may be older than what they have written."""
    log.gate = asyncio.Event()
    first = asyncio.ensure_future(watch.settle())
    await until(lambda: log.reads)
    log.add()
    second = asyncio.ensure_future(watch.settle())
    log.gate.set()
    await asyncio.wait_for(asyncio.gather(first, second), 10)
    assert told == [[1]]


@pytest.mark.parametrize("failure", [StorageUnavailable("locked"), ValueError("a defect")])
async def test_a_look_that_fails_is_taken_again(
    log: Log, told: list[list[int]], watch: AccessWatch, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    log.add()
    log.failures.append(failure)
    await asyncio.wait_for(watch.settle(), 10)
    assert "reading changes of access" in caplog.text
    await until(lambda: told == [[1]])


async def test_who_waits_when_all_stops_is_let_go(log: Log, watch: AccessWatch) -> None:
    log.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(watch.settle()) for _ in range(2)]
    await until(lambda: log.reads)
    watch.stop()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each rest; none is taken."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float, *result: Any) -> None:
        taken.append(seconds)
        await sleep(0)

    monkeypatch.setattr("actors.auth.access_watch.asyncio.sleep", noted)
    return taken


async def test_between_two_looks_others_have_their_time(
    log: Log, rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("actors.auth.access_watch.time.perf_counter", lambda: clock[0])

    def tell(changes: Sequence[AccessChange]) -> None:
        clock[0] += 0.005 * len(changes)

    watch = AccessWatch(newest=0, read=log.read, tell=tell)
    log.add(5)
    watch.start()
    await watch.settle()
    await until(lambda: len(rests) >= 4)
    assert rests[:4] == pytest.approx([0.0, 0.03, 0.03, 0.015])  # before each page, and after the last
    watch.stop()


async def test_no_rest_is_longer_than_others_wait_for_us(
    log: Log, rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("actors.auth.access_watch.time.perf_counter", lambda: clock[0])

    def tell(changes: Sequence[AccessChange]) -> None:
        clock[0] += 60.0

    watch = AccessWatch(newest=0, read=log.read, tell=tell)
    log.add()
    watch.start()
    await watch.settle()
    await until(lambda: rests[1:])
    assert rests[1] == limits.ACCESS_LOOK_SECONDS
    watch.stop()


# What concerns whom

KEYS: dict[ChangeKind, Callable[[str], Any]] = {
    "user": lambda ref: replace(identity(1), user=replace(identity(1).user, id=ref)),
    "session": lambda ref: replace(identity(1), session_id=ref),
    "api_key": lambda ref: replace(identity(1), api_key_id=ref),
    "token": lambda ref: replace(identity(1), token_id=ref),
}


@pytest.mark.parametrize("kind", CHANGE_KINDS)
@pytest.mark.parametrize("changed", CHANGE_KINDS)
def test_a_change_concerns_what_rests_on_it(kind: ChangeKind, changed: ChangeKind) -> None:
    """And never something of another kind that happens to have the same name."""
    changes = AccessChanges([AccessChange(n, changed, ref, None) for n, ref in enumerate(("x", "gone", "y"))])
    found = changes.concerning(KEYS[kind]("gone"))
    assert (found is not None) == (kind == changed)
    assert found is None or (found.kind, found.ref) == (kind, "gone")
    assert changes.concerning(KEYS[kind]("another")) is None


@pytest.mark.parametrize("order", [1, -1])
def test_what_has_ended_counts_more_than_what_its_user_has_become(order: int) -> None:
    who = replace(identity(1), session_id="s")
    both = [AccessChange(1, "user", who.user.id, who.user), AccessChange(2, "session", "s", None)][::order]
    found = AccessChanges(both).concerning(who)
    assert found is not None
    assert found.kind == "session"


def test_of_several_changes_of_one_user_the_last_one_counts() -> None:
    who = identity(1)
    changes = AccessChanges([AccessChange(n, "user", who.user.id, None) for n in (1, 2)])
    found = changes.concerning(who)
    assert found is not None
    assert found.number == 2
    assert [change.number for change in changes] == [1, 2]
