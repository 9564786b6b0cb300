"""The housekeeper: takes away, step by step and again and again, what nobody needs."""

import logging
import time
from typing import Any, get_args

import pytest

from actors import limits
from actors.commands import Purge
from actors.errors import Internal, StorageUnavailable
from actors.journal.housekeeper import Housekeeper, Step
from actors.resources.threads import DeleteThread
from tests.actors.house import House
from tests.builders import Ledger, once, post, settle, until


async def outdated_keys(house: House, count: int) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    for n in range(count):
        await house.do(post(ana, thread, once=once(f"{n}")))
    other = Ledger(house.path)
    other.sql("UPDATE idempotency SET created_at = created_at - ?", limits.IDEMPOTENCY_SECONDS * 1000 + 1)
    other.close()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.HOUSEKEEPING_PAUSE_SECONDS", 0)


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
async def test_it_goes_on_until_nothing_is_left(house: House, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr("actors.journal.housekeeper.Purge", lambda: Purge(rows))
    await outdated_keys(house, 6)
    keeper = Housekeeper(house.journal)
    assert await keeper.tidy() == 6
    assert await keeper.tidy() == 0


async def test_it_comes_round_again_and_again(house: House) -> None:
    keeper = Housekeeper(house.journal, every_seconds=0.001)
    keeper.start()
    before = house.journal.batches
    await until(lambda: house.journal.batches > before + 2)
    keeper.stop()
    await settle()


class Noting:
    """A journal, and the commands that it took."""

    def __init__(self, house: House) -> None:
        self._journal = house.journal
        self.taken: list[type] = []

    def append(self, command: Any) -> Any:
        self.taken.append(type(command))
        return self._journal.append(command)


async def test_each_round_takes_each_step_once_where_nothing_is_left(house: House) -> None:
    journal = Noting(house)
    await Housekeeper(journal).tidy()
    assert sorted(journal.taken, key=str) == sorted(get_args(Step), key=str)


async def test_forms_expire_now_and_what_is_abandoned_is_older(house: House) -> None:
    commands: list[Any] = []

    class All:
        def append(self, command: Any) -> Any:
            commands.append(command)
            return house.journal.append(command)

    now = time.time_ns() // 1_000_000
    journal: Any = All()
    await Housekeeper(journal).tidy()
    ages = {type(each).__name__: round((now - each.before) / 1000) for each in commands if hasattr(each, "before")}
    assert ages == {
        "ExpireForms": 0, "InterruptAbandoned": limits.STREAM_ABANDONED_SECONDS,
        "InterruptArtifactStreams": limits.STREAM_SILENT_SECONDS,
    }  # fmt: skip


class Reluctant:
    """A journal that fails in all the ways there are, then works."""

    def __init__(self, house: House) -> None:
        self._journal = house.journal
        self.failures: list[Exception] = [ValueError("a defect"), StorageUnavailable("the disk is full")]
        self.done = 0

    def append(self, command: Any) -> Any:
        if self.failures:
            raise self.failures.pop()
        self.done += 1
        return self._journal.append(command)


async def test_a_failure_puts_it_off(house: House, caplog: pytest.LogCaptureFixture) -> None:
    journal = Reluctant(house)
    keeper = Housekeeper(journal, every_seconds=0.001)
    keeper.start()
    await until(lambda: journal.done)
    keeper.stop()
    await settle()
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


async def test_a_defect_in_one_step_stops_no_other(house: House) -> None:
    class Defective(Noting):
        def append(self, command: Any) -> Any:
            if isinstance(command, Purge):
                raise Internal
            return super().append(command)

    journal = Defective(house)
    with pytest.raises(Internal):
        await Housekeeper(journal).tidy()
    assert sorted(journal.taken, key=str) == sorted({*get_args(Step)} - {Purge}, key=str)


async def test_stopping_what_never_started(house: House) -> None:
    Housekeeper(house.journal).stop()


async def test_what_is_in_use_stays(house: House) -> None:
    ana = await house.user("ana")
    thread = await house.thread(ana)
    await house.do(post(ana, thread, once=once()))
    await house.do(DeleteThread(identity=ana, thread_id=(await house.thread(ana)).id))
    assert await Housekeeper(house.journal).tidy() == 0
    assert (await house.do(post(ana, thread, once=once()))).replayed
