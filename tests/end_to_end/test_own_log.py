"""What the terminal writes beside a running server is told to whom it concerns, on all of their devices."""

from typing import Any

import aiohttp
import orjson

from tests.end_to_end.administration import xp
from tests.realtime_client import event_stream, raw_client
from tests.serving import Client, ServerProcess


async def test_a_message_from_the_terminal(process: ServerProcess, session: aiohttp.ClientSession) -> None:
    alice, bob = Client(session, process.url, "alice"), Client(session, process.url, "bob")
    alice_id, bob_id = [(await client.me())["id"] for client in (alice, bob)]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    stream_url = f"{process.url}/api/v1/users/me/events"
    async with (
        raw_client(session, process.websocket_url, bob.token) as client,
        event_stream(session, stream_url, bob.token) as stream,
    ):
        await stream.begun()
        for n in range(2):
            await xp(process, "thread", "post", thread["id"], f"@bob {n}", "--as", alice_id)
        log = (await bob.get("/api/v1/users/me/log")).data
        assert [entry["data"].get("excerpt") for entry in log] == [None, "", "@bob 0", "@bob 1"]
        pushed: list[Any] = []
        while len(pushed) < 2:
            publication = (await client.push())["pub"]
            pushed += [publication] if "offset" in publication else []
        assert [publication["data"] for publication in pushed] == log[2:]
        streamed: list[Any] = []
        while len(streamed) < 2:
            fields = await stream.next()
            streamed += [orjson.loads(fields["data"])] if "id" in fields else []
        assert streamed == log[2:]


async def test_counts_are_told_of_threads_that_somebody_follows(
    process: ServerProcess, session: aiohttp.ClientSession
) -> None:
    alice, bob = Client(session, process.url, "alice"), Client(session, process.url, "bob")
    alice_id, bob_id = [(await client.me())["id"] for client in (alice, bob)]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    async with (
        raw_client(session, process.websocket_url, bob.token) as client,
        raw_client(session, process.websocket_url, alice.token) as follower,
    ):
        await follower.subscribe(thread["id"])
        await xp(process, "thread", "post", thread["id"], "hello", "--as", alice_id)
        counts = (await client.push())["pub"]["data"]
    assert counts == {
        "type": "unread",
        "data": {
            "threads": 1, "messages": 1, "mentions": 0, "muted": {"threads": 0, "messages": 0, "mentions": 0},
            "by_thread": [{"thread_id": thread["id"], "messages": 1, "mentions": 0, "muted": False}],
        },
    }  # fmt: skip
