"""Unread counts of many threads that moved at once go out spread, each once and none too late."""

import asyncio
from typing import Any

import pytest

from actors import limits
from actors.runtime.loop_actor import Stage
from actors.users.directory import Users
from tests.builders import message_event, until


class Noted(Users):
    """Notes which threads are told together."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, None, lambda event: b"", self._live)  # type: ignore[arg-type]
        self.told: list[list[str]] = []
        self._online[1] = None  # type: ignore[assignment]  # somebody is here

    def _live(self, thread_id: str) -> Any:
        self.told[-1].append(thread_id)

    def _tell_moved(self) -> None:
        self.told.append([])
        super()._tell_moved()


async def test_a_burst_is_told_in_slices(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.01)
    users = Noted(stage)
    names = [f"t{n}" for n in range(100)]
    for name in names:
        users.moved(name, [message_event(1, thread_id=name)])
    await until(lambda: sum(map(len, users.told)) == len(names), "all are told")
    assert [name for together in users.told for name in together] == names, "each once, in order"
    assert max(map(len, users.told)) <= limits.UNREAD_AT_ONCE
    users.stop()


async def test_each_is_told_when_it_is_due(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNREAD_SECONDS", 0.05)
    users = Noted(stage)
    users.moved("early", [message_event(1, thread_id="early")])
    await asyncio.sleep(0.03)
    users.moved("late", [message_event(1, thread_id="late")])
    users.moved("early", [message_event(2, thread_id="early")])
    await until(lambda: sum(map(len, users.told)) == 2, "both are told")
    assert [together for together in users.told if together] == [["early"], ["late"]]
    assert users._timer is None
    users.stop()
