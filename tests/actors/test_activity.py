"""Online, idle and offline: by what people do, not by what their clients ask."""

import asyncio
from collections.abc import Mapping

import pytest

from actors import limits
from actors.activity import Activity, SaveActivity, Status
from actors.errors import Overloaded
from tests.server.realtime.waiting import until

ANA, BO = 1, 2


class Room:
    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.saved: list[dict[int, int]] = []
        self.told: list[dict[int, Status]] = []
        self.is_overloaded = False
        self.activity = Activity(clock=lambda: self.now, append=self._append, tell=self._tell)

    def _append(self, command: SaveActivity) -> None:
        if self.is_overloaded:
            raise Overloaded("too much")
        self.saved.append(dict(command.last))

    def _tell(self, changed: Mapping[int, Status]) -> None:
        self.told.append(dict(changed))

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.activity.look()


@pytest.fixture
async def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(limits, "STATUS_SECONDS", 0.0)
    return Room()


async def test_it_follows_connections_and_deeds(room: Room) -> None:
    activity = room.activity
    assert activity.status(ANA) == "offline"
    activity.came(ANA)
    assert activity.status(ANA) == "online"
    room.later(limits.IDLE_SECONDS - 1)
    assert activity.status(ANA) == "online"
    room.later(2)
    assert activity.status(ANA) == "idle"
    activity.note(ANA)
    assert activity.status(ANA) == "online"
    activity.rest(ANA)
    assert activity.status(ANA) == "idle"
    activity.went(ANA)
    assert activity.status(ANA) == "offline"


async def test_the_last_connection_counts(room: Room) -> None:
    activity = room.activity
    activity.came(ANA)
    activity.came(ANA)
    activity.went(ANA)
    assert activity.status(ANA) == "online"
    activity.went(ANA)
    assert activity.status(ANA) == "offline"


async def test_who_is_not_connected_is_not_idle(room: Room) -> None:
    room.activity.note(ANA)
    room.activity.rest(ANA)
    room.later(2 * limits.IDLE_SECONDS)
    assert room.activity.status(ANA) == "offline"
    await asyncio.sleep(0)
    assert room.told == []


async def test_changes_are_told_together_and_as_they_are_then(room: Room) -> None:
    for who in (ANA, BO):
        room.activity.came(who)
    room.later(limits.IDLE_SECONDS + 1)
    room.activity.note(BO)
    await until(lambda: room.told == [{ANA: "idle", BO: "online"}])
    room.activity.rest(BO)
    room.activity.went(BO)
    await until(lambda: room.told[1:] == [{}])


async def test_what_is_new_is_saved_once_and_then_forgotten(room: Room) -> None:
    room.activity.note(ANA)
    at = int(room.now * 1000)
    assert room.activity.last(ANA) == at
    room.later(30)
    room.later(30)
    assert room.saved == [{ANA: at}]
    assert room.activity.last(ANA) is None, "the database knows it"
    room.activity.came(BO)
    room.later(30)
    assert room.activity.last(BO) == at + 60_000, "whoever is here is not forgotten"
    room.activity.note(BO)
    room.activity.stop()
    assert room.saved[1:] == [{BO: at + 60_000}, {BO: at + 90_000}]


async def test_what_cannot_be_saved_now_is_saved_later(room: Room) -> None:
    room.activity.note(ANA)
    at = int(room.now * 1000)
    room.is_overloaded = True
    room.later(30)
    assert room.activity.last(ANA) == at
    room.is_overloaded = False
    room.activity.note(BO)
    room.later(30)
    assert room.saved == [{ANA: at, BO: at + 30_000}]
