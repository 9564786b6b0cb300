"""The log of a thread, as pages."""

from pathlib import Path

import pytest

from tests.server.operations.signing_in import sql
from tests.serving import Client


async def test_the_log_in_pages(alice: Client) -> None:
    thread = await alice.thread()
    for number in range(9):
        await alice.say(thread, str(number))
    path = f"/api/v1/threads/{thread['id']}/log"
    for limit in ("1", "4", "5", "10", "100"):
        offsets: list[int] = []
        after = "0"
        while after is not None:
            page = await alice.get(path, after=after, limit=limit)
            assert page.metadata["offset"] == 10
            assert page.metadata["epoch"]
            offsets += [event["offset"] for event in page.data]
            after = page.metadata["pagination"]["next_cursor"]
        assert offsets == list(range(1, 11)), limit
    assert (await alice.get(path, after="10")).data == []
    assert (await alice.get(path, after="10")).metadata["offset"] == 10


async def test_an_event(alice: Client) -> None:
    thread = await alice.thread()
    message = await alice.say(thread)
    (event,) = (await alice.get(f"/api/v1/threads/{thread['id']}/log", after="1")).data
    me = await alice.me()
    assert event == {
        "type": "message.created", "thread_id": thread["id"], "offset": 2, "time": message["created_at"],
        "actor": {"id": me["id"], "name": "Alice", "kind": "HUMAN"}, "data": message,
    }  # fmt: skip


async def test_an_event_of_a_newer_release_has_no_data(tmp_path: Path, alice: Client) -> None:
    """Before a rollback a newer release was at work on this database."""
    thread = await alice.thread()
    await alice.say(thread)
    sql(tmp_path / "data", "UPDATE event SET type = 'thread.moved' WHERE \"offset\" = 1")
    found = (await alice.get(f"/api/v1/threads/{thread['id']}/log")).data
    assert [(event["type"], event["data"] == {}) for event in found] == [
        ("thread.moved", True), ("message.created", False),
    ]  # fmt: skip


async def test_nor_has_one_in_the_log_of_a_user(tmp_path: Path, alice: Client, bob: Client) -> None:
    await alice.say(await alice.thread(members=[{"user_id": (await bob.me())["id"]}]), "@bob")
    log = "/api/v1/users/me/log"
    before = (await bob.get(log)).data
    sql(tmp_path / "data", "UPDATE user_event SET type = 'thread.blessed' WHERE \"offset\" = 1")
    assert (await bob.get(log)).data == [before[0] | {"type": "thread.blessed", "data": {}}, *before[1:]]


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", str(2**53 + 1), "9" * 40])
async def test_what_is_no_offset(alice: Client, after: str) -> None:
    thread = await alice.thread()
    assert (await alice.get(f"/api/v1/threads/{thread['id']}/log", after=after)).status == 400


async def test_nothing_personal_is_in_it(alice: Client, bob: Client, root: Client) -> None:
    """What all share is the same for all."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    message = await alice.say(thread)
    await bob.put(f"/api/v1/messages/{message['id']}/reactions/👍")
    await alice.patch(f"/api/v1/threads/{thread['id']}", title="Another")
    logs = [(await client.get(f"/api/v1/threads/{thread['id']}/log")) for client in (alice, bob, root)]
    assert logs[0].data == logs[1].data == logs[2].data
    for personal in (b"reacted_by_me", b"membership", b"memory", b"unread_count", b"email"):
        assert personal not in logs[0].raw


async def test_what_changes_nothing_is_not_in_it(alice: Client) -> None:
    thread = await alice.thread()
    message = await alice.say(thread)
    path = f"/api/v1/threads/{thread['id']}"
    me = (await alice.me())["id"]
    await alice.patch(path, title=thread["title"])
    await alice.patch(f"/api/v1/messages/{message['id']}", content=message["content"])
    await alice.post(f"{path}/read")
    await alice.patch(f"{path}/members/{me}", muted=False, role="OWNER")
    await alice.delete(f"/api/v1/messages/{message['id']}/reactions/👍")
    await alice.delete(f"{path}/members/{me}")
    await alice.post(f"{path}/messages", content="")
    log = (await alice.get(f"{path}/log")).data
    assert [event["type"] for event in log] == ["thread.created", "message.created"]
