"""The subscribers of a channel: what reaches them, and who hears of others that come and go."""

from typing import Any

import pykka
import pytest

from actors import limits
from actors.delivery.channel import AccessEnded, Attendance, Audience, Subscribe
from actors.delivery.publication import Publication, Publications
from tests.builders import identity

ANA, BO, CAI = identity(1), identity(2), identity(3)


class Connection:
    """Notes what it is told."""

    def __init__(self, name: str, *, has_gone: bool = False) -> None:
        self.actor_urn = name
        self.told: list[Any] = []
        self._has_gone = has_gone

    def tell(self, message: object) -> None:
        if self._has_gone:
            raise pykka.ActorDeadError(self.actor_urn)
        self.told.append(message)

    @property
    def attendance(self) -> list[tuple[str, bool]]:
        return [(each.client_id, each.joined) for each in self.told if isinstance(each, Attendance)]


@pytest.fixture
def audience() -> Audience:
    return Audience("thread:t")


def connect(name: str, **more: Any) -> Any:
    return Connection(name, **more)


def test_who_is_subscribed_is_present_until_they_leave(audience: Audience) -> None:
    hers, his = connect("hers"), connect("his")
    audience.join(Subscribe(ANA, hers))
    audience.join(Subscribe(BO, his))
    assert audience.present() == [("hers", ANA), ("his", BO)]
    assert audience.connections == {hers: ANA, his: BO}
    assert audience.leave(hers) is True
    assert audience.leave(hers) is False
    assert (audience.present(), len(audience)) == ([("his", BO)], 1)


def test_only_those_who_watch_hear_who_comes_and_goes(audience: Audience) -> None:
    first, second, other, late = connect("first"), connect("second"), connect("other"), connect("late")
    audience.join(Subscribe(CAI, other))
    audience.join(Subscribe(ANA, first, watches=True))
    audience.join(Subscribe(BO, second, watches=True))
    audience.leave(second)
    audience.join(Subscribe(CAI, late))
    audience.leave(late)
    assert first.told[0] == Attendance("thread:t", "first", ANA, True)
    assert first.attendance == [
        ("first", True), ("second", True), ("second", False), ("late", True), ("late", False),
    ]  # fmt: skip
    assert second.attendance == [("second", True)], "nobody hears of their own end"
    assert other.told == late.told == []


def test_in_a_crowd_nobody_hears_who_comes_and_goes(audience: Audience, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PRESENCE_USERS", 2)
    watcher, second, third = connect("watcher"), connect("second"), connect("third")
    audience.join(Subscribe(ANA, watcher, watches=True))
    audience.join(Subscribe(BO, second))
    audience.join(Subscribe(CAI, third))
    assert watcher.attendance == [("watcher", True), ("second", True)]
    audience.leave(third)
    assert watcher.attendance[2:] == [("third", False)], "two are no crowd"


def test_a_connection_that_has_just_closed_keeps_nothing_from_others(audience: Audience) -> None:
    gone, there = connect("gone", has_gone=True), connect("there")
    for who, connection in ((ANA, gone), (BO, there)):
        audience.join(Subscribe(who, connection, watches=True))
    news = Publications("thread:t", [Publication(1, 1, "e", b"")])
    audience.tell(news)
    audience.tell_one(gone, "state")
    audience.end_access(lambda who: False)
    assert [each for each in there.told if not isinstance(each, Attendance)] == [news, AccessEnded("thread:t")]
    assert len(audience) == 0


def test_only_those_who_may_no_longer_see_it_are_unsubscribed(audience: Audience) -> None:
    hers, his = connect("hers"), connect("his")
    audience.join(Subscribe(ANA, hers))
    audience.join(Subscribe(BO, his))
    audience.end_access(lambda who: who is ANA)
    assert (hers.told, his.told) == ([], [AccessEnded("thread:t")])
    assert audience.present() == [("hers", ANA)]


def test_what_is_for_one_connection_reaches_it_while_it_is_subscribed(audience: Audience) -> None:
    hers, his = connect("hers"), connect("his")
    audience.join(Subscribe(ANA, hers))
    for connection in (hers, his):
        audience.tell_one(connection, "state")
    assert (hers.told, his.told) == (["state"], [])
