"""The journal: what arrives together is one transaction, a failure is only whose it is, and closing loses nothing."""

import asyncio
import contextlib
import gc
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import peewee
import pykka
import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Internal, NotFound, Overloaded, ShuttingDown, StorageUnavailable, XpError
from actors.journal.actor import _WAKE, Committed, Journal
from actors.outcomes import Done
from actors.resources.threads import CreateThread, Thread
from actors.resources.users import EnsureUser, User
from actors.runtime.loop_actor import Stage, drive
from storage.database import DatabaseProblem
from storage.journal.store import JournalStore
from tests.builders import Ledger, identity_of, options, post, settle, until


class GatedStore(JournalStore):
    """The real store, which notes its batches and can be made to wait before one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batches: list[int] = []
        self.os_threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.first: Callable[[], object] | None = None
        """What happens to the database, on the journal's OS thread, before the next batch."""

    def apply(self, batch: Sequence[Any]) -> list[Done | XpError]:
        first, self.first = self.first, None
        if first is not None:
            first()
        self.batches.append(len(batch))
        self.os_threads.add(threading.get_ident())
        assert self.gate.wait(30)
        if self.failure is not None:
            raise self.failure
        return super().apply(batch)


class Desk:
    """A journal over a real store, and what it delivered."""

    def __init__(self, stage: Stage, path: Path) -> None:
        self.path = path
        self.store = GatedStore(options(path, busy_timeout_ms=20))
        self.delivered: list[Committed] = []
        self.journal = Journal(stage, self.store, self._take)

    def _take(self, committed: Committed) -> None:
        self.delivered.append(committed)
        for reply, outcome in committed:
            if isinstance(outcome, XpError):
                reply.set_exception(outcome)
            else:
                reply.set(outcome)

    async def do(self, command: Any) -> Any:
        done: Done = await self.journal.append(command)
        return done.result

    async def begin(self) -> tuple[Identity, Thread]:
        user = await self.do(EnsureUser(subject="s", email="a@b.c", name="Ana", domain="b.c", role=None, kind="HUMAN"))
        assert isinstance(user, User)
        ana = identity_of(user)
        thread = await self.do(CreateThread(identity=ana, title="T"))
        self.delivered.clear()
        self.store.batches.clear()
        return ana, thread


@pytest.fixture
async def desk(stage: Stage, tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(stage, tmp_path / "experience.db")
    await made.journal.open()
    yield made
    made.store.gate.set()
    await made.journal.close()


async def test_a_command_is_answered_once_it_is_durable(desk: Desk) -> None:
    ana, thread = await desk.begin()
    message = await desk.do(post(ana, thread, "hello"))
    other = sqlite3.connect(desk.path)
    assert other.execute("SELECT content FROM message WHERE uid = ?", (message.id,)).fetchall() == [("hello",)]
    other.close()


async def test_what_arrives_in_one_turn_is_one_transaction(desk: Desk) -> None:
    ana, thread = await desk.begin()
    replies = [desk.journal.append(post(ana, thread, f"{n}")) for n in range(10)]
    assert desk.journal.in_flight == 10
    outcomes = [await reply for reply in replies]
    assert desk.store.batches == [10]
    assert [done.result.content for done in outcomes] == [f"{n}" for n in range(10)]
    assert desk.journal.in_flight == 0
    assert len(desk.delivered) == 1


async def test_what_arrives_while_a_transaction_runs_is_the_next_one(desk: Desk) -> None:
    ana, thread = await desk.begin()
    desk.store.gate.clear()
    replies = [desk.journal.append(post(ana, thread, "first"))]
    await until(lambda: desk.store.batches == [1])
    for n in range(5):
        replies.append(desk.journal.append(post(ana, thread, f"{n}")))
        await settle(2)
    assert not any(reply.done for reply in replies)
    desk.store.gate.set()
    assert [(await reply).result.number for reply in replies] == [1, 2, 3, 4, 5, 6]
    assert desk.store.batches == [1, 5]


async def test_a_transaction_has_a_largest_size(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JOURNAL_BATCH", 4)
    ana, thread = await desk.begin()
    replies = [desk.journal.append(post(ana, thread)) for _ in range(10)]
    assert [(await reply).result.number for reply in replies] == list(range(1, 11))
    assert desk.store.batches == [4, 4, 2]


async def test_everything_is_written_by_one_os_thread_that_is_not_the_event_loop_s(desk: Desk) -> None:
    ana, thread = await desk.begin()
    for _ in range(3):
        await desk.do(post(ana, thread))
    assert len(desk.store.os_threads) == 1
    assert threading.get_ident() not in desk.store.os_threads


async def test_delivery_is_on_the_event_loop_and_in_commit_order(desk: Desk) -> None:
    ana, thread = await desk.begin()
    seen: list[tuple[int, str]] = []
    replies = [desk.journal.append(post(ana, thread, f"{n}")) for n in range(20)]
    for reply in replies:
        reply.when_done(lambda done: seen.append((threading.get_ident(), done.result().result.content)))
    for reply in replies:
        await reply
    assert seen == [(threading.get_ident(), f"{n}") for n in range(20)]


async def test_a_refused_command_fails_alone(desk: Desk) -> None:
    ana, thread = await desk.begin()
    good, bad, last = (desk.journal.append(post(ana, where)) for where in (thread, "nowhere", thread))
    with pytest.raises(NotFound):
        await bad
    assert ((await good).result.number, (await last).result.number) == (1, 2)
    assert desk.journal.failure is None


async def test_a_defect_fails_alone(desk: Desk) -> None:
    ana, thread = await desk.begin()
    good, bad = desk.journal.append(post(ana, thread)), desk.journal.append("no command at all")
    with pytest.raises(Internal):
        await bad
    assert (await good).result.number == 1


async def test_a_store_that_fails_fails_the_batch_and_recovers(desk: Desk) -> None:
    ana, thread = await desk.begin()
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    replies = [desk.journal.append(post(ana, thread)) for _ in range(3)]
    for reply in replies:
        with pytest.raises(StorageUnavailable, match="another process holds a lock") as caught:
            await reply
        assert caught.value.retryable
    assert desk.journal.failure is not None
    assert desk.journal.in_flight == 0
    other.close()
    message = await desk.do(post(ana, thread))
    assert message.number == 1
    assert desk.journal.failure is None


async def test_it_heals_when_the_store_does_and_not_before(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, thread = await desk.begin()
    monkeypatch.setattr(limits, "HEAL_SECONDS", 0.01)
    tries: list[bool] = []

    def heal() -> None:
        tries.append(True)
        if len(tries) == 1:
            raise StorageUnavailable("still away")
        if len(tries) == 2:
            raise RuntimeError("a defect")

    monkeypatch.setattr(desk.store, "heal", heal)
    desk.store.failure = StorageUnavailable("away")
    with pytest.raises(StorageUnavailable):
        await desk.journal.append(post(ana, thread))
    await until(lambda: len(tries) == 2)
    assert desk.journal.failure is not None
    await until(lambda: desk.journal.failure is None)
    assert len(tries) == 3
    assert desk.journal._healing is None, "it is well: nothing is tried any more"


async def test_one_that_closes_is_not_healed_any_more(desk: Desk) -> None:
    ana, thread = await desk.begin()
    desk.store.failure = StorageUnavailable("away")
    replies = [desk.journal.append(post(ana, thread)) for _ in range(2)]
    await desk.journal.close()
    for reply in replies:
        with pytest.raises(StorageUnavailable):
            await reply
    assert desk.journal.failure is not None
    assert desk.journal._healing is None


async def test_what_was_put_off_goes_on_when_the_store_has_healed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.begin()
    monkeypatch.setattr(limits, "HEAL_SECONDS", 0.01)
    healed: list[bool] = []
    steps: list[bool] = []

    def catch_up(*, idle: bool) -> bool:
        if not healed:
            raise StorageUnavailable("away")
        steps.append(idle)
        return False

    monkeypatch.setattr(desk.store, "heal", lambda: healed.append(True))
    monkeypatch.setattr(desk.store, "catch_up", catch_up)
    desk.journal._wake()
    await until(lambda: steps == [True])
    await until(lambda: desk.journal.failure is None)


async def test_commits_are_measured_and_commands_of_a_turn_wake_it_once(
    desk: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.perf_counter()
    ana, thread = await desk.begin()
    before, woken = stage.measures.commit_seconds.count, desk.journal._wake
    wakes: list[bool] = []

    def wake() -> None:
        wakes.append(True)
        woken()

    monkeypatch.setattr(desk.journal, "_wake", wake)
    replies = [desk.journal.append(post(ana, thread)) for _ in range(3)]
    assert desk.journal.in_flight == 3
    for reply in replies:
        await reply
    assert (len(wakes), desk.journal.in_flight) == (1, 0)
    assert stage.measures.commit_seconds.count == before + 1
    assert 0.0 < stage.measures.commit_seconds.sum < time.perf_counter() - began


async def test_a_journal_that_is_not_open_keeps_what_comes(stage: Stage, tmp_path: Path) -> None:
    desk = Desk(stage, tmp_path / "experience.db")
    desk.journal._wake()
    assert desk.journal.failure is None


async def test_a_store_with_a_defect_is_answered_and_lives(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    ana, thread = await desk.begin()
    desk.store.failure = ValueError("a defect")
    with pytest.raises(Internal):
        await desk.do(post(ana, thread))
    assert "a batch of 1 commands failed" in caplog.text
    desk.store.failure = None
    assert (await desk.do(post(ana, thread))).number == 1


async def test_a_store_that_answers_too_few_outcomes_leaves_nobody_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, thread = await desk.begin()
    monkeypatch.setattr(desk.store, "apply", lambda batch: [])
    with pytest.raises(Internal):
        await asyncio.wait_for(wait(desk.journal.append(post(ana, thread))), 10)
    monkeypatch.undo()
    assert (await desk.do(post(ana, thread))).number == 1


async def wait(reply: Any) -> Any:
    return await reply


async def test_too_much_in_flight_is_refused_before_anything_is_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, thread = await desk.begin()
    monkeypatch.setattr(limits, "COMMANDS_IN_ALL", 3)
    replies = [desk.journal.append(post(ana, thread)) for _ in range(3)]
    with pytest.raises(Overloaded, match="3 writes are in flight, the limit is 3") as caught:
        desk.journal.append(post(ana, thread, "one too many"))
    assert caught.value.retryable
    for reply in replies:
        await reply
    assert (await desk.do(post(ana, thread))).number == 4


async def test_closing_commits_what_is_pending(stage: Stage, tmp_path: Path) -> None:
    desk = Desk(stage, tmp_path / "experience.db")
    await desk.journal.open()
    ana, thread = await desk.begin()
    desk.store.gate.clear()
    replies = [desk.journal.append(post(ana, thread))]
    await until(lambda: desk.store.batches == [1])
    replies += [desk.journal.append(post(ana, thread)) for _ in range(5)]
    closing = asyncio.ensure_future(desk.journal.close())
    await settle()
    with pytest.raises(ShuttingDown):
        desk.journal.append(post(ana, thread))
    desk.store.gate.set()
    await closing
    assert [reply.result().result.number for reply in replies] == [1, 2, 3, 4, 5, 6]


async def test_closing_in_the_turn_of_the_last_command(stage: Stage, tmp_path: Path) -> None:
    """Its OS thread may be gone before the event loop comes round to wake it."""
    failures: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    desk = Desk(stage, tmp_path / "experience.db")
    await desk.journal.open()
    ana, thread = await desk.begin()
    reply = desk.journal.append(post(ana, thread))
    closed: list[Any] = []
    drive(desk.journal.close(), closed.append)
    while desk.store.os_threads & {os_thread.ident for os_thread in threading.enumerate()}:
        time.sleep(0.001)  # noqa: ASYNC251 - the event loop is busy elsewhere
    await until(lambda: closed)
    await settle()
    assert reply.result().result.number == 1
    assert failures == []


async def test_closing_ends_the_os_thread_and_lets_go_of_the_file(stage: Stage, tmp_path: Path) -> None:
    before = threading.active_count()
    desk = Desk(stage, tmp_path / "experience.db")
    await desk.journal.open()
    await desk.begin()
    writer = next(iter(desk.store.os_threads))
    await desk.journal.close()
    await until(lambda: writer not in {thread.ident for thread in threading.enumerate()})
    assert threading.active_count() <= before + 1  # the executor's own thread may stay
    assert not desk.path.with_name("experience.db-wal").exists()


async def test_closing_twice_is_closing_once(desk: Desk) -> None:
    await desk.journal.close()
    await desk.journal.close()


async def test_a_store_that_does_not_open_says_why_and_can_be_closed(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    desk = Desk(stage, tmp_path / "data" / "experience.db")
    with pytest.raises(DatabaseProblem, match=r"data: (File exists|Not a directory)"):
        await desk.journal.open()
    await desk.journal.close()


async def test_an_answer_nobody_waits_for_is_no_trouble(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    ana, thread = await desk.begin()
    desk.journal.append(post(ana, "nowhere"))
    desk.journal.append(post(ana, thread))
    await until(lambda: desk.journal.in_flight == 0)
    gc.collect()
    assert caplog.records == []


# What was put off


async def test_what_was_put_off_is_done_when_nothing_is_pending(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, thread = await desk.begin()
    steps = 3
    after_batches = 0

    def catch_up(*, idle: bool) -> bool:
        nonlocal steps, after_batches
        steps -= idle
        after_batches += not idle
        return idle and steps > 0

    monkeypatch.setattr(desk.store, "catch_up", catch_up)
    await desk.do(post(ana, thread))
    await until(lambda: steps <= 0, "every step")
    seen = after_batches
    await desk.do(post(ana, thread))
    await until(lambda: after_batches > seen, "a look after the next batch")


async def test_commands_go_between_the_steps_and_so_does_the_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much was put off."""
    ana, thread = await desk.begin()
    steps = []

    def catch_up(*, idle: bool) -> bool:
        steps.append(idle)
        return True

    monkeypatch.setattr(desk.store, "catch_up", catch_up)
    for n in range(5):
        assert (await desk.do(post(ana, thread, f"{n}"))).content == f"{n}"
    await until(lambda: steps.count(True) > 10, "steps")
    await desk.journal.close()


async def test_a_database_that_was_left_behind_is_caught_up_with_from_the_start(stage: Stage, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "experience.db")
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    ledger.apply(*(post(ana, thread, f"{n}") for n in range(500)))
    head = ledger.one("SELECT position FROM log_head")
    assert ledger.one("SELECT indexed FROM search_progress") == 0
    desk = Desk(stage, tmp_path / "experience.db")
    await desk.journal.open()
    await until(lambda: ledger.one("SELECT indexed FROM search_progress") == head, "the index")
    await desk.journal.close()
    ledger.close()


# What may not end it


class Away:
    """A volume that is away: nothing can be read or written, and nothing opened, until it is back."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = True
        for owner, name in (
            (desk.store._index, "step"),
            (desk.store, "_execute"),
            (desk.store.database, "connect"),
        ):
            monkeypatch.setattr(owner, name, self._unless_away(getattr(owner, name)))
        self._close = desk.store.database._close
        monkeypatch.setattr(desk.store.database, "_close", self._closing)

    def _closing(self, connection: sqlite3.Connection) -> None:
        """As SQLite closes: it says that it failed, and has let go of the file."""
        self._close(connection)
        if self.is_away:
            raise peewee.OperationalError("disk I/O error")

    def _unless_away(self, work: Any) -> Any:
        def working(*args: Any, **kwargs: Any) -> Any:
            if self.is_away:
                raise peewee.OperationalError("disk I/O error")
            return work(*args, **kwargs)

        return working


async def test_a_volume_that_was_away_in_the_catch_up_step(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing fails, and reopening fails, and yet the journal answers, says why, and recovers though nobody writes."""
    monkeypatch.setattr(limits, "HEAL_SECONDS", 0.01)
    ana, thread = await desk.begin()
    away = Away(desk, monkeypatch)
    assert desk.journal._actor is not None
    desk.journal._actor.tell(_WAKE)
    await until(lambda: desk.journal.failure is not None, "readiness that says why")
    assert "disk reports an error" in str(desk.journal.failure)
    with pytest.raises(StorageUnavailable):
        await asyncio.wait_for(wait(desk.journal.append(post(ana, thread))), 10)
    away.is_away = False
    await until(lambda: desk.journal.failure is None, "recovery")
    assert (await desk.do(post(ana, thread))).number == 1


async def test_a_database_that_is_gone_is_not_made_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under the mount point while the volume is away is not ours."""
    monkeypatch.setattr(limits, "HEAL_SECONDS", 0.01)
    ana, thread = await desk.begin()
    hidden = desk.path.with_name("hidden.db")
    desk.store.first = lambda: (desk.store._disconnect(), desk.path.rename(hidden))
    with pytest.raises(StorageUnavailable):
        await desk.do(post(ana, thread))
    assert not desk.path.exists()
    hidden.rename(desk.path)
    await until(lambda: desk.journal.failure is None, "recovery")
    assert (await desk.do(post(ana, thread))).number == 1


async def test_another_database_in_its_place_is_not_written_to(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEAL_SECONDS", 0.01)
    ana, thread = await desk.begin()
    other = Ledger(tmp_path / "other.db")
    other.close()

    def replace() -> None:
        desk.store._disconnect()
        desk.path.rename(tmp_path / "hidden.db")
        (tmp_path / "other.db").rename(desk.path)

    desk.store.first = replace
    with pytest.raises(StorageUnavailable, match="another database is in its place"):
        await desk.do(post(ana, thread))
    (tmp_path / "hidden.db").rename(desk.path)
    await until(lambda: desk.journal.failure is None, "recovery")


@pytest.mark.parametrize("where", ["apply", "catch_up", "heal"])
async def test_no_defect_ends_the_os_thread(desk: Desk, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(limits, "HEAL_SECONDS", 0.01)
    ana, thread = await desk.begin()

    def failing(*_: Any, **__: Any) -> Any:
        raise ValueError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, where, failing)
        desk.journal._note(StorageUnavailable("to have it healed"))
        with contextlib.suppress(Internal):
            await desk.do(post(ana, thread))
        await settle()
    await until(lambda: desk.journal.failure is None, "recovery")
    assert isinstance((await desk.do(post(ana, thread))).number, int)


async def test_an_os_thread_that_ends_all_the_same_leaves_nobody_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, thread = await desk.begin()

    def ending(_: Any) -> Any:
        raise SystemExit

    monkeypatch.setattr(desk.store, "apply", ending)
    monkeypatch.setattr(pykka.ActorRegistry, "stop_all", list)
    reply = desk.journal.append(post(ana, thread))
    with pytest.raises(StorageUnavailable, match="started again"):
        await asyncio.wait_for(wait(reply), 10)
    assert desk.journal.failure is not None
    with pytest.raises(StorageUnavailable, match="started again"):
        desk.journal.append(post(ana, thread))
    await until(desk.store.database.is_closed, "the store's end")


async def test_nothing_runs_before_it_is_opened(stage: Stage, tmp_path: Path) -> None:
    before = threading.active_count()
    desk = Desk(stage, tmp_path / "experience.db")
    assert threading.active_count() == before
    await desk.journal.close()


async def test_a_disk_that_does_not_answer_shows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, thread = await desk.begin()
    monkeypatch.setattr(limits, "JOURNAL_STALLED_SECONDS", 0.01)
    desk.store.gate.clear()
    reply = desk.journal.append(post(ana, thread))
    await until(lambda: "does not answer" in str(desk.journal.failure), "readiness that says why")
    desk.store.gate.set()
    await reply
    assert desk.journal.failure is None


async def test_the_first_write_after_a_rest_has_waited_for_nothing(desk: Desk) -> None:
    ana, thread = await desk.begin()
    desk.journal._moved_at -= limits.JOURNAL_STALLED_SECONDS * 2
    desk.store.gate.clear()
    reply = desk.journal.append(post(ana, thread))
    assert desk.journal.failure is None
    desk.store.gate.set()
    await reply
