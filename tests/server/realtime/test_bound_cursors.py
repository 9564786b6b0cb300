"""A cursor is good for what it was made over: anything else is told exactly, or answered by a resync."""

from typing import Any

import orjson
import pytest

from tests.realtime_client import RawClient, event_stream
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server


async def cursor_of(server: Server, who: Client, path: str) -> str:
    async with event_stream(server.session, server.url + path, who.token) as stream:
        await stream.begun()
        assert stream.last_id is not None
        return stream.last_id


async def first(server: Server, who: Client, path: str, cursor: str) -> tuple[str, Any]:
    async with event_stream(server.session, server.url + path, who.token, cursor) as stream:
        told = await stream.next()
        return told["event"], orjson.loads(told["data"])


async def test_who_is_added_to_a_thread_while_they_listen(server: Server, alice: Client, bob: Client) -> None:
    """Their stream ends at once, and the client that comes back is told that something is missing."""
    his = await bob.thread()
    async with event_stream(server.session, f"{server.url}/api/v1/events", bob.token) as stream:
        await stream.begun()
        thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
        await alice.say(thread, "welcome")
        await stream.ended()
    await bob.say(his)
    assert stream.last_id is not None
    assert (await first(server, bob, "/api/v1/events", stream.last_id))[0] == "resync"
    async with event_stream(server.session, f"{server.url}/api/v1/events", bob.token, stream.last_id) as again:
        assert (await again.next())["event"] == "resync"
        await alice.say(thread, "live")
        assert orjson.loads((await again.next())["data"])["data"]["content"] == "live"
    async with event_stream(server.session, f"{server.url}/api/v1/events", bob.token, again.last_id) as same:
        await alice.say(thread, "exact")
        assert orjson.loads((await same.next())["data"])["data"]["content"] == "exact"


async def test_a_thread_that_was_left_and_joined_again(server: Server, alice: Client, bob: Client) -> None:
    """Meanwhile the cursor has moved on by what happened in another one."""
    user = (await bob.me())["id"]
    thread, other = [await alice.thread(members=[{"user_id": user}]) for _ in range(2)]
    path = f"/api/v1/events?threads={thread['id']},{other['id']}"
    async with event_stream(server.session, server.url + path, bob.token) as stream:
        await stream.begun()
        await alice.delete(f"/api/v1/threads/{thread['id']}/members/{user}")
        told = await stream.next()
        while told["event"] != "resync":
            told = await stream.next()
        await alice.say(thread, "not for him")
        await alice.say(other, "on")
        assert (await stream.next())["event"] == "message.created"
    await alice.post(f"/api/v1/threads/{thread['id']}/members", user_id=user)
    assert stream.last_id is not None
    kind, told_data = await first(server, bob, path, stream.last_id)
    assert kind == "resync"
    assert "other threads" in told_data["reason"]


@pytest.mark.parametrize("plain", [False, True])
async def test_streams_take_no_cursor_of_another(server: Server, alice: Client, plain: bool) -> None:
    """Whatever made it; `plain` is one from before cursors were bound."""
    one, two = [(await alice.thread())["id"] for _ in range(2)]
    paths = [
        f"/api/v1/threads/{one}/events", f"/api/v1/threads/{two}/events", f"/api/v1/events?threads={one}",
        f"/api/v1/events?threads={one},{two}", "/api/v1/users/me/events",
    ]  # fmt: skip
    cursors = {path: await cursor_of(server, alice, path) for path in paths}
    for path in paths:
        for made_over, cursor in cursors.items():
            if made_over == path and not plain:
                continue
            given = f"{server.services.epoch}-{cursor.partition('-')[2]}" if plain else cursor
            kind, told = await first(server, alice, path, given)
            assert (kind, "other threads" in told["reason"]) == ("resync", True), (made_over, path)


async def test_the_order_in_which_threads_are_named_is_of_no_interest(server: Server, alice: Client) -> None:
    one, two = [(await alice.thread())["id"] for _ in range(2)]
    cursor = await cursor_of(server, alice, f"/api/v1/events?threads={one},{two}")
    await alice.say(one, "missed")
    assert (await first(server, alice, f"/api/v1/events?threads={two},{one}", cursor))[0] == "message.created"


async def test_positions_of_a_websocket(alice: Client, dial: Dial) -> None:
    client: RawClient = await dial(alice)
    one, two = [(await alice.thread())["id"] for _ in range(2)]
    for _ in range(3):
        await alice.say(one)
        await alice.say(two)
    position = await client.subscribe(one)
    await client.ask("unsubscribe", channel=f"thread:{one}")
    here = {"epoch": position["epoch"], "offset": position["offset"]}
    assert "recovered" not in await client.subscribe(two, recover=True, **here)
    assert (await client.error("history", channel=f"thread:{two}", limit=1, since=here))[0] == 112
    assert (await client.subscribe(one, recover=True, **here))["recovered"] is True
    page = (await client.ask("history", channel=f"thread:{one}", limit=1, since=here))["history"]
    assert page["epoch"] == position["epoch"]


async def test_no_block_is_without_data(server: Server, alice: Client) -> None:
    """As httpx-sse reads: after the first id, every empty line ends an event."""
    thread = await alice.thread()
    for path in (f"/api/v1/threads/{thread['id']}/events?padding=true", "/api/v1/events", "/api/v1/users/me/events"):
        async with server.session.get(server.url + path, headers={"Authorization": f"Bearer {alice.token}"}) as stream:
            lines: list[bytes] = []
            while not lines or lines[-1] != b"\n":
                lines.append(await stream.content.readline())
        assert any(line.startswith(b"data: ") for line in lines)
        assert any(line.startswith(b"id: ") for line in lines)
        assert any(line.startswith(b"retry: ") for line in lines)
