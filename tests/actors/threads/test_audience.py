"""Who is counted among the subscribers of a thread, and what they get beside its log."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.delivery.channel import Subscribe
from actors.delivery.ephemeral import Ephemeral
from actors.delivery.publication import Publications
from actors.events import Event
from actors.resources.files.uploads import FILE_PROGRESS, UploadProgress
from actors.resources.members import Member, MemberGone, MemberRole
from actors.resources.threads import Thread
from actors.threads.audience import ThreadAudience
from tests.builders import identity, message_event, until

ANA, BO = identity(1), identity(2)


class Connection:
    def __init__(self) -> None:
        self.actor_urn = "c-1"
        self.told: list[Publications] = []

    def tell(self, message: Publications) -> None:
        self.told.append(message)

    @property
    def types(self) -> list[str]:
        return [item.type for each in self.told for item in each.items]

    @property
    def typing(self) -> list[str]:
        """Who types, as of each list."""
        return [item.data.decode() for each in self.told for item in each.items if item.type == "typing"]


def encode(event: Event | Ephemeral) -> bytes:
    names = [author.name for author in getattr(event.data, "users", None) or ()]
    return ", ".join(names).encode() if isinstance(event, Ephemeral) and event.kind.name == "typing" else b"x"


@pytest.fixture
async def audience() -> Any:
    made = ThreadAudience("t", encode, lambda user_key: "online")
    yield made
    made.stop()


def join(audience: ThreadAudience, *who: Any) -> list[Any]:
    connections: list[Any] = [Connection() for _ in who]
    for each, connection in zip(who, connections, strict=True):
        audience.join(Subscribe(each, connection))
    return connections


async def test_a_connection_that_subscribes_again_is_of_one_user_and_then_of_none(audience: ThreadAudience) -> None:
    connection: Any = Connection()
    for key in (1, 1, 2):
        audience.join(Subscribe(identity(key), connection))
        assert (audience.people_count, list(audience.people())) == (1, [key])
    assert audience.leave(connection) is True
    assert audience.leave(connection) is False
    assert audience.people_count == 0


async def test_a_user_is_there_until_the_last_connection_has_left(audience: ThreadAudience) -> None:
    first, second, _ = join(audience, ANA, ANA, BO)
    assert audience.people() == {1: ANA.author, 2: BO.author}
    audience.leave(first)
    assert audience.people_count == 2
    audience.leave(second)
    assert audience.people_count == 1


async def test_presence_begins_with_the_second_connection(
    audience: ThreadAudience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRESENCE_SECONDS", 0.0)
    (first,) = join(audience, ANA)
    assert audience._presence is None
    (second,) = join(audience, BO)
    await until(lambda: first.types == second.types == ["presence"])
    assert audience.has_lists


async def test_who_leaves_is_missed(audience: ThreadAudience, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("PRESENCE_SECONDS", "PRESENCE_LEAVE_SECONDS"):
        monkeypatch.setattr(limits, limit, 0.0)
    first, second = join(audience, ANA, BO)
    await until(lambda: first.types == ["presence"])
    audience.leave(second)
    await until(lambda: first.types == ["presence", "presence"])


# Typing


@pytest.fixture
def reader(audience: ThreadAudience) -> Any:
    return join(audience, BO)[0]


async def test_who_types_is_told_until_they_stop(audience: ThreadAudience, reader: Connection) -> None:
    audience.has_written(ANA.author)
    audience.types(ANA.author, typing=True)
    audience.types(BO.author, typing=True)
    audience.types(ANA.author, typing=False)
    assert reader.typing == ["User 1", "User 1, User 2", "User 2"]
    assert audience.has_lists


async def test_who_has_written_may_type_again_at_once(audience: ThreadAudience, reader: Connection) -> None:
    audience.types(ANA.author, typing=True)
    audience.has_written(ANA.author)
    audience.types(ANA.author, typing=True)
    assert reader.typing == ["User 1", "", "User 1"]


def event(data: object) -> Event:
    return replace(message_event(2), data=data)


def member(role: MemberRole) -> Member:
    return Member("t", ANA.author, role, 0, 0, False, 1, 0)


def thread(status: Any) -> Thread:
    return Thread(
        key=1, id="t", title="T", creator=ANA.author, metadata="{}", message_count=0, offset=0, position=0,
        last_message=None, membership=None, created_at=0, updated_at=0, status=status, version=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (MemberGone(ANA.author), "User 2"), (member("VIEWER"), "User 2"), (member("MEMBER"), None),
        (thread("CLOSED"), ""), (thread("ARCHIVED"), ""), (thread("ACTIVE"), None), (message_event(2).data, None),
    ],
)  # fmt: skip
async def test_who_may_write_no_more_types_no_more(
    audience: ThreadAudience, reader: Connection, data: object, left: str | None
) -> None:
    audience.ends_writing(event(data))
    for who in (ANA, BO):
        audience.types(who.author, typing=True)
    before = reader.typing
    audience.ends_writing(event(data))
    assert reader.typing == before + ([] if left is None else [left])


# A new subscriber


async def test_a_new_subscriber_gets_the_lists_that_are_not_empty(audience: ThreadAudience) -> None:
    assert audience.lists(returning=False) == audience.lists(returning=True) == []
    join(audience, BO)
    audience.types(ANA.author, typing=True)
    assert [each.data.users for each in audience.lists(returning=False)] == [[ANA.author]]  # type: ignore[attr-defined]


async def test_one_that_returns_gets_empty_lists_where_it_may_have_others(audience: ThreadAudience) -> None:
    join(audience, BO)
    audience.had_lists = True
    assert audience.lists(returning=False) == []
    presence, typing = audience.lists(returning=True)
    assert presence.data.users == [(BO.author, "online")]  # type: ignore[attr-defined]
    assert typing.data.users == ()  # type: ignore[attr-defined]


async def test_one_that_returns_gets_both_lists_as_they_are(audience: ThreadAudience) -> None:
    join(audience, ANA, BO)
    audience.types(ANA.author, typing=True)
    audience.types(ANA.author, typing=False)
    presence, typing = audience.lists(returning=True)
    assert presence.data.users == [(ANA.author, "online"), (BO.author, "online")]  # type: ignore[attr-defined]
    assert typing.data.users == []  # type: ignore[attr-defined]
    assert audience.lists(returning=False) == [], "presence was not published yet"


# What is in no log


async def test_a_status_is_told_where_there_are_others_and_no_crowd(
    audience: ThreadAudience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PRESENCE_USERS", 2)
    connections, told = [], []
    for who in (ANA, BO, identity(3)):
        connections += join(audience, who)
        audience.status_changed(ANA.author, "idle")
        told.append(connections[0].types.count("user.status"))
    assert told == [0, 1, 1]


async def test_ephemeral_events_stand_after_the_newest_event(audience: ThreadAudience, reader: Connection) -> None:
    progress = Ephemeral("t", FILE_PROGRESS, UploadProgress("f", "u", 1, 2))
    audience.tell_ephemeral([progress])
    audience.moved(message_event(4, position=9))
    audience.tell_ephemeral([progress])
    audience.tell_ephemeral([])
    told = [(each.channel, item.offset, item.position, item.type) for each in reader.told for item in each.items]
    assert told == [("thread:t", 0, 0, "file.progress"), ("thread:t", 0, 9, "file.progress")]


async def test_events_are_told_in_frames_and_to_nobody_where_nobody_is(
    audience: ThreadAudience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUBLICATIONS_BYTES", 2)
    monkeypatch.setattr(audience, "_encode", lambda event: 1 // 0)
    audience.tell_events([message_event(1)])
    monkeypatch.undo()
    monkeypatch.setattr(limits, "PUBLICATIONS_BYTES", 2)
    (reader,) = join(audience, BO)
    audience.tell_events([])
    audience.tell_events([message_event(n, position=n + 10) for n in (2, 3, 4)])
    frames = [[(item.offset, item.position, item.type) for item in told.items] for told in reader.told]
    assert frames == [[(2, 12, "message.created"), (3, 13, "message.created")], [(4, 14, "message.created")]]


async def test_no_timer_outlives_it(audience: ThreadAudience, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
    call_later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda *given: timers.append(call_later(*given)) or timers[-1])
    join(audience, ANA, BO)
    audience.types(ANA.author, typing=True)
    assert len(timers) == 2
    audience.stop()
    assert all(timer.cancelled() for timer in timers)
