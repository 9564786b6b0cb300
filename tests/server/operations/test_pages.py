"""Pages of messages both ways and around one; and of all lists while others write."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.serving import Client, Server


async def messages(client: Client, path: str, **query: str) -> list[str]:
    return [message["id"] for message in (await client.get(path, **query)).data]


async def walk(client: Client, path: str, **query: str) -> list[Any]:
    found: list[Any] = []
    while True:
        page = await client.get(path, **query)
        found += page.data
        cursor = page.metadata["pagination"]["next_cursor"]
        if cursor is None:
            return found
        query = {name: value for name, value in query.items() if name in ("limit", "all")} | {"cursor": cursor}


def ids(items: Sequence[Any]) -> list[str]:
    return [item["id"] for item in items]


async def test_pages_both_ways_hold_everything_once(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    said = [(await alice.say(thread, str(n)))["id"] for n in range(25)]
    for limit in ("1", "7", "25", "26"):
        assert ids(await walk(alice, path, limit=limit)) == said[::-1]
        assert ids(await walk(alice, path, limit=limit, after="0")) == said
        assert ids(await walk(alice, path, limit=limit, before=said[20])) == said[:20][::-1]
        assert ids(await walk(alice, path, limit=limit, after=said[4])) == said[5:]


async def test_bounds_are_ids_or_offsets(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    said = [await alice.say(thread, str(n)) for n in range(9)]
    names = ids(said)
    for bound in (said[4]["id"], str(said[4]["offset"])):
        assert await messages(alice, path, before=bound, limit="3") == names[1:4][::-1]
        assert await messages(alice, path, after=bound, limit="3") == names[5:8]
        assert await messages(alice, path, around=bound, limit="5") == names[2:7][::-1]
        assert await messages(alice, path, around=bound, limit="1") == [names[4]]
        assert await messages(alice, path, around=bound) == names[::-1]
    assert await messages(alice, path, around=names[0], limit="3") == names[:2][::-1]
    assert await messages(alice, path, around=names[-1], limit="3") == names[-3:][::-1]
    assert await messages(alice, path, before="999999999999999999") == names[::-1]
    assert await messages(alice, path, after="999999999999999999") == []
    assert await messages(alice, path, before="1") == []


async def test_an_offset_between_messages(alice: Client) -> None:
    """Not every entry of the log is a message."""
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}"
    first = await alice.say(thread)
    await alice.patch(path, title="Another")
    second = await alice.say(thread)
    between = str(first["offset"] + 1)
    assert await messages(alice, f"{path}/messages", before=between) == [first["id"]]
    assert await messages(alice, f"{path}/messages", after=between) == [second["id"]]
    assert await messages(alice, f"{path}/messages", around=between) == [second["id"], first["id"]]


async def test_deleted_messages_keep_their_place(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}/messages"
    said = [(await alice.say(thread, str(n)))["id"] for n in range(5)]
    await alice.delete(f"/api/v1/messages/{said[2]}")
    assert ids(await walk(alice, path, limit="2")) == said[::-1]
    assert await messages(alice, path, around=said[2], limit="3") == said[1:4][::-1]


@pytest.mark.parametrize(
    "query",
    [
        {"before": "1", "after": "2"},
        {"before": "1", "around": "2"},
        {"after": "0", "cursor": "before:5"},
        {"before": "-1"},
        {"after": "x"},
        {"around": ""},
        {"before": "1" * 19},
        {"after": "٣"},
        {"around": "c" + "A" * 24},
        {"before": "1\n"},
    ],
)
async def test_what_a_bound_may_not_be(alice: Client, query: dict[str, str]) -> None:
    thread = await alice.thread()
    assert (await alice.get(f"/api/v1/threads/{thread['id']}/messages", **query)).status == 400


async def test_a_bound_of_another_thread(alice: Client, bob: Client) -> None:
    """Whether a message is in a thread that one may not see is not told, either."""
    mine, theirs = await alice.thread(), await bob.thread()
    foreign = (await bob.say(theirs))["id"]
    path = f"/api/v1/threads/{mine['id']}/messages"
    for name in ("before", "after", "around"):
        answers = [await alice.get(path, **{name: bound}) for bound in (foreign, "c" + "0" * 24)]
        assert [answer.status for answer in answers] == [404, 404]
        assert answers[0].error["detail"].replace(foreign, "") == answers[1].error["detail"].replace("c" + "0" * 24, "")


async def test_walking_while_others_write(alice: Client, bob: Client) -> None:
    """What was there when the walk began comes exactly once; towards the end, so does what was said meanwhile."""
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    path = f"/api/v1/threads/{thread['id']}/messages"
    said = [(await alice.say(thread, str(n)))["id"] for n in range(30)]
    writing = asyncio.Event()
    meanwhile: list[str] = []

    async def write() -> None:
        while len(meanwhile) < 60:
            meanwhile.append((await bob.say(thread))["id"])
            await bob.put(f"/api/v1/messages/{said[len(meanwhile) % 30]}/reactions/👍")
            writing.set()

    writer = asyncio.create_task(write())
    await writing.wait()
    down, up = await asyncio.gather(walk(alice, path, limit="3"), walk(alice, path, limit="3", after="0"))
    await writer
    assert ids(down)[-30:] == said[::-1]
    assert ids(up)[:30] == said
    assert ids(up)[30:] == meanwhile[: len(up) - 30], "no gap, whenever it got to the end"
    assert len(set(ids(down))) == len(down)
    assert ids(await walk(alice, path, limit="7")) == (said + meanwhile)[::-1]


async def test_threads_by_last_activity(alice: Client, root: Client) -> None:
    threads = [await alice.thread(str(n)) for n in range(5)]
    await alice.say(threads[1])
    expected = [threads[n]["id"] for n in (1, 4, 3, 2, 0)]
    assert ids(await walk(alice, "/api/v1/threads", limit="2")) == expected
    assert (await root.get("/api/v1/threads")).data == []
    assert ids(await walk(root, "/api/v1/threads", limit="2", all="true")) == expected
    assert (await alice.get("/api/v1/threads", all="true")).status == 403


async def test_a_thread_that_moves_up_does_not_come_twice(alice: Client) -> None:
    threads = [await alice.thread(str(n)) for n in range(6)]
    first = await alice.get("/api/v1/threads", limit="3")
    await alice.say(first.data[2])
    rest = await alice.get("/api/v1/threads", limit="100", cursor=first.metadata["pagination"]["next_cursor"])
    assert ids(first.data + rest.data) == ids(threads)[::-1]


async def test_members_that_come_and_go_meanwhile(server: Server, alice: Client) -> None:
    """Who is there all the time comes exactly once."""
    people = [(await server.client(f"p{n}").me())["id"] for n in range(8)]
    thread = await alice.thread(members=[{"user_id": person} for person in people])
    path = f"/api/v1/threads/{thread['id']}/members"
    first = await alice.get(path, limit="4")
    for person in (people[0], people[-1]):
        await alice.delete(f"{path}/{person}")
    rest = await walk(alice, path, limit="4", cursor=first.metadata["pagination"]["next_cursor"])
    found = [member["user"]["id"] for member in first.data + rest]
    assert found == [(await alice.me())["id"], *people[:-1]]
