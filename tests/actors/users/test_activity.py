"""Online, idle and offline: by what people do, not by what their clients ask."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from actors import limits
from actors.errors import Overloaded
from actors.users.activity import Activity, SaveActivity, Status
from tests.builders import identity
from tests.server.realtime.waiting import until

ANA, BO = 1, 2


class Tab:
    def __init__(self, credential: str) -> None:
        self.identity = replace(identity(), token_id=credential)


TAB, OTHER, PHONE = Tab("browser"), Tab("browser"), Tab("phone")


class Room:
    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.ahead = 0.0
        """Of the clock that may be set."""
        self.saved: list[dict[int, int]] = []
        self.told: list[dict[int, Status]] = []
        self.is_overloaded = False
        self.activity = Activity(
            clock=lambda: self.now + self.ahead, append=self._append, tell=self._tell, monotonic=lambda: self.now
        )

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
    activity.came(ANA, TAB)
    assert activity.status(ANA) == "online"
    room.later(limits.IDLE_SECONDS - 1)
    assert activity.status(ANA) == "online"
    room.later(2)
    assert activity.status(ANA) == "idle"
    activity.note(ANA)
    assert activity.status(ANA) == "online"
    activity.rest(ANA)
    assert activity.status(ANA) == "idle"
    activity.went(ANA, TAB)
    assert activity.status(ANA) == "offline"


async def test_the_last_connection_counts(room: Room) -> None:
    activity = room.activity
    activity.came(ANA, TAB)
    activity.came(ANA, OTHER)
    activity.went(ANA, OTHER)
    assert activity.status(ANA) == "online"
    activity.went(ANA, TAB)
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
        room.activity.came(who, TAB)
    room.later(limits.IDLE_SECONDS + 1)
    room.activity.note(BO)
    await until(lambda: room.told == [{ANA: "idle", BO: "online"}])
    room.activity.rest(BO)
    room.activity.went(BO, TAB)
    await until(lambda: room.told[1:] == [{}])


async def test_what_is_new_is_saved_once_and_then_forgotten(room: Room) -> None:
    room.activity.note(ANA)
    at = int(room.now * 1000)
    assert room.activity.last(ANA) == at
    room.later(30)
    room.later(30)
    assert room.saved == [{ANA: at}]
    assert room.activity.last(ANA) is None, "the database knows it"
    room.activity.came(BO, TAB)
    room.later(30)
    assert room.activity.last(BO) == at + 60_000, "whoever is here is not forgotten"
    room.activity.note(BO)
    room.activity.stop()
    assert room.saved[1:] == [{BO: at + 60_000}, {BO: at + 90_000}]


async def test_who_leaves_after_it_was_saved_is_forgotten(room: Room) -> None:
    """However many users were ever here."""
    room.activity.came(ANA, TAB)
    room.later(30)
    room.activity.went(ANA, TAB)
    assert room.activity.last(ANA) is None, "the database knows it"
    room.activity.came(ANA, TAB)
    room.activity.went(ANA, TAB)
    assert room.activity.last(ANA) == int(room.now * 1000), "it does not yet"
    room.later(30)
    assert room.activity.last(ANA) is None


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


async def test_one_is_online_while_any_connection_is(room: Room) -> None:
    activity = room.activity
    for tab in (TAB, OTHER):
        activity.came(ANA, tab)
    activity.note(ANA, connection=OTHER)
    activity.rest(ANA, connection=TAB)
    assert activity.status(ANA) == "online"
    activity.rest(ANA, connection=OTHER)
    assert activity.status(ANA) == "idle"
    activity.note(ANA, connection=TAB)
    assert activity.status(ANA) == "online"
    await until(lambda: room.told == [{ANA: "online"}])


async def test_the_tab_that_was_used_closes(room: Room) -> None:
    for tab in (TAB, OTHER):
        room.activity.came(ANA, tab)
    room.activity.rest(ANA, connection=TAB)
    room.activity.went(ANA, OTHER)
    assert room.activity.status(ANA) == "idle"
    await until(lambda: room.told == [{ANA: "idle"}])


async def test_a_tab_that_opens_is_used(room: Room) -> None:
    room.activity.came(ANA, TAB)
    room.activity.rest(ANA, connection=TAB)
    await until(lambda: room.told == [{ANA: "idle"}])
    room.activity.came(ANA, OTHER)
    await until(lambda: room.told[1:] == [{ANA: "online"}])


async def test_each_connection_is_idle_after_a_while(room: Room) -> None:
    for tab in (TAB, OTHER):
        room.activity.came(ANA, tab)
    room.later(limits.IDLE_SECONDS - 1)
    room.activity.note(ANA, connection=OTHER)
    room.later(2)
    assert room.activity.status(ANA) == "online"
    room.activity.rest(ANA, connection=OTHER)
    assert room.activity.status(ANA) == "idle", "the other one was not used for longer"


@pytest.mark.parametrize("ahead", [-86_400.0, 86_400.0])
async def test_a_clock_that_is_set_makes_nobody_idle_and_keeps_nobody_online(room: Room, ahead: float) -> None:
    activity = room.activity
    activity.came(ANA, TAB)
    room.ahead = ahead
    room.later(1)
    assert activity.status(ANA) == "online"
    activity.came(BO, TAB)
    room.later(limits.IDLE_SECONDS + 1)
    assert (activity.status(ANA), activity.status(BO)) == ("idle", "idle")
    assert activity.last(BO) == int((1_000_001 + ahead) * 1000)


async def test_what_is_said_by_rest_is_about_one_connection(room: Room) -> None:
    activity = room.activity
    for tab in (PHONE, TAB, OTHER):
        activity.came(ANA, tab)
        room.later(1)
    browser = TAB.identity.credential
    activity.rest(ANA, credential=browser)
    assert activity.status(ANA) == "online"
    activity.rest(ANA, credential=browser)
    assert activity.status(ANA) == "online", "the phone says nothing"
    activity.went(ANA, PHONE)
    assert activity.status(ANA) == "idle"
    activity.note(ANA, credential=browser)
    assert activity.status(ANA) == "online"


async def test_who_left_idle_and_is_back_at_once_is_told_to_be_online(room: Room) -> None:
    activity = room.activity
    activity.came(ANA, TAB)
    activity.rest(ANA)
    await until(lambda: room.told == [{ANA: "idle"}])
    activity.went(ANA, TAB)
    activity.came(ANA, OTHER)
    await until(lambda: room.told[1:] == [{ANA: "online"}])


async def test_a_look_costs_what_has_become_idle_not_all_who_are_there(room: Room) -> None:
    """Counted: how often a user is looked at."""
    looked = 0
    used_last = room.activity._used_last

    def counting(user_key: int) -> float:
        nonlocal looked
        looked += 1
        return used_last(user_key)

    room.activity._used_last = counting  # type: ignore[method-assign]
    for who in range(1_000):
        room.activity.came(who, TAB)
    room.now += limits.IDLE_SECONDS - 1
    for who in range(5, 1_000):
        room.activity.note(who, connection=TAB)
    room.later(2)
    assert [who for who in range(10) if room.activity.status(who) == "idle"] == [0, 1, 2, 3, 4]
    assert looked == 6
    room.activity.stop()
