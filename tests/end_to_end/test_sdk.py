"""The official SDK for Python, unchanged, against a real server process; in Protobuf where a test says so."""

import asyncio
import contextlib
import random
import time
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import centrifuge
import orjson
import pytest

from actors import limits
from tests.end_to_end.proxy import Proxy, proxy_to
from tests.end_to_end.python_sdk import PATIENCE, Follower, following, plain
from tests.serving import Client, ServerProcess
from tests.tokens import token


async def test_publish_rpc_and_history(process: ServerProcess, alice: Client, protobuf: bool) -> None:
    thread = await alice.thread()
    put: Any = orjson.dumps if protobuf else lambda data: data
    async with following(process.websocket_url, thread["id"], protobuf=protobuf) as (client, subscription, follower):
        await subscription.publish(put({"content": "by publish"}))
        answer = await client.rpc("create_message", put({"thread_id": thread["id"], "content": "by rpc"}))
        assert plain(answer.data)["offset"] == 3
        await follower.reaches(3)
        assert [event["data"]["content"] for event in follower.events] == ["by publish", "by rpc"]
        history = await subscription.history(limit=10)
        assert [item.offset for item in history.publications] == [1, 2, 3]
        assert history.offset == 3
        with pytest.raises(centrifuge.ReplyError) as caught:
            await client.rpc("get_thread", put({"id": "nonsense"}))
        assert caught.value.code == 107


async def test_nothing_is_lost_when_the_connection_is_severed(
    process: ServerProcess, alice: Client, protobuf: bool
) -> None:
    thread = await alice.thread()
    async with proxy_to(process.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with following(url, thread["id"], protobuf=protobuf) as (_, _, follower):
            for cut in range(5):
                await asyncio.gather(*(alice.say(thread, f"{cut}.{n}") for n in range(10)), _sever(proxy))
            await follower.reaches(51)
            assert follower.offsets == list(range(2, 52))
            assert len(follower.subscribed) > 1
            assert all(again.recovered for again in follower.subscribed[1:])


async def _sever(proxy: Proxy) -> None:
    proxy.sever()


async def test_nothing_is_lost_when_frames_are_cut_in_the_middle(
    process: ServerProcess, alice: Client, protobuf: bool
) -> None:
    """Forty connections one after another, each ends after so many bytes, while three write."""
    thread = await alice.thread()
    chance = random.Random(20261123)
    async with proxy_to(process.port) as proxy:
        # A handshake has about 130 bytes, the answer to connect 250, an event 700.
        proxy.cut_after = [chance.randint(100, 4_000) for _ in range(40)]
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with following(url, thread["id"], protobuf=protobuf) as (_, _, follower):

            async def write(name: str) -> None:
                for number in range(40):
                    await alice.say(thread, f"{name}{number}")

            await asyncio.gather(*map(write, "abc"))
            await follower.until(lambda: not proxy.cut_after)
            last = await alice.say(thread, "the last")
            await follower.reaches(last["offset"])
            assert follower.offsets == list(range(2, last["offset"] + 1))
            assert all(again.recovered for again in follower.subscribed[1:])


@pytest.mark.parametrize("in_order", [True, False])
async def test_nothing_is_lost_when_the_server_starts_anew_under_writes(
    process: ServerProcess, alice: Client, in_order: bool
) -> None:
    threads = [await alice.thread() for _ in range(3)]
    async with AsyncExitStack() as stack:
        followers = [
            (await stack.enter_async_context(following(process.websocket_url, thread["id"])))[2] for thread in threads
        ]
        running = True

        async def write(thread: Any) -> None:
            number = 0
            while running:
                with contextlib.suppress(aiohttp.ClientError):
                    key = {"Idempotency-Key": f"{thread['id']}/{number}"}
                    answer = await alice.post(f"/api/v1/threads/{thread['id']}/messages", key, content=str(number))
                    number += answer.status == 201

        writers = [asyncio.create_task(write(thread)) for thread in threads]
        for _ in range(2):
            seen = [len(follower.offsets) for follower in followers]
            for follower, before in zip(followers, seen, strict=True):
                await follower.until(lambda f=follower, b=before: len(f.offsets) > b + 20)
            if in_order:
                assert await process.stop() == 0
            else:
                process.kill()
                await process.ended()
            await process.start()
        running = False
        await asyncio.gather(*writers)
        for thread, follower in zip(threads, followers, strict=True):
            last = await alice.say(thread, "the last")
            await follower.reaches(last["offset"])
            assert follower.offsets == list(range(2, last["offset"] + 1))
            assert len(follower.subscribed) == 3
            assert all(again.recovered for again in follower.subscribed[1:])


async def test_who_loses_access_is_told(process: ServerProcess, session: aiohttp.ClientSession, alice: Client) -> None:
    bob = Client(session, process.url, "bob")
    him = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": him}])
    async with following(process.websocket_url, thread["id"], "bob") as (_, subscription, follower):
        assert (await alice.delete(f"/api/v1/threads/{thread['id']}/members/{him}")).status == 200
        await follower.until(lambda: bool(follower.unsubscribed))
        assert follower.unsubscribed == [2000]
        assert follower.events[-1]["type"] == "member.removed"
        await alice.say(thread, "not for him")
        with pytest.raises(centrifuge.CentrifugeError):
            await subscription.history(limit=1)
        assert follower.offsets == [3]


async def test_nothing_is_lost_when_the_server_is_killed(process: ServerProcess, alice: Client, protobuf: bool) -> None:
    thread = await alice.thread()
    async with following(process.websocket_url, thread["id"], protobuf=protobuf) as (_, _, follower):
        await alice.say(thread, "before")
        process.kill()
        await process.ended()
        await process.start()
        await alice.say(thread, "after")
        await follower.reaches(3)
        assert follower.offsets == [2, 3]
        await follower.until(lambda: len(follower.subscribed) == 2)
        assert follower.subscribed[1].recovered


async def test_what_is_too_much_is_told_not_cut(process: ServerProcess, alice: Client, protobuf: bool) -> None:
    thread = await alice.thread()
    async with proxy_to(process.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with following(url, thread["id"], protobuf=protobuf) as (_, subscription, follower):
            await alice.say(thread, "seen")
            await follower.reaches(2)
            await subscription.unsubscribe()
            await asyncio.gather(*(alice.say(thread, str(n)) for n in range(301)))
            await subscription.subscribe()
            await follower.until(lambda: len(follower.subscribed) == 2)
            again = follower.subscribed[1]
            assert again.was_recovering
            assert not again.recovered
            assert follower.offsets == [2]
            page = await subscription.history(
                limit=100, since=centrifuge.StreamPosition(2, again.stream_position.epoch)
            )
            assert [item.offset for item in page.publications] == list(range(3, 103))


async def test_an_expired_token_is_renewed(process: ServerProcess, alice: Client) -> None:
    """A token that is past its time makes the SDK ask for a new one; the connection then goes on."""
    thread = await alice.thread()
    asked = asyncio.Event()

    async def fresh_token(*_: Any) -> str:
        asked.set()
        return token("alice")

    client = centrifuge.Client(
        process.websocket_url, token=token("alice", ttl_seconds=-60), get_token=fresh_token, min_reconnect_delay=0.01
    )
    follower = Follower()
    subscription = client.new_subscription(f"thread:{thread['id']}", follower)
    await client.connect()
    await subscription.subscribe()
    await subscription.ready(timeout=PATIENCE)
    assert asked.is_set()
    await client.disconnect()


async def test_a_token_is_renewed_while_connected(process: ServerProcess, alice: Client, protobuf: bool) -> None:
    """Before it runs out the SDK sends a new one: the connection stays, and nothing is interrupted."""
    thread = await alice.thread()
    asked = asyncio.Event()

    async def fresh_token(*_: Any) -> str:
        asked.set()
        return token("alice")

    lives = 3 - limits.TOKEN_LEEWAY_SECONDS
    async with proxy_to(process.port) as proxy:
        client = centrifuge.Client(
            f"ws://127.0.0.1:{proxy.port}/connection/websocket",
            token=token("alice", ttl_seconds=lives),
            get_token=fresh_token,
            use_protobuf=protobuf,
        )
        follower = Follower()
        subscription = client.new_subscription(f"thread:{thread['id']}", follower)
        await client.connect()
        await subscription.subscribe()
        await subscription.ready(timeout=PATIENCE)
        ended_at = time.time() + 3
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
        while time.time() < ended_at + 0.2:
            await follower.reaches((await alice.say(thread))["offset"])
        assert proxy.connections == 1
        assert follower.offsets == list(range(2, follower.offsets[-1] + 1))
        await client.disconnect()
