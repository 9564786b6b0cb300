"""Messages that ask to be acknowledged: who is asked, who has answered, and who is notified again."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actors import limits
from actors.resources.acknowledgements import RepeatUrgent
from tests.serving import Answer, Client, Server

FEED = "/api/v1/notifications"
ALL: Any = {}


@pytest.fixture
async def carol(server: Server) -> Client:
    client = server.client("carol", name="Carol")
    await client.me()
    return client


@pytest.fixture
async def guide(server: Server) -> Client:
    return server.client("guide", name="Guide", kind="ASSISTANT")


@pytest.fixture
async def thread(alice: Client, bob: Client, carol: Client, guide: Client) -> Any:
    """Alice's: Bob and an assistant write there, Carol only reads."""
    roles = {bob: "MEMBER", carol: "VIEWER", guide: "MEMBER"}
    members = [{"user_id": (await client.me())["id"], "role": role} for client, role in roles.items()]
    made = await alice.thread(members=members)
    for client in (bob, carol, guide):
        await client.post(f"{FEED}/read-all")
    return made


async def asking(author: Client, thread: Any, **wanted: Any) -> Any:
    return await author.say(thread, "Please read the new rules.", acknowledgement=wanted)


async def acknowledge(client: Client, message: Any) -> Answer:
    return await client.put(f"/api/v1/messages/{message['id']}/acknowledgement")


async def answers(client: Client, message: Any, **options: str) -> list[tuple[str, bool]]:
    found = await client.get(f"/api/v1/messages/{message['id']}/acknowledgements", **options)
    return [(each["user"]["name"], each["acknowledged_at"] is not None) for each in found.data]


async def feed(client: Client) -> Any:
    return (await client.get(FEED, unread="true")).data


async def waiting(client: Client) -> list[str]:
    return [message["id"] for message in (await client.get("/api/v1/acknowledgements")).data]


async def test_all_people_in_the_thread_are_asked(
    alice: Client, bob: Client, carol: Client, guide: Client, thread: Any
) -> None:
    message = await asking(alice, thread)
    assert message["acknowledgement"] == {"urgent": False, "user_ids": None, "asked": 2, "acknowledged": 0}
    for client in (bob, carol):
        (found,) = await feed(client)
        assert (found["kind"], found["message_id"]) == ("acknowledgement", message["id"])
        assert await waiting(client) == [message["id"]]
    assert await feed(guide) == await feed(alice) == []
    assert await answers(guide, message) == [("Bob", False), ("Carol", False)]


async def test_an_acknowledgement_counts_once_and_is_in_the_log(
    alice: Client, bob: Client, carol: Client, thread: Any
) -> None:
    message = await asking(alice, thread)
    first = await acknowledge(bob, message)
    assert first.status == 200
    assert {name: first.data[name] for name in ("message_id", "asked", "acknowledged")} == {
        "message_id": message["id"], "asked": 2, "acknowledged": 1
    }  # fmt: skip
    assert (await acknowledge(bob, message)).data == first.data
    assert await answers(carol, message) == [("Bob", True), ("Carol", False)]
    assert await answers(carol, message, status="waiting") == [("Carol", False)]
    assert await answers(carol, message, status="given") == [("Bob", True)]
    log = (await alice.get(f"/api/v1/threads/{thread['id']}/log", after=str(message["offset"]))).data
    assert [(entry["type"], entry["data"]) for entry in log] == [("message.acknowledged", first.data)]
    assert (await waiting(bob), await feed(bob)) == ([], [])
    assert await waiting(carol) == [message["id"]]
    shown = (await alice.get(f"/api/v1/messages/{message['id']}")).data["acknowledgement"]
    assert (shown["asked"], shown["acknowledged"]) == (2, 1)


async def test_only_who_is_asked_acknowledges(alice: Client, bob: Client, carol: Client, thread: Any) -> None:
    message = await asking(alice, thread, user_ids=[(await bob.me())["id"]])
    assert message["acknowledgement"]["user_ids"] == [(await bob.me())["id"]]
    for client in (alice, carol):
        assert (await acknowledge(client, message)).status == 403
    assert (await acknowledge(bob, await alice.say(thread))).status == 403, "one that asks for nothing"
    assert (await acknowledge(bob, message)).data["acknowledged"] == 1


async def test_a_former_member_is_asked_no_more(alice: Client, bob: Client, thread: Any) -> None:
    message = await asking(alice, thread, urgent=True)
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}")
    assert (await acknowledge(bob, message)).status == 404
    assert await waiting(bob) == []


@pytest.mark.parametrize("who", ["stranger", "guide", "alice"])
async def test_who_cannot_be_asked(server: Server, alice: Client, guide: Client, thread: Any, who: str) -> None:
    asked = {"stranger": server.client("dave"), "guide": guide, "alice": alice}[who]
    path = f"/api/v1/threads/{thread['id']}/messages"
    refused = await alice.post(path, content="x", acknowledgement={"user_ids": [(await asked.me())["id"]]})
    assert (refused.status, list(refused.error["errors"])) == (400, ["acknowledgement.user_ids"])
    assert (await alice.get(path)).data == []


async def test_nobody_to_ask_and_too_many(alice: Client, thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = await alice.thread()
    alone = await alice.post(f"/api/v1/threads/{own['id']}/messages", content="x", acknowledgement={})
    assert (alone.status, list(alone.error["errors"])) == (400, ["acknowledgement"])
    monkeypatch.setattr(limits, "ACKNOWLEDGEMENT_USERS", 1)
    many = await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="x", acknowledgement={})
    assert "at most 1 people" in many.error["errors"]["acknowledgement"][0]


async def test_what_is_streamed_cannot_ask(alice: Client, thread: Any) -> None:
    path = f"/api/v1/threads/{thread['id']}/messages"
    assert (await alice.post(path, status="STREAMING", acknowledgement={})).status == 400


async def test_asking_is_the_stronger_reason_than_a_mention(alice: Client, bob: Client, thread: Any) -> None:
    await alice.say(thread, "@bob, read this", acknowledgement={})
    assert [found["kind"] for found in await feed(bob)] == ["acknowledgement"]


async def test_a_deleted_message_asks_for_nothing(alice: Client, bob: Client, thread: Any) -> None:
    message = await asking(alice, thread)
    await acknowledge(bob, message)
    gone = (await alice.delete(f"/api/v1/messages/{message['id']}")).data
    assert "acknowledgement" not in gone
    assert (await waiting(bob), await answers(bob, message)) == ([], [])
    assert (await acknowledge(bob, message)).error["code"] == "message_deleted"


async def test_own_waiting_messages_come_page_by_page(alice: Client, bob: Client, thread: Any) -> None:
    messages = [(await asking(alice, thread))["id"] for _ in range(3)]
    first = await bob.get("/api/v1/acknowledgements", limit="2")
    rest = await bob.get("/api/v1/acknowledgements", cursor=first.metadata["pagination"]["next_cursor"])
    assert [message["id"] for message in (*first.data, *rest.data)] == messages[::-1]


# Urgent


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An urgent request is due again the moment it is made."""
    monkeypatch.setattr(limits, "URGENT_REPEAT_SECONDS", 0)


async def repeat(server: Server) -> int:
    return int((await server.services.write(RepeatUrgent())).result)


@pytest.mark.usefixtures("at_once")
async def test_urgent_ones_notify_again_who_has_not_acknowledged(
    server: Server, alice: Client, bob: Client, carol: Client, thread: Any
) -> None:
    message = await asking(alice, thread, urgent=True)
    await acknowledge(bob, message)
    (before,) = await feed(carol)
    await carol.post(f"{FEED}/{before['id']}/read")
    assert await repeat(server) == 1
    (again,) = await feed(carol)
    assert (again["kind"], again["message_id"]) == ("acknowledgement", message["id"])
    assert again["id"] != before["id"]
    assert (await carol.get(f"{FEED}/{before['id']}")).status == 404, "one takes the place of the other"
    assert await feed(bob) == []


@pytest.mark.usefixtures("at_once")
async def test_urgent_ones_rest_when_all_have_acknowledged(
    server: Server, alice: Client, bob: Client, carol: Client, thread: Any
) -> None:
    message = await asking(alice, thread, urgent=True)
    for client in (bob, carol):
        await acknowledge(client, message)
    assert await repeat(server) == 0


@pytest.mark.usefixtures("at_once")
async def test_urgent_ones_rest_after_some_repeats(server: Server, alice: Client, carol: Client, thread: Any) -> None:
    await asking(alice, thread, urgent=True)
    for _ in range(limits.URGENT_REPEATS):
        assert await repeat(server) == 1
    assert await repeat(server) == 0
    assert len(await feed(carol)) == 1


@pytest.mark.usefixtures("at_once")
async def test_a_closed_thread_and_a_muted_one_notify_nobody_again(
    server: Server, alice: Client, bob: Client, carol: Client, thread: Any
) -> None:
    await asking(alice, thread, urgent=True)
    path = f"/api/v1/threads/{thread['id']}"
    await carol.patch(f"{path}/members/{(await carol.me())['id']}", muted=True)
    await repeat(server)
    assert (await feed(carol), len(await feed(bob))) == ([], 1)
    await bob.post(f"{FEED}/read-all")
    await alice.patch(path, status="CLOSED")
    await repeat(server)
    assert await feed(bob) == []


async def test_urgent_ones_are_few(
    alice: Client, bob: Client, carol: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "URGENT_OPEN", 1)
    first = await asking(alice, thread, urgent=True)
    path = f"/api/v1/threads/{thread['id']}/messages"
    refused = await alice.post(path, content="x", acknowledgement={"urgent": True})
    assert refused.status == 409
    assert (await alice.post(path, content="x", acknowledgement={})).status == 201
    for client in (bob, carol):
        await acknowledge(client, first)
    assert (await alice.post(path, content="x", acknowledgement={"urgent": True})).status == 201


@pytest.mark.parametrize("urgent", [True, False])
async def test_urgent_ones_are_delivered_in_quiet_hours(
    server: Server, alice: Client, bob: Client, thread: Any, urgent: bool
) -> None:
    """An hour ago it became quiet for two hours."""
    start, end = (f"{datetime.now(UTC) + timedelta(hours=hours):%H:%M}" for hours in (-1, 1))
    await bob.patch("/api/v1/users/me/preferences", deliver=["web_push"], quiet_hours={"start": start, "end": end})
    await asking(alice, thread, urgent=urgent)
    with closing(sqlite3.connect(server.services.measured_files["database"], timeout=10)) as database:
        (row,) = database.execute("SELECT not_before <= created_at FROM outbox").fetchall()
    assert (row[0] == 1) is urgent
