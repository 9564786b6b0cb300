"""The official SDK for JavaScript over every transport, in both forms, against a real server process."""

import asyncio
import contextlib
import time
from typing import Any

import aiohttp
import pytest

from actors import limits
from tests.end_to_end.administration import xp
from tests.end_to_end.proxy import Proxy
from tests.end_to_end.sdk import CARRIERS, Sdk, SdkClient, SdkError, transport
from tests.serving import Client, ServerProcess
from tests.tokens import token


async def following(sdk: Sdk, url: str, thread: Any, **options: Any) -> list[SdkClient]:
    """A client for each way, all subscribed to one thread."""
    clients = [await sdk.client(url, carrier, **options) for carrier in CARRIERS]
    await asyncio.gather(*(client.call("connect") for client in clients))
    await asyncio.gather(*(client.call("subscribe", channel=f"thread:{thread['id']}") for client in clients))
    return clients


async def all_reach(clients: list[SdkClient], offset: int) -> None:
    await asyncio.gather(*(client.reaches(offset) for client in clients))


async def test_every_call(process: ServerProcess, sdk: Sdk, alice: Client) -> None:
    for carrier, (kind, _) in CARRIERS.items():
        client = await sdk.client(process.url, carrier)
        await client.call("connect")
        assert (await client.has("connected"))["transport"] == kind
        await try_every_call(client, await alice.thread())


async def try_every_call(client: SdkClient, thread: Any) -> None:
    channel = f"thread:{thread['id']}"
    await client.call("subscribe", channel=channel, joinLeave=True)
    await client.call("publish", channel=channel, data={"content": "Grüße, 世界 🙂"})
    made = await client.call("rpc", method="create_message", data={"thread_id": thread["id"], "content": "by rpc"})
    assert made["offset"] == 3
    await client.reaches(3)
    told = [event["data"]["data"]["content"] for event in client.seen("publication")]
    assert told == ["Grüße, 世界 🙂", "by rpc"]
    history = await client.call("history", channel=channel, limit=10)
    assert [item["offset"] for item in history["publications"]] == [1, 2, 3]
    assert history["offset"] == 3
    since = {"offset": 1, "epoch": history["epoch"]}
    page = await client.call("history", channel=channel, limit=1, since=since)
    assert [item["offset"] for item in page["publications"]] == [2]
    page = await client.call("history", channel=channel, limit=2, reverse=True)
    assert [item["offset"] for item in page["publications"]] == [3, 2]
    mine = client.seen("connected")[0]["id"]
    presence = await client.call("presence", channel=channel)
    assert presence[mine]["connInfo"] == {"name": "Alice", "kind": "HUMAN"}
    assert await client.call("presenceStats", channel=channel) == {"numClients": 1, "numUsers": 1}
    with pytest.raises(SdkError) as caught:
        await client.call("rpc", method="get_thread", data={"id": "nonsense"})
    assert caught.value.code == 107
    await client.call("unsubscribe", channel=channel)
    assert (await client.has("unsubscribed"))["code"] == 0
    assert client.seen("error") == []


async def test_joining_from_the_state_that_was_fetched(process: ServerProcess, sdk: Sdk, alice: Client) -> None:
    """As docs/realtime.md shows it: with the offset of REST, and no epoch yet."""
    thread = await alice.thread()
    await alice.say(thread, "fetched")
    page = await alice.get(f"/api/v1/threads/{thread['id']}/messages")
    after = [await alice.say(thread, text) for text in ("missed", "missed, too")]
    for carrier in CARRIERS:
        client = await sdk.client(process.url, carrier)
        await client.call("connect")
        since = {"offset": page.json["metadata"]["offset"], "epoch": ""}
        await client.call("subscribe", channel=f"thread:{thread['id']}", since=since)
        await client.reaches(after[-1]["offset"])
        joined = await client.has("subscribed")
        assert (joined["wasRecovering"], joined["recovered"]) == (True, True), carrier
        assert client.offsets == [message["offset"] for message in after], carrier


async def test_who_joins_and_leaves(process: ServerProcess, sdk: Sdk, thread: Any) -> None:
    watching = [await sdk.client(process.url, carrier) for carrier in CARRIERS]
    channel = f"thread:{thread['id']}"
    for client in watching:
        await client.call("connect")
        await client.call("subscribe", channel=channel, joinLeave=True)
    first, *_, last = watching
    joined = await first.has("join", len(watching) - 1)
    assert joined["info"]["client"] == last.seen("connected")[0]["id"]
    await first.call("disconnect")
    for client in watching[1:]:
        assert (await client.has("leave"))["info"]["connInfo"] == {"name": "Alice", "kind": "HUMAN"}


@pytest.mark.parametrize("through", ["http_stream", "sse"])
async def test_a_network_without_websockets(
    process: ServerProcess, sdk: Sdk, alice: Client, thread: Any, through: str
) -> None:
    """The SDK finds by itself what gets through."""
    nowhere = f"{process.url}/nowhere"
    ways = [{"transport": "websocket", "endpoint": nowhere.replace("http", "ws")}]
    if through == "sse":
        ways.append({"transport": "http_stream", "endpoint": nowhere})
    client = await sdk.client(process.url, "websocket", transports=[*ways, transport(process.url, through)])
    await client.call("connect")
    assert (await client.has("connected"))["transport"] == through
    await client.call("subscribe", channel=f"thread:{thread['id']}")
    await alice.say(thread)
    await client.reaches(2)


# Nothing is lost


async def test_when_connections_are_severed(sdk: Sdk, proxy: Proxy, alice: Client, thread: Any) -> None:
    clients = await following(sdk, f"http://127.0.0.1:{proxy.port}", thread)
    for cut in range(3):
        await asyncio.gather(*(alice.say(thread, f"{cut}.{n}") for n in range(10)))
        proxy.sever()
        for client in clients:
            await client.has("subscribed", cut + 2)
    await alice.say(thread, "the last")
    await all_reach(clients, 32)
    for client in clients:
        assert client.offsets == list(range(2, 33)), client.name
        assert all(again["recovered"] for again in client.seen("subscribed")[1:]), client.name


@pytest.mark.parametrize("in_order", [True, False])
async def test_when_the_server_starts_anew_under_writes(
    process: ServerProcess, sdk: Sdk, alice: Client, thread: Any, in_order: bool
) -> None:
    clients = await following(sdk, process.url, thread)
    running = True

    async def write() -> None:
        number = 0
        while running:
            with contextlib.suppress(aiohttp.ClientError):
                key = {"Idempotency-Key": str(number)}
                answer = await alice.post(f"/api/v1/threads/{thread['id']}/messages", key, content=str(number))
                number += answer.status == 201

    writing = asyncio.create_task(write())
    await all_reach(clients, 20)
    if in_order:
        assert await process.stop() == 0
    else:
        process.kill()
        await process.ended()
    await process.start()
    for client in clients:
        await client.has("subscribed", 2)
    running = False
    await writing
    last = await alice.say(thread, "the last")
    await all_reach(clients, last["offset"])
    for client in clients:
        assert client.offsets == list(range(2, last["offset"] + 1)), client.name
        assert all(again["recovered"] for again in client.seen("subscribed")[1:]), client.name
        assert (await client.has("connecting", 2))["code"] in ((3001,) if in_order else (1, 2)), client.name


# What cannot be told is not told in part


async def test_more_was_missed_than_is_told(process: ServerProcess, sdk: Sdk, alice: Client, thread: Any) -> None:
    clients = await following(sdk, process.url, thread)
    for client in clients:
        await client.call("disconnect")
    await asyncio.gather(*(alice.say(thread, str(n)) for n in range(limits.RECOVERY_EVENTS + 1)))
    for client in clients:
        await client.call("connect")
        again = await client.has("subscribed", 2)
        assert (again["wasRecovering"], again["recovered"]) == (True, False), client.name
        assert client.offsets == [], client.name
        since = {"offset": 1, "epoch": again["position"]["epoch"]}
        page = await client.call("history", channel=f"thread:{thread['id']}", limit=100, since=since)
        assert [item["offset"] for item in page["publications"]] == list(range(2, 102)), client.name


async def test_another_log(process: ServerProcess, sdk: Sdk, alice: Client, thread: Any) -> None:
    """After a restore the same offsets are of another history."""
    await alice.say(thread, "kept")
    copy = str(process.data_dir.with_name("copy.db"))
    await xp(process, "db", "backup", copy)
    clients = await following(sdk, process.url, thread)
    await alice.say(thread, "lost by the restore")
    await all_reach(clients, 3)
    assert await process.stop() == 0
    await xp(process, "db", "restore", copy)
    await process.start()
    for client in clients:
        again = await client.has("subscribed", 2)
        assert (again["wasRecovering"], again["recovered"]) == (True, False), client.name
        assert again["position"]["offset"] == 2, client.name
        assert again["position"]["epoch"] != client.seen("subscribed")[0]["position"]["epoch"], client.name
    await alice.say(thread, "of the other history")
    await asyncio.gather(*(client.until(lambda c=client: c.offsets == [3, 3]) for client in clients))


# Tokens and access


async def test_an_expired_token_is_renewed(process: ServerProcess, sdk: Sdk, thread: Any) -> None:
    for client in await following(sdk, process.url, thread, token=token("alice", ttl_seconds=-60)):
        assert len(client.seen("token")) == 1, client.name
        assert len(client.seen("connected")) == 1, client.name


async def test_a_token_is_renewed_while_connected(sdk: Sdk, proxy: Proxy, alice: Client, thread: Any) -> None:
    """Before it runs out the SDK sends a new one: the connection stays, and nothing is interrupted."""
    lives = 3 - limits.TOKEN_LEEWAY_SECONDS
    short = token("alice", ttl_seconds=lives)
    clients = await following(sdk, f"http://127.0.0.1:{proxy.port}", thread, token=short)
    ended_at = time.time() + 3
    for client in clients:
        await client.has("token")
    while time.time() < ended_at + 0.2:
        await all_reach(clients, (await alice.say(thread))["offset"])
    for client in clients:
        assert len(client.seen("connected")) == 1, client.name
        assert client.seen("error") == [], client.name


async def test_a_token_that_is_no_good(process: ServerProcess, sdk: Sdk) -> None:
    for carrier in CARRIERS:
        client = await sdk.client(process.url, carrier, token="forged")
        with pytest.raises(SdkError):
            await client.call("connect")
        assert (await client.has("disconnected"))["code"] == 3500, carrier


async def test_who_loses_access_is_told(
    process: ServerProcess, session: aiohttp.ClientSession, sdk: Sdk, alice: Client
) -> None:
    bob = Client(session, process.url, "bob")
    him = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": him}])
    clients = await following(sdk, process.url, thread, token=bob.token)
    assert (await alice.delete(f"/api/v1/threads/{thread['id']}/members/{him}")).status == 200
    for client in clients:
        assert (await client.has("unsubscribed"))["code"] == 2000, client.name
        assert client.offsets == [3], client.name
    await alice.say(thread, "not for him")
    for client in clients:
        with pytest.raises(SdkError):
            await client.call("history", channel=f"thread:{thread['id']}", limit=1)
        assert client.offsets == [3], client.name
