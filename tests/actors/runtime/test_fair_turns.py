"""Fair turns between users who read: by what their reads cost, not by how many they ask for."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from peewee import SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.errors import TooManyRequests
from actors.runtime.fair_turns import Owner, Turns
from storage.readers.pool import Readers
from tests.builders import Ledger, identity, settle


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Table:
    """Reads that have started, in order; each with whether it is heavy."""

    def __init__(self, size: int = 2) -> None:
        self.clock = Clock()
        self.turns = Turns(size, clock=self.clock)
        self.started: list[tuple[str, bool]] = []

    def ask(self, owner: Owner, name: str) -> bool:
        return self.turns.enter(owner, lambda is_heavy: self.started.append((name, is_heavy)))

    def end(self, owner: Owner, name: str, seconds: float) -> None:
        heavy = dict(self.started)[name]
        self.turns.done(owner, seconds, was_heavy=heavy)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.started]


def test_one_user_leaves_a_thread_to_others() -> None:
    table = Table()
    for number in range(5):
        table.ask(1, f"a{number}")
    assert table.names == ["a0"]
    table.ask(2, "b")
    assert table.names == ["a0", "b"]


def test_each_user_has_their_turn_however_many_reads_wait() -> None:
    table = Table()
    table.ask(1, "a0")
    table.ask(2, "b0")
    for number in range(1, 40):
        table.ask(1, f"a{number}")
    table.ask(3, "c0")
    table.end(1, "a0", 0.001)
    table.end(2, "b0", 0.001)
    assert "c0" in table.names[:4]


def test_who_has_more_reads_waiting_has_no_more_turns() -> None:
    table = Table(size=1)
    table.ask(None, "own")
    for name in ("a0", "a1", "a2"):
        table.ask(1, name)
    table.ask(2, "b0")
    for owner, name in ((None, "own"), (1, "a0"), (2, "b0"), (1, "a1")):
        table.end(owner, name, 0.001)
    assert table.names == ["own", "a0", "b0", "a1", "a2"]


def test_of_three_threads_one_user_takes_two_as_they_become_free() -> None:
    table = Table(size=3)
    for number in range(3):
        table.ask(None, f"own {number}")
    for number in range(3):
        table.ask(1, f"a{number}")
    for number in range(3):
        table.end(None, f"own {number}", 0.0)
    assert table.names[3:] == ["a0", "a1"]


def test_all_who_have_time_again_start_together() -> None:
    table = Table(size=3)
    for owner in (1, 2):
        table.ask(owner, f"first of {owner}")
        table.end(owner, f"first of {owner}", limits.READ_SECONDS_BURST * 2)
        table.ask(owner, f"second of {owner}")
    table.clock.now += 3600.0
    table.turns.go_on()
    assert table.names[2:] == ["second of 1", "second of 2"]


def test_who_has_time_again_and_waits_for_a_thread_rests_no_more() -> None:
    table = Table(size=1)
    table.ask(1, "first")
    table.end(1, "first", limits.READ_SECONDS_BURST * 2)
    table.ask(1, "second")
    table.ask(None, "own")
    table.clock.now += 3600.0
    table.turns.go_on()
    assert table.names == ["first", "own"]
    assert table.turns.rest() is None


def test_who_no_longer_waits_does_not_start() -> None:
    table, started = Table(size=1), list[str]()

    def gives_up(is_heavy: bool) -> None:
        started.append("gives up")

    table.ask(None, "own")
    for owner in (None, 1):
        table.turns.enter(owner, gives_up)
        table.turns.leave(owner, gives_up)
        table.turns.leave(owner, gives_up)
    table.ask(1, "a")
    table.end(None, "own", 0.0)
    assert (table.names, started) == (["own", "a"], [])


def test_a_budget_refills_with_time_up_to_its_most() -> None:
    table = Table()
    table.ask(1, "first")
    table.end(1, "first", limits.READ_SECONDS_BURST)
    table.clock.now += 1.0
    table.ask(1, "second")
    table.end(1, "second", limits.READ_SECONDS_PER_SECOND)
    table.ask(1, "third")
    assert table.names == ["first", "second"], "what one second brings is used up"
    table.clock.now += 3600.0
    table.turns.go_on()
    table.end(1, "third", limits.READ_SECONDS_BURST)
    table.ask(1, "fourth")
    assert table.names == ["first", "second", "third"]


def test_without_a_budget_nobody_rests() -> None:
    table = Table()
    table.turns = Turns(2, clock=table.clock, budget=False)
    for name in ("first", "second"):
        table.ask(1, name)
        table.end(1, name, limits.READ_SECONDS_BURST * 10)
        table.clock.now += 0.001
    table.ask(1, "third")
    assert table.names == ["first", "second", "third"]


def test_who_rests_without_waiting_is_not_waited_for() -> None:
    table = Table()
    table.ask(1, "first")
    table.end(1, "first", limits.READ_SECONDS_BURST + 1.0)
    starts = [lambda is_heavy: None]
    table.turns.enter(1, starts[0])
    assert table.turns.rest() is not None
    table.turns.leave(1, starts[0])
    assert table.turns.rest() is None


def test_heavy_users_together_leave_a_thread() -> None:
    table = Table()
    for owner in (1, 2):
        table.ask(owner, f"first of {owner}")
        table.end(owner, f"first of {owner}", 0.3)
    table.ask(1, "heavy 1")
    table.ask(2, "heavy 2")
    assert table.names[2:] == ["heavy 1"]
    table.ask(3, "light")
    assert table.names[2:] == ["heavy 1", "light"]
    table.end(1, "heavy 1", 0.3)
    assert table.names[2:] == ["heavy 1", "light", "heavy 2"]


def test_who_has_used_up_their_time_rests() -> None:
    table = Table()
    table.ask(1, "long")
    table.end(1, "long", limits.READ_SECONDS_BURST + 0.5)
    table.ask(1, "next")
    assert table.names == ["long"]
    assert table.turns.rest() == pytest.approx(0.5 / limits.READ_SECONDS_PER_SECOND, abs=0.01)
    table.clock.now += 1.1
    table.turns.go_on()
    assert table.names == ["long", "next"]
    assert table.turns.rest() is None


def test_nothing_starts_once_it_has_stopped() -> None:
    table = Table()
    table.turns.stop()
    table.ask(1, "a")
    table.ask(None, "own")
    assert table.names == []


def test_who_has_asked_longest_ago_is_forgotten_but_not_while_they_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """And has a full budget when they come back."""
    monkeypatch.setattr(limits, "RATE_SUBJECTS", 1)
    table = Table(size=3)
    table.ask(1, "first")
    table.end(1, "first", limits.READ_SECONDS_BURST * 0.7)
    table.ask(1, "long")
    table.ask(2, "other")  # user 1 still reads, and is remembered
    table.end(1, "long", limits.READ_SECONDS_BURST * 0.7)
    table.ask(1, "rests")
    assert table.names == ["first", "long", "other"]
    table.end(2, "other", limits.READ_SECONDS_BURST + 0.5)
    table.ask(3, "third")  # nothing of user 2 is read or waits
    table.ask(2, "again")
    assert table.names == ["first", "long", "other", "third", "again"]


def test_who_waits_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATE_SUBJECTS", 1)
    table = Table()
    table.ask(1, "long")
    table.end(1, "long", limits.READ_SECONDS_BURST + 0.5)
    table.ask(1, "rests")
    table.ask(2, "other")
    table.clock.now += 2.0
    table.turns.go_on()
    assert table.names == ["long", "other", "rests"]


def test_the_server_itself_goes_first_and_never_rests() -> None:
    table = Table(size=1)
    table.ask(1, "a")
    table.ask(2, "b")
    table.ask(None, "own")
    table.end(1, "a", 0.1)
    assert table.names == ["a", "own"]


def test_so_many_may_wait() -> None:
    table = Table()
    assert all(table.ask(1, str(number)) for number in range(limits.READS_WAITING + 1))
    assert not table.ask(1, "one more")
    assert table.ask(2, "another's")


@pytest.fixture
async def readers(tmp_path: Path) -> Any:
    ledger = Ledger(tmp_path / "db.sqlite")
    pool = Readers(ledger.options)
    yield pool
    pool.close()
    ledger.close()


def blocking(gate: threading.Event) -> Any:
    def question(database: SqliteDatabase, who: Identity) -> str:
        assert gate.wait(10)
        return who.user.name

    return question


async def test_a_read_that_waits_too_long_is_refused(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_WAIT_SECONDS", 0.05)
    gate = threading.Event()
    running = asyncio.ensure_future(readers.run(blocking(gate), identity(1)))
    await settle()
    with pytest.raises(TooManyRequests, match=r"waited 0\.05 s"):
        await readers.run(blocking(gate), identity(1))
    gate.set()
    assert await running == "User 1"


async def test_others_are_served_meanwhile_and_who_has_gone_holds_no_place(readers: Readers) -> None:
    gate = threading.Event()
    hers = [asyncio.ensure_future(readers.run(blocking(gate), identity(1))) for _ in range(limits.READS_WAITING + 1)]
    await settle()
    with pytest.raises(TooManyRequests, match="are waiting already"):
        await readers.run(blocking(gate), identity(1))
    assert await readers.run(lambda database, who: who.user.name, identity(2)) == "User 2"
    for each in hers[1:]:
        each.cancel()
    await settle()
    last = asyncio.ensure_future(readers.run(blocking(gate), identity(1)))
    gate.set()
    assert await asyncio.gather(hers[0], last) == ["User 1", "User 1"]


async def test_an_asker_who_goes_does_not_free_the_thread(readers: Readers) -> None:
    gate = threading.Event()
    first = asyncio.ensure_future(readers.run(blocking(gate), identity(1)))
    await settle()
    first.cancel()
    await settle()
    second = asyncio.ensure_future(readers.run(lambda database, who: "second", identity(1)))
    await settle()
    assert not second.done()
    gate.set()
    assert await second == "second"
