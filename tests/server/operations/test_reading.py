"""What one has read, and what not; what others may know of it."""

from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from actors.resources.users import EraseContent
from tests.realtime_client import raw_client
from tests.serving import Client, Server

Counts = tuple[int, int]


@pytest.fixture
async def carol(server: Server) -> Client:
    client = server.client("carol")
    await client.me()
    return client


@pytest.fixture
async def thread(alice: Client, bob: Client, carol: Client) -> Any:
    return await alice.thread(members=[{"user_id": (await who.me())["id"]} for who in (bob, carol)])


async def unread(client: Client, thread: Any) -> Counts:
    """(messages, mentions), as the list of all says, and the thread itself."""
    told = (await client.get("/api/v1/unread")).data
    counts = {each["thread_id"]: (each["messages"], each["mentions"]) for each in told["by_thread"]}
    assert told["threads"] == len(counts)
    assert (told["messages"], told["mentions"]) == tuple(map(sum, zip(*counts.values(), strict=True))) or not counts
    found = counts.get(thread["id"], (0, 0))
    membership = (await client.get(f"/api/v1/threads/{thread['id']}")).data["membership"]
    assert membership["unread_count"] == found[0]
    assert membership["mention_count"] == found[1]
    return found


async def read(client: Client, thread: Any, **body: Any) -> Any:
    return (await client.post(f"/api/v1/threads/{thread['id']}/read", **body)).data


async def readers(client: Client, thread: Any, **query: str) -> list[str]:
    return [m["user"]["name"] for m in (await client.get(f"/api/v1/threads/{thread['id']}/readers", **query)).data]


# One's own marker


async def test_what_others_write_is_unread_until_it_is_read(alice: Client, bob: Client, thread: Any) -> None:
    assert await unread(bob, thread) == (0, 0)
    messages = [await alice.say(thread, text) for text in ("a", "@bob", "b", "@bob")]
    assert (await unread(bob, thread), await unread(alice, thread)) == ((4, 2), (0, 0))
    member = await read(bob, thread, offset=messages[1]["offset"])
    assert member["last_read_offset"] == messages[1]["offset"]
    assert await unread(bob, thread) == (2, 1)
    await read(bob, thread)
    assert await unread(bob, thread) == (0, 0)
    assert await read(bob, thread, offset=1) == (await read(bob, thread)), "it never moves back"


async def test_whoever_writes_has_read(alice: Client, bob: Client, thread: Any) -> None:
    await alice.say(thread, "@bob")
    await bob.say(thread)
    assert await unread(bob, thread) == (0, 0)


async def test_the_sums_are_of_all_threads(alice: Client, bob: Client, thread: Any) -> None:
    other = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    await alice.say(thread)
    for _ in range(2):
        await alice.say(other, "@bob")
    told = (await bob.get("/api/v1/unread")).data
    assert told == {
        "threads": 2, "messages": 3, "mentions": 2, "muted": {"threads": 0, "messages": 0, "mentions": 0},
        "by_thread": [
            {"thread_id": other["id"], "messages": 2, "mentions": 2, "muted": False},
            {"thread_id": thread["id"], "messages": 1, "mentions": 0, "muted": False},
        ],
    }  # fmt: skip
    await alice.delete(f"/api/v1/threads/{other['id']}")
    assert (await bob.get("/api/v1/unread")).data["messages"] == 1


async def test_what_is_in_muted_threads_is_told_apart(alice: Client, bob: Client, thread: Any) -> None:
    other = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    for where, text in ((thread, "@bob"), (thread, "b"), (other, "@bob"), (other, "b"), (other, "c")):
        await alice.say(where, text)
    me = f"/api/v1/threads/{other['id']}/members/{(await bob.me())['id']}"
    await bob.patch(me, muted=True)
    told = (await bob.get("/api/v1/unread")).data
    assert (told["threads"], told["messages"], told["mentions"]) == (2, 5, 2)
    assert told["muted"] == {"threads": 1, "messages": 3, "mentions": 1}
    assert {each["thread_id"]: each["muted"] for each in told["by_thread"]} == {thread["id"]: False, other["id"]: True}
    await bob.patch(me, muted=False)
    assert (await bob.get("/api/v1/unread")).data["muted"] == {"threads": 0, "messages": 0, "mentions": 0}


async def _by_author(alice: Client, root: Client, message: Any) -> None:
    await alice.delete(f"/api/v1/messages/{message['id']}")


async def _by_admin(alice: Client, root: Client, message: Any) -> None:
    await root.delete(f"/api/v1/messages/{message['id']}")


async def _while_streamed(alice: Client, root: Client, message: Any) -> None:
    opened = await alice.say(message["thread_id"], "", status="STREAMING")
    for each in (opened, message):
        await alice.delete(f"/api/v1/messages/{each['id']}")


@pytest.mark.parametrize("ends", [_by_author, _by_admin, _while_streamed])
async def test_what_is_deleted_is_not_unread(
    alice: Client, bob: Client, carol: Client, root: Client, thread: Any, ends: Any
) -> None:
    first, second = [await alice.say(thread, f"@bob {n}") for n in range(2)]
    await read(carol, thread, offset=first["offset"])
    await ends(alice, root, first)
    assert (await unread(bob, thread), await unread(carol, thread)) == ((1, 1), (1, 0))
    await ends(alice, root, second)
    assert (await unread(bob, thread), await unread(carol, thread)) == ((0, 0), (0, 0))
    await bob.post(f"/api/v1/threads/{thread['id']}/unread", offset=0)
    assert await unread(bob, thread) == (0, 0), "the marker moves back over what is gone"
    listed = (await bob.get("/api/v1/threads")).data
    assert [each["membership"]["unread_count"] for each in listed] == [0]


async def test_what_an_erased_author_wrote_is_not_unread(
    server: Server, alice: Client, bob: Client, root: Client, thread: Any
) -> None:
    dave = server.client("dave")
    dave_id = (await dave.me())["id"]
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=dave_id)
    for text in ("@bob", "b"):
        await dave.say(thread, text)
    await alice.say(thread)
    assert await unread(bob, thread) == (3, 1)
    assert (await root.delete(f"/api/v1/users/{dave_id}?content=remove")).status == 200
    await server.services.write(EraseContent())
    assert await unread(bob, thread) == (1, 0)


async def test_ones_own_are_never_unread(alice: Client, bob: Client, thread: Any) -> None:
    path = f"/api/v1/threads/{thread['id']}"
    await alice.say(thread)
    mine = [await bob.say(thread) for _ in range(3)]
    last = await alice.say(thread)
    for offset, count in ((mine[2]["offset"], 1), (mine[0]["offset"], 1), (0, 2)):
        await bob.post(f"{path}/unread", offset=offset)
        assert await unread(bob, thread) == (count, 0)
    await read(bob, thread, offset=mine[1]["offset"])
    assert await unread(bob, thread) == (1, 0)
    await bob.delete(f"/api/v1/messages/{mine[2]['id']}")
    assert await unread(bob, thread) == (1, 0), "it was not counted before"
    await bob.post(f"{path}/unread", offset=0)
    await bob.delete(f"/api/v1/messages/{mine[0]['id']}")
    assert await unread(bob, thread) == (2, 0)
    await bob.say(thread)
    assert await unread(bob, thread) == (0, 0), "to write is to read"
    await bob.post(f"{path}/unread", offset=last["offset"])
    await read(bob, thread)
    assert await unread(bob, thread) == (0, 0)


async def test_a_marker_moves_back_so_far_and_no_further(
    alice: Client, bob: Client, thread: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNREAD_REACH", 3)
    messages = [await (bob if n == 3 else alice).say(thread) for n in range(5)]
    member = (await bob.post(f"/api/v1/threads/{thread['id']}/unread", offset=0)).data
    assert member["last_read_offset"] == messages[1]["offset"]
    assert await unread(bob, thread) == (2, 0)


async def test_seen_mentions_are_none_though_their_messages_are_unread(alice: Client, bob: Client, thread: Any) -> None:
    await alice.say(thread, "@bob")
    await bob.post("/api/v1/notifications/read-all")
    assert await unread(bob, thread) == (1, 0)


async def test_marking_unread_moves_the_marker_back(alice: Client, bob: Client, thread: Any) -> None:
    messages = [await alice.say(thread) for _ in range(3)]
    await alice.patch(f"/api/v1/messages/{messages[0]['id']}", content="edited")  # an entry that is no message
    path = f"/api/v1/threads/{thread['id']}/unread"
    await read(bob, thread)
    for offset, marker, count in (
        (messages[2]["offset"] + 5, 2, 0),
        (messages[1]["offset"], 0, 2),
        (messages[2]["offset"], 0, 2),
        (0, None, 3),
    ):
        member = (await bob.post(path, offset=offset)).data
        assert member["last_read_offset"] == (0 if marker is None else messages[marker]["offset"])
        assert await unread(bob, thread) == (count, 0)
    await read(bob, thread, offset=messages[0]["offset"])
    assert await unread(bob, thread) == (2, 0), "and on again from there"


@pytest.mark.parametrize("body", [{}, {"offset": -1}, {"offset": "1"}, {"offset": None}, {"offset": 1, "x": 1}])
async def test_unread_from_where_must_be_said(bob: Client, thread: Any, body: dict[str, Any]) -> None:
    assert (await bob.post(f"/api/v1/threads/{thread['id']}/unread", **body)).status == 400


async def test_only_members_have_markers(bob: Client, root: Client, alice: Client) -> None:
    thread = await alice.thread()
    for client in (bob, root):
        assert (await client.post(f"/api/v1/threads/{thread['id']}/unread", offset=0)).status == 404
    assert (await bob.get(f"/api/v1/threads/{thread['id']}/readers")).status == 404


# Who has read


async def test_who_has_read_a_message(alice: Client, bob: Client, carol: Client, thread: Any) -> None:
    first, second = await alice.say(thread), await alice.say(thread)
    assert await readers(alice, thread) == ["Alice"]
    await read(bob, thread)
    await read(carol, thread, offset=first["offset"])
    assert await readers(alice, thread) == ["Alice", "Bob"]
    assert await readers(carol, thread, message_id=first["id"]) == ["Alice", "Bob", "Carol"]
    page = await alice.get(f"/api/v1/threads/{thread['id']}/readers", message_id=first["id"], limit="2")
    cursor = page.metadata["pagination"]["next_cursor"]
    assert await readers(alice, thread, message_id=first["id"], cursor=cursor) == ["Carol"]
    for unknown in (new_id(), (await alice.say(await alice.thread()))["id"]):
        answer = await alice.get(f"/api/v1/threads/{thread['id']}/readers", message_id=unknown)
        assert answer.status == 404
    assert second["offset"] > first["offset"]


async def _opt_out(client: Client) -> None:
    assert (await client.patch("/api/v1/users/me/preferences", show_read=False)).status == 200


async def test_who_does_not_show_it_is_no_reader_to_others(
    alice: Client, bob: Client, carol: Client, root: Client, thread: Any
) -> None:
    await _opt_out(bob)
    message = await alice.say(thread)
    for client in (bob, carol):
        await read(client, thread)
    for client in (alice, carol, root):
        assert await readers(client, thread) == ["Alice", "Carol"]
    assert await readers(bob, thread) == ["Alice", "Bob", "Carol"], "oneself knows"
    await bob.patch("/api/v1/users/me/preferences", show_read=True)
    assert await readers(alice, thread, message_id=message["id"]) == ["Alice", "Bob", "Carol"]


async def test_no_answer_and_no_entry_tells_how_far_they_have_read(
    alice: Client, bob: Client, root: Client, thread: Any
) -> None:
    await _opt_out(bob)
    await alice.say(thread)
    at = (await read(bob, thread))["last_read_offset"]
    bob_id = (await bob.me())["id"]
    path = f"/api/v1/threads/{thread['id']}/members"
    retry = {"Idempotency-Key": "one"}
    for client in (alice, root):
        told = [
            (await client.get(f"{path}/{bob_id}")).data,
            next(m for m in (await client.get(path)).data if m["user"]["id"] == bob_id),
            (await client.patch(f"{path}/{bob_id}", role="VIEWER")).data,
            (await client.patch(f"{path}/{bob_id}", role="VIEWER")).data,
            (await client.patch(f"{path}/{bob_id}", headers=retry, role="MEMBER")).data,
            (await client.patch(f"{path}/{bob_id}", headers=retry, role="MEMBER")).data,
        ]
        assert [member["last_read_offset"] for member in told] == [0] * len(told)
    log = (await alice.get(f"/api/v1/threads/{thread['id']}/log", limit="100")).data
    of_bob = [event["data"] for event in log if event["data"].get("user", {}).get("id") == bob_id]
    assert {data["last_read_offset"] for data in of_bob} == {0}
    assert "read.updated" not in {event["type"] for event in log}
    for answer in (await bob.get(f"{path}/{bob_id}"), await bob.post(f"/api/v1/threads/{thread['id']}/read")):
        assert answer.data["last_read_offset"] == at > 0, "to oneself"


async def test_nobody_who_listens_learns_that_they_have_read(
    server: Server, alice: Client, bob: Client, thread: Any
) -> None:
    """What is pushed after it comes next, and the log has no hole."""
    await _opt_out(bob)
    await alice.say(thread)
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        client.ignores_own = True
        start = (await client.subscribe(thread["id"]))["offset"]
        await read(bob, thread)
        await bob.patch(f"/api/v1/threads/{thread['id']}/members/{(await bob.me())['id']}", muted=True)
        await alice.say(thread, "after")
        pushed = await client.publications(2)
    assert [(p["offset"], p["data"]["type"]) for p in pushed] == [
        (start + 1, "member.updated"), (start + 2, "message.created"),
    ]  # fmt: skip
    assert pushed[0]["data"]["data"]["last_read_offset"] == 0


async def test_those_who_show_it_are_told_of(server: Server, alice: Client, bob: Client, thread: Any) -> None:
    message = await alice.say(thread)
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        client.ignores_own = True
        await client.subscribe(thread["id"])
        await read(bob, thread)
        (pushed,) = await client.publications(1)
    assert pushed["data"]["type"] == "read.updated"
    assert pushed["data"]["data"]["last_read_offset"] == message["offset"]


async def test_no_more_than_a_hundred_threads_are_told_one_by_one(alice: Client, bob: Client) -> None:
    bob_id = (await bob.me())["id"]
    for n in range(limits.UNREAD_THREADS + 2):
        thread = await alice.thread(members=[{"user_id": bob_id}])
        await alice.say(thread, "@bob" if n == 0 else "hello")
    told = (await bob.get("/api/v1/unread")).data
    assert (told["threads"], told["messages"], told["mentions"]) == (n + 1, n + 1, 1)
    assert len(told["by_thread"]) == limits.UNREAD_THREADS
    assert told["by_thread"][0]["mentions"] == 1
