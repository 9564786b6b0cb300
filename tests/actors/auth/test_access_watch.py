"""The access watch: it looks when a change is committed here, and else now and then; no waiter is forgotten."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from actors import limits
from actors.auth.access_changes import AccessChange
from actors.auth.access_watch import AccessWatch
from actors.auth.actor import has_other_rights
from tests.builders import identity, user


class Log:
    """Of no changes: it counts how often it is read."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, after: int) -> Sequence[AccessChange]:
        self.reads += 1
        return ()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def watch(log: Log, monkeypatch: pytest.MonkeyPatch) -> AccessWatch:
    monkeypatch.setattr(limits, "ACCESS_LOOK_SECONDS", 60.0)
    return AccessWatch(newest=0, read=log.read, tell=lambda changes: None)


async def _some_turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_it_looks_only_when_there_is_a_reason(watch: AccessWatch, log: Log) -> None:
    watch.start()
    await _some_turns()
    assert log.reads == 0, "nothing was committed, and no time has passed"
    async with asyncio.timeout(30):
        await watch.settle()
    assert log.reads == 1
    await _some_turns()
    assert log.reads == 1
    watch.stop()


async def test_before_the_start_and_after_the_end_there_is_nothing_to_wait_for(watch: AccessWatch, log: Log) -> None:
    async with asyncio.timeout(30):
        await watch.settle()
        watch.start()
        watch.stop()
        await _some_turns()
        await watch.settle()
    assert log.reads == 0


async def test_who_waits_for_a_look_that_does_not_come_any_more_is_released(watch: AccessWatch, log: Log) -> None:
    watch.start()
    await _some_turns()
    waiting = asyncio.ensure_future(watch.settle())
    await asyncio.sleep(0)  # it has asked for a look, whose turn is the next one
    watch.stop()
    async with asyncio.timeout(30):
        await waiting
    assert log.reads == 0


def test_other_rights() -> None:
    ana = identity(1)
    assert not has_other_rights(ana, user(1))
    assert has_other_rights(ana, replace(user(1), status="DEACTIVATED"))
    assert has_other_rights(ana, user(1, role="ADMIN"))
    assert has_other_rights(ana, user(1, kind="ASSISTANT"))
    assert has_other_rights(ana, replace(user(1), domain="elsewhere.example"))
