"""Scheduled messages and reminders: each is sent once, with the rights that its author has then."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import limits
from actors.commands import Purge
from actors.errors import Overloaded, StorageFull
from actors.resources.schedules import EndSchedule, ListDueSchedules, TakeSchedule
from server.scheduling.dispatcher import Scheduler, _message
from tests.builders import until_asked
from tests.server.operations.signing_in import sql
from tests.serving import Client, Server, ServerProcess, serving

Json = dict[str, Any]
URL = "/api/v1/schedules"
OWN_LOG = "/api/v1/users/me/log"


def ahead(**more: float) -> str:
    return (datetime.now(UTC) + timedelta(**more)).isoformat(timespec="milliseconds")


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCHEDULE_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(limits, "SCHEDULE_RETRY_SECONDS", 0.05)


async def ended(client: Client, schedule: Json) -> Json:
    async def look() -> Any:
        found = (await client.get(f"{URL}/{schedule['id']}")).data
        return found if found["ended_at"] else None

    return dict(await until_asked(look))


async def contents(client: Client, thread: Json) -> list[str]:
    found = (await client.get(f"/api/v1/threads/{thread['id']}/messages")).data
    return [message["content"] for message in reversed(found)]


def due_now(server: Server, schedule: Json) -> None:
    """Let its time have come: in the database, as it would stand there then."""
    change(server, schedule, due_at=round(datetime.now(UTC).timestamp() * 1000) - 1_000)


def change(server: Server, schedule: Json, **columns: Any) -> None:
    sets = ", ".join(f"{name} = ?" for name in columns)
    rows(server, f"UPDATE schedule SET {sets} WHERE uid = ?", *columns.values(), schedule["id"])


def rows(server: Server, text: str, *given: Any) -> list[Any]:
    path = server.services.measured_files["database"]
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database, database:
        return database.execute(text, given).fetchall()


async def wake(client: Client) -> None:
    """Anything that is written."""
    await client.thread("Wake up")


async def test_a_message_is_written_in_its_time(server: Server, alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    made = await alice.post(URL, thread_id=thread["id"], content="Good morning @bob", at=ahead(days=1))
    assert (made.status, made.headers["Location"]) == (201, f"{URL}/{made.data['id']}")
    assert (made.data["status"], made.data["message_id"]) == ("pending", None)
    due_now(server, made.data)
    await wake(alice)
    sent = await ended(alice, made.data)
    assert (sent["status"], sent["version"]) == ("sent", 2)
    message = (await alice.get(f"/api/v1/messages/{sent['message_id']}")).data
    assert (message["content"], message["author"]["name"]) == ("Good morning @bob", "Alice")
    assert (await bob.get("/api/v1/notifications")).data[0]["kind"] == "mention"
    told = [event for event in (await alice.get(OWN_LOG)).data if event["type"] == "schedule.updated"]
    assert [event["data"]["id"] for event in told] == [sent["id"]] * 2
    assert await contents(alice, thread) == ["Good morning @bob"]


async def test_a_reminder_is_an_event_of_ones_own(server: Server, alice: Client, bob: Client) -> None:
    thread = await alice.thread()
    message = await alice.say(thread, "Read this")
    at = ahead(days=1)
    made = (await alice.post(URL, kind="reminder", message_id=message["id"], content="read", at=at)).data
    assert (made["thread_id"], made["message_id"]) == (thread["id"], message["id"])
    alone = (await alice.post(URL, kind="reminder", content="tea", at=at)).data
    for each in (made, alone):
        due_now(server, each)
    await wake(alice)
    assert (await ended(alice, made))["status"] == "sent"
    assert await contents(alice, thread) == ["Read this"]
    assert (await ended(alice, alone))["status"] == "sent"
    assert (await bob.get(f"{URL}/{alone['id']}")).status == 404


async def test_by_the_clock_of_a_zone(alice: Client) -> None:
    await alice.patch("/api/v1/users/me/preferences", time_zone="America/New_York")
    now = datetime.now(UTC)
    year = now.year + (now >= datetime(now.year, 1, 14, tzinfo=UTC))
    at = {"local_time": f"{year}-01-15T09:00"}
    made = (await alice.post(URL, kind="reminder", content="x", **at)).data
    assert (made["at"], made["local_time"]) == (f"{year}-01-15T14:00:00.000Z", f"{year}-01-15T09:00:00")
    moved = (await alice.patch(f"{URL}/{made['id']}", local_time=f"{year}-01-15T10:00", time_zone="Asia/Tokyo")).data
    assert (moved["at"], moved["time_zone"]) == (f"{year}-01-15T01:00:00.000Z", "Asia/Tokyo")
    moved = (await alice.patch(f"{URL}/{made['id']}", local_time=f"{year}-01-15T11:00")).data
    assert moved["at"] == f"{year}-01-15T02:00:00.000Z"


async def test_changed_and_cancelled(alice: Client) -> None:
    thread = await alice.thread()
    made = await alice.post(URL, thread_id=thread["id"], content="a", at=ahead(days=1))
    path = f"{URL}/{made.data['id']}"
    changed = await alice.patch(path, content="b", metadata={"x": 1}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.data["content"], changed.data["metadata"], changed.data["version"]) == ("b", {"x": 1}, 2)
    assert (await alice.patch(path, content="c", headers={"If-Match": made.headers["ETag"]})).status == 412
    assert (await alice.patch(path, content=" ")).status == 400
    assert (await alice.patch(path, at=ahead(days=-1))).status == 400
    assert (await alice.patch(path, content="b")).data["version"] == 2
    cancelled = await alice.delete(path)
    assert (cancelled.data["status"], cancelled.data["message_id"]) == ("cancelled", None)
    for again in (await alice.delete(path), await alice.patch(path, content="x")):
        assert (again.status, again.error["code"]) == (409, "schedule_ended")
    assert (await alice.get(URL, status="pending")).data == []
    assert [each["id"] for each in (await alice.get(URL, thread_id=thread["id"])).data] == [made.data["id"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"content": "x"},
        {"content": "x", "at": "AHEAD", "thread_id": None},
        {"content": "x", "at": "AHEAD", "local_time": "2027-01-01T00:00"},
        {"content": " ", "at": "AHEAD"},
        {"content": "x", "at": "2020-01-01T00:00:00Z"},
        {"content": "x", "at": "9999-12-31T23:59:59-12:00"},
        {"content": "x", "local_time": "2027-02-30T00:00"},
        {"content": "x", "local_time": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"},
        {"content": "x", "at": "AHEAD", "time_zone": "Mars/Olympus"},
        {"content": "x", "at": "AHEAD", "message_id": "c" + "0" * 24},
        {"kind": "reminder", "content": "x", "at": "AHEAD", "metadata": {"a": 1}},
        {"kind": "reminder", "content": "x" * 1_001, "at": "AHEAD"},
    ],
)
async def test_what_cannot_be_scheduled(alice: Client, wrong: Json) -> None:
    thread = await alice.thread()
    at = {name: ahead(days=1) if value == "AHEAD" else value for name, value in wrong.items()}
    assert (await alice.post(URL, **{"thread_id": thread["id"]} | at)).status == 400


async def test_a_reminder_stays_one(alice: Client) -> None:
    """About something, or with a note."""
    message = await alice.say(await alice.thread())
    alone = (await alice.post(URL, kind="reminder", content="tea", at=ahead(days=1))).data
    about = (await alice.post(URL, kind="reminder", message_id=message["id"], content="tea", at=ahead(days=1))).data
    refused = await alice.patch(f"{URL}/{alone['id']}", content=" ")
    assert (refused.status, [*refused.error["errors"]]) == (400, ["content"])
    assert (await alice.patch(f"{URL}/{alone['id']}", at=ahead(days=2))).status == 200
    assert (await alice.patch(f"{URL}/{about['id']}", content="")).data["content"] == ""


async def test_only_so_many_wait(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCHEDULES_PENDING", 2)
    made = [await alice.post(URL, kind="reminder", content=str(n), at=ahead(days=1)) for n in range(3)]
    assert [each.status for each in made] == [201, 201, 409]
    await alice.delete(f"{URL}/{made[0].data['id']}")
    assert (await alice.post(URL, kind="reminder", content="x", at=ahead(days=1))).status == 201


async def test_rights_are_asked_again_when_it_is_sent(server: Server, alice: Client, bob: Client, root: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    message = await alice.say(thread)
    at = ahead(days=1)
    said = (await bob.post(URL, thread_id=thread["id"], content="secret", at=at)).data
    reminder = (await bob.post(URL, kind="reminder", message_id=message["id"], at=at)).data
    kept = (await alice.post(URL, kind="reminder", message_id=message["id"], at=at)).data
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    await alice.delete(f"/api/v1/messages/{message['id']}")
    for each in (said, reminder, kept):
        due_now(server, each)
    await wake(alice)
    found = [await ended(who, each) for who, each in ((bob, said), (bob, reminder), (alice, kept))]
    assert [each["status"] for each in found] == ["failed"] * 3
    assert ["thread" in found[0]["reason"], "message" in found[2]["reason"]] == [True, True]
    assert await contents(alice, thread) == [""]
    other = (await bob.post(URL, thread_id=(await bob.thread())["id"], content="x", at=at)).data
    await root.patch(f"/api/v1/users/{bob_id}", status="DEACTIVATED")
    due_now(server, other)
    await wake(alice)

    async def has_failed() -> bool:
        return rows(server, "SELECT status, reason FROM schedule WHERE uid = ?", other["id"]) == [
            ("failed", "The account is DEACTIVATED.")
        ]

    await until_asked(has_failed)


async def keyed(server: Server, owner: Client, **more: Any) -> tuple[Client, str]:
    """Somebody with an API key of the owner's, and its id."""
    made = (await owner.post("/api/v1/auth/api-keys", name="Nightly", scopes=["read", "write"], **more)).data
    client = server.client(owner.name)
    client.token = made["key"]
    return client, made["id"]


@pytest.mark.parametrize("kind", ["message", "reminder"])
async def test_it_ends_with_the_api_key_that_made_it(server: Server, alice: Client, kind: str) -> None:
    thread = await alice.thread()
    program, key_id = await keyed(server, alice)
    made = (await program.post(URL, kind=kind, thread_id=thread["id"], content="Later", at=ahead(days=1))).data
    assert (await alice.delete(f"/api/v1/auth/api-keys/{key_id}")).status == 200
    due_now(server, made)
    await wake(alice)
    found = await ended(alice, made)
    assert (found["status"], found["reason"]) == ("failed", "The API key that made it has ended.")
    assert await contents(alice, thread) == []


async def test_it_has_the_rights_of_its_api_key(server: Server, root: Client, alice: Client) -> None:
    """In a thread that an admin may write to only as an admin."""
    thread = await root.thread(members=[{"user_id": (await alice.me())["id"], "role": "OWNER"}])
    program, _ = await keyed(server, root)
    own = (await root.post(URL, thread_id=thread["id"], content="By a person", at=ahead(days=1))).data
    made = (await program.post(URL, thread_id=thread["id"], content="By a program", at=ahead(days=1))).data
    now = round(datetime.now(UTC).timestamp() * 1000) + 2 * 24 * 3600 * 1000
    due = await server.services.ask(ListDueSchedules(now, 10))
    roles = {each.schedule.id: each.user.role for each in due.schedules}
    assert roles == {own["id"]: "ADMIN", made["id"]: "USER"}


async def test_who_has_scheduled_in_a_thread_hears_of_its_end(server: Server, alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    made = (await bob.post(URL, thread_id=thread["id"], content="Later", at=ahead(days=1))).data
    elsewhere = (await bob.post(URL, kind="reminder", content="tea", at=ahead(days=1))).data
    assert (await alice.delete(f"/api/v1/threads/{thread['id']}")).status == 200
    found = (await bob.get(f"{URL}/{made['id']}")).data
    assert (found["status"], found["reason"], found["version"]) == ("failed", "The thread was deleted.", 2)
    told = [event["data"] for event in (await bob.get(OWN_LOG)).data if event["type"] == "schedule.updated"]
    assert (told[-1]["id"], told[-1]["status"]) == (made["id"], "failed")
    assert (await bob.get(f"{URL}/{elsewhere['id']}")).data["status"] == "pending"


async def test_it_waits_for_the_end_of_an_answer(server: Server, alice: Client) -> None:
    robot = server.client("robot", kind="ASSISTANT")
    thread = await alice.thread(members=[{"user_id": (await robot.me())["id"]}])
    await alice.patch(f"/api/v1/threads/{thread['id']}", while_streaming="reject")
    streamed = await robot.say(thread, "…", status="STREAMING")
    made = (await alice.post(URL, thread_id=thread["id"], content="and then", at=ahead(days=1))).data
    due_now(server, made)
    await wake(alice)

    async def is_sending() -> bool:
        return (await alice.get(f"{URL}/{made['id']}")).data["status"] == "sending"

    await until_asked(is_sending)
    assert (await alice.delete(f"{URL}/{made['id']}")).status == 409
    await robot.post(f"/api/v1/messages/{streamed['id']}/complete", content="done")
    assert (await ended(alice, made))["status"] == "sent"
    assert await contents(alice, thread) == ["done", "and then"]


async def test_it_fails_when_that_takes_too_long(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SCHEDULE_GIVE_UP_SECONDS", 0)
    robot = server.client("robot", kind="ASSISTANT")
    thread = await alice.thread(members=[{"user_id": (await robot.me())["id"]}])
    await alice.patch(f"/api/v1/threads/{thread['id']}", while_streaming="reject")
    await robot.say(thread, "…", status="STREAMING")
    made = (await alice.post(URL, thread_id=thread["id"], content="x", at=ahead(days=1))).data
    due_now(server, made)
    await wake(alice)
    failed = await ended(alice, made)
    assert (failed["status"], "An answer is being streamed" in failed["reason"]) == ("failed", True)


# Restarts


@asynccontextmanager
async def restarted(folder: Path) -> AsyncIterator[tuple[Server, Client]]:
    async with serving(folder) as server:
        yield server, server.client("alice")


async def test_what_came_due_while_the_server_was_down_is_sent_once_and_in_order(tmp_path: Path) -> None:
    async with restarted(tmp_path / "data") as (server, alice):
        thread = await alice.thread()
        made = [
            (await alice.post(URL, thread_id=thread["id"], content=str(n), at=ahead(days=1))).data for n in range(5)
        ]
        for number, each in enumerate(made):
            change(server, each, due_at=2_000_000_000_000 - number)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "experience.db")) as database, database:
        database.execute("UPDATE schedule SET due_at = due_at - 1999999999000")
    for _ in range(2):
        async with restarted(tmp_path / "data") as (_, alice):
            for each in made:
                assert (await ended(alice, each))["status"] == "sent"
            assert await contents(alice, thread) == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("was_written", [True, False])
async def test_a_crash_in_between_neither_loses_nor_repeats_it(tmp_path: Path, was_written: bool) -> None:
    """The process ended after it had taken it: before the message, or after it and before it was noted."""
    async with restarted(tmp_path / "data") as (server, alice):
        thread = await alice.thread()
        made = (await alice.post(URL, thread_id=thread["id"], content="once", at=ahead(days=1))).data
        (due,) = (await server.services.ask(ListDueSchedules(2**50, 10))).schedules
        if was_written:
            await server.services.directory.ask(_message(due.schedule, due.user))
        change(server, made, due_at=1_000, status="sending")
        assert (await server.services.write(TakeSchedule(due.schedule.key))).result == (0 if was_written else 1)
    async with restarted(tmp_path / "data") as (_, alice):
        sent = await ended(alice, made)
        assert (sent["status"], await contents(alice, thread)) == ("sent", ["once"])


async def test_the_author_who_lost_the_right_after_it_was_written_has_it_sent(
    server: Server, alice: Client, bob: Client
) -> None:
    """Its answer was lost, and the retry is refused: it is sent all the same."""
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    made = (await bob.post(URL, thread_id=thread["id"], content="x", at=ahead(days=1))).data
    (due,) = (await server.services.ask(ListDueSchedules(2**50, 10))).schedules
    await server.services.directory.ask(_message(due.schedule, due.user))
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    change(server, made, status="sending")
    await server.services.write(EndSchedule(due.schedule.key, "failed", "no member"))
    assert (await bob.get(f"{URL}/{made['id']}")).data["status"] == "sent"


async def test_a_narrowed_domain_binds_what_was_scheduled_before(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", ALLOWED_DOMAINS="rpotential.ai,old.example") as server:
        ana = server.client("ana", email="ana@old.example", domain="old.example")
        thread = await ana.thread()
        made = (await ana.post(URL, thread_id=thread["id"], content="x", at=ahead(days=1))).data
        change(server, made, due_at=4_000_000_000_000)
    async with serving(tmp_path / "data") as server:
        due_now(server, made)
        await wake(server.client("alice"))

        async def is_refused() -> bool:
            (found,) = rows(server, "SELECT status, reason FROM schedule WHERE uid = ?", made["id"])
            return bool(found[0] == "failed" and "old.example" in found[1])

        await until_asked(is_refused)


async def test_two_clocks_send_it_once(server: Server, alice: Client) -> None:
    services = server.services
    thread = await alice.thread()
    made = [(await alice.post(URL, thread_id=thread["id"], content=str(n), at=ahead(days=1))).data for n in range(5)]
    clocks = [
        Scheduler(
            services.reads,
            services.write,
            services.directory.ask,
            must_come_in=lambda _: None,
            commits=lambda: 0,
            now=lambda: 2**50,
        )
        for _ in range(2)
    ]
    for each in made:
        due_now(server, each)
    await asyncio.gather(*(clock.send_due() for clock in clocks))
    assert [(await ended(alice, each))["status"] for each in made] == ["sent"] * 5
    assert sorted(await contents(alice, thread)) == list("01234")


async def test_nothing_is_read_before_the_next_is_due(server: Server, alice: Client) -> None:
    services, now = server.services, [1_000]
    made = (await alice.post(URL, kind="reminder", content="x", at=ahead(days=1))).data
    clock = Scheduler(
        services.reads, services.write, services.directory.ask, must_come_in=lambda _: None, commits=lambda: 7,
        now=lambda: now[0],
    )  # fmt: skip
    looks = [clock.may_be_due()]
    await clock.send_due()
    looks.append(clock.may_be_due())
    now[0] = round(datetime.fromisoformat(made["at"]).timestamp() * 1000)
    looks.append(clock.may_be_due())
    assert looks == [True, False, True]


async def test_what_could_not_be_taken_is_tried_again(server: Server, alice: Client) -> None:
    """Also where nobody writes meanwhile: the disk was full for a moment."""
    services, is_full = server.services, [True]
    made = (await alice.post(URL, kind="reminder", content="x", at=ahead(days=1))).data
    due_now(server, made)

    async def write(command: Any) -> Any:
        if is_full[0]:
            raise StorageFull("The disk is full.")
        return await services.write(command)

    clock = Scheduler(
        services.reads, write, services.directory.ask, must_come_in=lambda _: None, commits=lambda: 7,
        now=lambda: 2**50,
    )  # fmt: skip
    with pytest.raises(StorageFull):
        await clock.send_due()
    is_full[0] = False
    assert clock.may_be_due()
    await clock.send_due()
    assert (await ended(alice, made))["status"] == "sent"


async def test_one_that_is_tried_again_is_forgotten_with_its_user(
    server: Server, root: Client, alice: Client, bob: Client
) -> None:
    services, bob_id = server.services, (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    made = (await bob.post(URL, thread_id=thread["id"], content="x", at=ahead(days=1))).data

    async def post(_: Any) -> Any:
        raise Overloaded("Too much at once.")

    clock = Scheduler(
        services.reads, services.write, post, must_come_in=lambda _: None, commits=lambda: 7, now=lambda: 2_000
    )
    change(server, made, due_at=1_000, status="sending")
    await clock.send_due()
    assert clock.may_be_due(), "it is tried again"
    assert (await root.delete(f"/api/v1/users/{bob_id}")).status == 200
    await clock.send_due()
    assert not clock.may_be_due()


async def test_those_that_ended_go_after_a_month(server: Server, alice: Client) -> None:
    made = [(await alice.post(URL, kind="reminder", content="x", at=ahead(days=1))).data for _ in range(2)]
    await alice.delete(f"{URL}/{made[0]['id']}")
    change(server, made[0], ended_at=1_000)
    await server.services.directory.journal.append(Purge())
    assert [each["id"] for each in (await alice.get(URL)).data] == [made[1]["id"]]
    gone = [event["data"] for event in (await alice.get(OWN_LOG)).data if event["type"] == "schedule.updated"]
    assert gone[0] == {"id": made[0]["id"]}


async def reminded(client: Client, count: int = 1) -> list[Json]:
    """What reminds a user, in the feed, the newest first."""

    async def look() -> Any:
        found = (await client.get("/api/v1/notifications")).data
        reminders = [each for each in found if each["kind"] == "reminder"]
        return reminders if len(reminders) >= count else None

    return list(await until_asked(look))


async def test_a_reminder_is_in_the_feed_once(server: Server, alice: Client, bob: Client) -> None:
    """By what it is about, also in a muted thread, beside the mention of the same message; until it is read itself."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread, "@bob read this")
    await bob.patch("/api/v1/users/me/preferences", notify="none")
    about = await bob.post(URL, kind="reminder", message_id=message["id"], at=ahead(days=1))
    alone = await bob.post(URL, kind="reminder", content="tea", at=ahead(days=1))
    due_now(server, about.data)
    await wake(alice)
    (first,) = await reminded(bob)
    due_now(server, alone.data)
    await wake(alice)
    second = (await reminded(bob, 2))[0]
    me = (await bob.me())["id"]
    assert (first["thread_id"], first["message_id"], first["excerpt"]) == (
        thread["id"],
        message["id"],
        "@bob read this",
    )
    assert (first["schedule_id"], first["actor"]["id"]) == (about.data["id"], me)
    assert (second["thread_id"], second["message_id"], second["excerpt"]) == (None, None, "tea")
    assert (await bob.get("/api/v1/notifications/unread-count")).data["count"] == 4
    await bob.post(f"/api/v1/threads/{thread['id']}/read")
    assert [each["read_at"] for each in await reminded(bob, 2)] == [None, None], "reading the message is not doing it"
    assert (await bob.get("/api/v1/unread")).data["mentions"] == 0
    told = [event for event in (await bob.get(OWN_LOG)).data if event["type"] == "notification.created"]
    assert [event["data"]["id"] for event in told][-2:] == [first["id"], second["id"]]
    assert (await bob.post(f"/api/v1/notifications/{second['id']}/read")).status == 200
    assert (await bob.delete(f"/api/v1/notifications/{second['id']}")).status == 200
    await alice.delete(f"/api/v1/messages/{message['id']}")
    (left,) = await reminded(bob)
    assert (left["message_id"], left["excerpt"]) == (None, ""), "what was deleted is not shown again"
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{me}")
    assert (await bob.get("/api/v1/notifications")).data == []


async def test_a_reminder_leaves_the_server_by_the_ways_of_its_user(
    tmp_path: Path, alice: Client, server: Server
) -> None:
    """Not in quiet hours."""
    now = datetime.now(UTC)
    hours = {"start": f"{now - timedelta(hours=2):%H:%M}", "end": f"{now + timedelta(hours=2):%H:%M}"}
    bob = server.client("bob")
    for client, more in ((alice, {}), (bob, {"quiet_hours": hours})):
        await client.patch("/api/v1/users/me/preferences", deliver=["webhook"], **more)
        made = await client.post(URL, kind="reminder", content="tea", at=ahead(days=1))
        due_now(server, made.data)
        await wake(client)
        await reminded(client)
    columns = "SELECT not_before - created_at FROM outbox ORDER BY id"
    (at_once,), (later,) = rows(server, columns)
    assert at_once == 0
    assert 0 < later <= 2 * 3_600_000 + 60_000


async def test_a_reminder_notifies_once_over_kills(tmp_path: Path) -> None:
    """A process is killed while reminders are due: each is in the feed once, with one row of the outbox."""
    process = ServerProcess(tmp_path / "killed")
    await process.start()
    async with aiohttp.ClientSession() as session:
        alice = Client(session, process.url, "alice")
        await alice.patch("/api/v1/users/me/preferences", deliver=["webhook"])
        at = ahead(days=1)
        made = [
            (await alice.post(URL, kind="reminder", content=f"{n}", at=at)).data["id"]
            for n in range(limits.SCHEDULES_PENDING)
        ]  # fmt: skip

        now = round(datetime.now(UTC).timestamp() * 1000)
        sql(process.data_dir, "UPDATE schedule SET due_at = ? + 40 * id", now)  # some in each look, for four seconds
        await wake(alice)

        async def sent(count: int) -> None:
            async def are_sent() -> bool:
                statement = "SELECT COUNT(*) FROM schedule WHERE status = 'sent'"
                return bool(sql(process.data_dir, statement)[0][0] >= count)

            await until_asked(are_sent)

        for count in (1, 40):
            await sent(count)
            process.kill()
            await process.ended()
            await process.start()
        await sent(len(made))
        found = (await alice.get("/api/v1/notifications", limit="100")).data
        assert sorted(each["schedule_id"] for each in found) == sorted(made)
        ((count, users),) = sql(process.data_dir, "SELECT COUNT(*), COUNT(DISTINCT notification_id) FROM outbox")
        assert count == users == len(made)
    assert await process.stop() == 0
