"""Threads, members, read markers and the log."""

import pytest

from tests.serving import Client, Server


async def test_a_threads_life(alice: Client, bob: Client) -> None:
    made = await alice.post("/api/v1/threads", title="  Plans  ", metadata={"colour": "red"})
    assert made.status == 201
    thread = made.data
    path = f"/api/v1/threads/{thread['id']}"
    assert made.headers["Location"] == path
    assert (thread["title"], thread["status"], thread["offset"]) == ("Plans", "ACTIVE", 1)
    assert thread["membership"] == {"role": "OWNER", "last_read_offset": 0, "unread_count": 0, "muted": False}
    changed = await alice.patch(path, {"If-Match": made.headers["ETag"]}, title="Plan B", status="ARCHIVED")
    assert (changed.data["title"], changed.data["status"], changed.data["version"]) == ("Plan B", "ARCHIVED", 2)
    assert changed.data["metadata"] == {"colour": "red"}
    assert (await alice.patch(path, {"If-Match": made.headers["ETag"]}, title="C")).status == 412
    assert (await alice.patch(path, {"If-Match": "nonsense"}, title="C")).status == 400
    assert (await alice.patch(path, {"If-Match": "*"}, title="C")).data["title"] == "C"
    assert [t["id"] for t in (await alice.get("/api/v1/threads", status="ARCHIVED")).data] == [thread["id"]]
    assert (await alice.get("/api/v1/threads", status="ACTIVE")).data == []
    assert (await bob.get("/api/v1/threads")).data == []
    assert (await alice.delete(path)).data == {"id": thread["id"], "deleted": True}
    for gone in (path, f"{path}/messages", f"{path}/members", f"{path}/log", f"{path}/events"):
        assert (await alice.get(gone)).status == 404
    assert (await alice.delete(path)).status == 404


async def test_threads_by_last_activity(alice: Client, root: Client) -> None:
    threads = [await alice.thread(str(n)) for n in range(5)]
    await alice.say(threads[1])
    expected = [threads[n]["id"] for n in (1, 4, 3, 2, 0)]
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await alice.get("/api/v1/threads", limit="2", **cursor)
        found += [thread["id"] for thread in page.data]
        if not page.metadata["pagination"]["has_more"]:
            break
        cursor = {"cursor": page.metadata["pagination"]["next_cursor"]}
    assert found == expected
    assert (await root.get("/api/v1/threads")).data == []
    assert [t["id"] for t in (await root.get("/api/v1/threads", all="true")).data] == expected
    assert (await alice.get("/api/v1/threads", all="true")).status == 403
    assert (await alice.get("/api/v1/threads", cursor="x")).status == 422


async def test_what_is_unread(alice: Client, bob: Client) -> None:
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}"
    said = [await alice.say(thread, str(n)) for n in range(3)]
    assert await _unread(bob, path) == 3
    assert await _unread(alice, path) == 0, "what one writes one has read"
    marked = await bob.post(f"{path}/read", offset=said[1]["offset"])
    assert marked.data["last_read_offset"] == said[1]["offset"]
    assert await _unread(bob, path) == 1
    await bob.post(f"{path}/read", offset=said[0]["offset"])
    assert await _unread(bob, path) == 1, "a marker never moves back"
    await bob.post(f"{path}/read")
    assert await _unread(bob, path) == 0
    assert (await bob.post(f"{path}/read", offset=-1)).status == 422


async def _unread(client: Client, path: str) -> int:
    return int((await client.get(path)).data["membership"]["unread_count"])


async def test_members_and_their_roles(server: Server, alice: Client, bob: Client, root: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}"
    (alice_id, bob_id) = [(await who.me())["id"] for who in (alice, bob)]
    added = await alice.post(f"{path}/members", user_id=bob_id, role="VIEWER")
    assert (added.status, added.data["role"]) == (201, "VIEWER")
    assert (await alice.post(f"{path}/members", user_id=bob_id)).error["code"] == "already_member"
    assert (await alice.post(f"{path}/members", user_id="c" + "a" * 24)).status == 404
    assert (await bob.post(f"{path}/messages", content="x")).error["code"] == "not_a_writer"
    assert (await bob.patch(f"{path}/members/{bob_id}", role="OWNER")).status == 403
    assert (await bob.patch(f"{path}/members/{bob_id}", muted=True)).data["muted"] is True
    assert (await alice.patch(f"{path}/members/{bob_id}", role="MEMBER")).data["role"] == "MEMBER"
    assert (await bob.post(f"{path}/messages", content="x")).status == 201
    assert [m["user"]["id"] for m in (await bob.get(f"{path}/members")).data] == [alice_id, bob_id]
    assert (await bob.get(f"{path}/members/{bob_id}")).data["muted"] is True
    assert (await bob.delete(f"{path}/members/{alice_id}")).status == 403
    assert (await alice.delete(f"{path}/members/{alice_id}")).error["code"] == "last_owner"
    assert (await alice.patch(f"{path}/members/{alice_id}", role="MEMBER")).error["code"] == "last_owner"
    assert (await bob.delete(f"{path}/members/{bob_id}")).status == 200
    assert (await bob.get(path)).status == 404
    assert (await root.get(path)).status == 200, "admins see every thread"
    assert (await root.post(f"{path}/messages", content="x")).status == 403, "but write only where they are members"


async def test_a_closed_thread(alice: Client) -> None:
    thread = await alice.thread()
    message = await alice.say(thread)
    path = f"/api/v1/threads/{thread['id']}"
    await alice.patch(path, status="CLOSED")
    refused = await alice.post(f"{path}/messages", content="x")
    assert (refused.status, refused.error["code"]) == (409, "thread_closed")
    assert (await alice.patch(f"/api/v1/messages/{message['id']}", content="y")).error["code"] == "thread_closed"
    await alice.patch(path, status="ACTIVE")
    assert (await alice.post(f"{path}/messages", content="x")).status == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "   "},
        {"title": "x" * 256},
        {"title": 5},
        {"title": None},
        {"title": "x", "id": "y"},
    ],
)
async def test_what_a_thread_may_not_be(alice: Client, body: dict[str, object]) -> None:
    assert (await alice.post("/api/v1/threads", **body)).status == 422


async def test_the_log_in_pages(alice: Client) -> None:
    thread = await alice.thread()
    for number in range(9):
        await alice.say(thread, str(number))
    path = f"/api/v1/threads/{thread['id']}/log"
    offsets: list[int] = []
    after = "0"
    while True:
        page = await alice.get(path, after=after, limit="4")
        assert page.metadata["offset"] == 10
        offsets += [event["offset"] for event in page.data]
        cursor = page.metadata["pagination"]["next_cursor"]
        if cursor is None:
            break
        after = cursor
    assert offsets == list(range(1, 11))
    assert (await alice.get(path, after="10")).data == []
    assert (await alice.get(path, after="-1")).status == 422
    event = (await alice.get(path, after="1", limit="1")).data[0]
    assert (event["type"], event["thread_id"], event["data"]["content"]) == ("message.created", thread["id"], "0")
    assert event["actor"]["name"] == "Alice"
