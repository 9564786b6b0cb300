"""Threads: made, found, changed, closed, deleted."""

import asyncio
from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from tests.serving import Client, Server


async def test_everything_a_thread_shows(alice: Client) -> None:
    made = await alice.post("/api/v1/threads", title="  Plans  ", metadata={"colour": "red"})
    assert made.status == 201
    thread = made.data
    path = f"/api/v1/threads/{thread['id']}"
    assert made.headers["Location"] == path
    me = await alice.me()
    assert thread == {
        "id": thread["id"], "title": "Plans", "status": "ACTIVE", "metadata": {"colour": "red"}, "memory": {},
        "memory_version": 1, "control": "shared", "while_streaming": "parallel",
        "creator": {"id": me["id"], "name": "Alice", "kind": "HUMAN", "avatar_url": None}, "message_count": 0,
        "offset": 1, "last_message": None, "version": 1, "created_at": thread["created_at"],
        "updated_at": thread["created_at"], "deleted_at": None,
        "membership": {
            "role": "OWNER", "last_read_offset": 0, "unread_count": 0, "mention_count": 0, "muted": False,
        },
    }  # fmt: skip
    assert (await alice.get(path)).data == thread
    assert (await alice.get("/api/v1/threads")).data == [thread]


async def test_a_threads_life(alice: Client, bob: Client) -> None:
    thread = await alice.thread(metadata={"colour": "red"})
    path = f"/api/v1/threads/{thread['id']}"
    changed = (await alice.patch(path, title="Plan B", status="ARCHIVED")).data
    assert (changed["title"], changed["status"], changed["version"]) == ("Plan B", "ARCHIVED", 2)
    assert changed["metadata"] == {"colour": "red"}
    assert (await alice.patch(path, title="Plan B", status="ARCHIVED")).data == changed, "no change, no version"
    assert (await alice.put(path, metadata={})).data["metadata"] == {}
    assert [t["id"] for t in (await alice.get("/api/v1/threads", status="ARCHIVED")).data] == [thread["id"]]
    assert (await alice.get("/api/v1/threads", status="ACTIVE")).data == []
    assert (await bob.get("/api/v1/threads")).data == []
    assert (await alice.delete(path)).data == {"id": thread["id"], "deleted": True}


async def test_a_deleted_thread_is_gone_with_all_that_was_in_it(alice: Client, bob: Client, root: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    message = await alice.say(thread)
    path, of_message = f"/api/v1/threads/{thread['id']}", f"/api/v1/messages/{message['id']}"
    await alice.delete(path)
    for client in (alice, bob, root):
        for gone in (path, f"{path}/messages", f"{path}/members", f"{path}/members/{bob_id}", f"{path}/log",
                     f"{path}/events", of_message, f"{of_message}/history", f"{of_message}/reactions"):  # fmt: skip
            assert (await client.get(gone)).status == 404, gone
        for method, gone, body in (
            ("DELETE", path, None), ("PATCH", path, {"title": "x"}), ("POST", f"{path}/messages", {"content": "x"}),
            ("POST", f"{path}/read", {}), ("POST", f"{path}/members", {"user_id": bob_id}),
            ("PATCH", of_message, {"content": "x"}), ("DELETE", of_message, None),
            ("POST", f"{of_message}/reactions", {"emoji": "👍"}),
        ):  # fmt: skip
            assert (await client.request(method, gone, json=body)).status == 404, gone
        assert (await client.get("/api/v1/threads")).data == []
    assert (await root.get("/api/v1/threads", all="true")).data == []


async def test_who_may_change_a_thread(alice: Client, bob: Client, root: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}"
    assert (await bob.patch(path, title="Mine")).error["code"] == "forbidden"
    assert (await bob.delete(path)).error["code"] == "forbidden"
    assert (await root.patch(path, title="Moderated")).data["membership"] is None
    assert (await bob.get(path)).data["title"] == "Moderated"
    assert (await root.post(f"{path}/messages", content="x")).error["code"] == "not_a_writer"
    assert (await root.get(f"{path}/messages")).status == 200
    assert (await root.delete(path)).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": " \t\u00a0"}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"title": "a\u0000b"}, "title"),
        ({"title": "x", "id": "y"}, "id"),
        ({"title": "x", "status": "CLOSED"}, "status"),
        ({"title": "x", "metadata": [1]}, "metadata"),
        ({"title": "x", "members": None}, "members"),
        ({"title": "x", "members": {}}, "members"),
        ({"title": "x", "members": ["y"]}, "members.0"),
        ({"title": "x", "members": [{}]}, "members.0.user_id"),
        ({"title": "x", "members": [{"user_id": "y"}]}, "members.0.user_id"),
        ({"title": "x", "members": [{"user_id": "c" + "a" * 24, "role": "BOSS"}]}, "members.0.role"),
        ({"title": "x", "members": [{"user_id": "c" + "a" * 24, "muted": True}]}, "members.0.muted"),
        ({"title": "x", "members": [{"user_id": "c" + "a" * 24}] * 101}, "members"),
    ],
)
async def test_what_a_thread_may_not_be(alice: Client, body: dict[str, Any], field: str) -> None:
    refused = await alice.post("/api/v1/threads", **body)
    assert refused.status == 400
    assert refused.error["errors"].keys() == {field}
    assert (await alice.get("/api/v1/threads")).data == []


async def test_the_longest_title(alice: Client) -> None:
    assert (await alice.thread("é" * 255))["title"] == "é" * 255


async def test_with_members_from_the_start(server: Server, alice: Client, bob: Client) -> None:
    alice_id, bob_id = [(await who.me())["id"] for who in (alice, bob)]
    members = [
        {"user_id": bob_id, "role": "VIEWER"}, {"user_id": bob_id, "role": "OWNER"},
        {"user_id": alice_id, "role": "VIEWER"},
    ]  # fmt: skip
    thread = await alice.thread(members=members)
    listed = (await bob.get(f"/api/v1/threads/{thread['id']}/members")).data
    assert [(m["user"]["id"], m["role"]) for m in listed] == [(alice_id, "OWNER"), (bob_id, "OWNER")]
    log = (await bob.get(f"/api/v1/threads/{thread['id']}/log")).data
    assert [event["type"] for event in log] == ["thread.created", "member.added"]
    unknown = await alice.post("/api/v1/threads", title="x", members=[{"user_id": new_id()}])
    assert unknown.status == 404
    assert len((await alice.get("/api/v1/threads")).data) == 1, "all of it or nothing"


async def test_an_id_of_the_client(alice: Client, bob: Client) -> None:
    mine = new_id()
    assert (await alice.get(f"/api/v1/threads/{mine}")).status == 404
    assert (await alice.post(f"/api/v1/threads/{mine}/messages", content="too early")).status == 404
    answers = await asyncio.gather(*(client.post("/api/v1/threads", title="x", id=mine) for client in (alice, bob) * 5))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    assert {answer.error["code"] for answer in answers if answer.status == 409} == {"id_taken"}
    owner = alice if (await alice.get("/api/v1/threads")).data else bob
    assert (await owner.say(mine))["offset"] == 2


async def test_a_closed_thread(alice: Client, bob: Client, root: Client) -> None:
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    message = await bob.say(thread)
    path, of_message = f"/api/v1/threads/{thread['id']}", f"/api/v1/messages/{message['id']}"
    assert (await alice.patch(path, status="CLOSED")).data["status"] == "CLOSED"
    for client in (alice, bob):
        refused = await client.post(f"{path}/messages", content="x")
        assert (refused.status, refused.error["code"]) == (409, "thread_closed")
    assert (await bob.patch(of_message, content="y")).error["code"] == "thread_closed"
    assert (await bob.put(f"{of_message}/reactions/👍")).error["code"] == "thread_closed"
    assert (await bob.get(f"{path}/messages")).data == [message], "reading goes on"
    assert (await bob.post(f"{path}/read")).status == 200
    assert (await alice.patch(f"{path}/members/{bob_id}", role="OWNER")).status == 200
    assert (await bob.patch(path, status="ACTIVE")).status == 200
    assert (await bob.post(f"{path}/messages", content="x")).status == 201


async def test_an_archived_thread_is_only_out_of_the_way(alice: Client) -> None:
    thread = await alice.thread()
    await alice.patch(f"/api/v1/threads/{thread['id']}", status="ARCHIVED")
    assert (await alice.say(thread))["offset"] == 3
    for status in ("archived", "", "DELETED"):
        assert (await alice.get("/api/v1/threads", status=status)).status == 400


async def test_too_many_writes_at_once(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    await alice.say(thread)
    for name in ("COMMANDS_PER_THREAD", "COMMANDS_IN_ALL"):
        with monkeypatch.context() as patch:
            patch.setattr(limits, name, 0)
            refused = await alice.post(path, content="x")
        assert (refused.status, refused.error["code"], refused.error["retryable"]) == (503, "overloaded", True)
        assert int(refused.headers["Retry-After"]) >= 1
    assert (await alice.post(path, content="x")).status == 201
