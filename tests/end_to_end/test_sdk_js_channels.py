"""One's own channel and live channels, by the official SDK for JavaScript over every transport."""

import asyncio
import time

import aiohttp
import pytest

from actors import limits
from tests.end_to_end.proxy import Proxy
from tests.end_to_end.sdk import CARRIERS, Sdk, SdkClient, SdkError
from tests.serving import Client, ServerProcess
from tests.tickets import ticket


async def connected(sdk: Sdk, url: str, name: str = "alice") -> list[SdkClient]:
    """A client for each way."""
    clients = [await sdk.client(url, carrier, name) for carrier in CARRIERS]
    await asyncio.gather(*(client.call("connect") for client in clients))
    return clients


def own_offsets(client: SdkClient) -> list[int]:
    """What is passing has none."""
    return [told["offset"] for told in client.seen("own publication") if told.get("offset")]


async def test_ones_own_channel(
    process: ServerProcess, session: aiohttp.ClientSession, proxy: Proxy, sdk: Sdk, alice: Client
) -> None:
    """It comes by itself, and nothing of it is lost when connections are severed or the server is killed."""
    him = (await Client(session, process.url, "bob").me())["id"]
    clients = await connected(sdk, f"http://127.0.0.1:{proxy.port}", "bob")
    for _ in range(3):
        await alice.thread(members=[{"user_id": him}])  # he has joined, and is notified of it: two events
        proxy.sever()
        await alice.thread(members=[{"user_id": him}])
    process.kill()
    await process.ended()
    await process.start()
    await alice.thread(members=[{"user_id": him}])
    for client in clients:
        await client.until(lambda c=client: 14 in own_offsets(c))
        assert own_offsets(client) == list(range(1, 15)), client.name
        first, *again = client.seen("own subscribed")
        assert first["channel"] == f"user:{him}"
        assert again, client.name
        assert all(told["recovered"] for told in again), client.name


async def test_a_live_channel(proxy: Proxy, sdk: Sdk, alice: Client) -> None:
    """A token opens it; it recovers from memory."""
    clients = await connected(sdk, f"http://127.0.0.1:{proxy.port}")
    for client in clients:
        await client.call("subscribe", channel="room:1", token=ticket(alice, "room:1", None))
        with pytest.raises(SdkError):
            await client.call("subscribe", channel="room:2", token=ticket(alice, "room:1", None))
    speaker = clients[0]
    for number in range(1, 4):
        await speaker.call("publish", channel="room:1", data={"x": number})
        proxy.sever()
        for client in clients:
            await client.has("connected", number + 1)
    for client in clients:
        await client.reaches(3)
        assert [told["data"] for told in client.seen("publication")] == [{"x": 1}, {"x": 2}, {"x": 3}], client.name
        assert {told["info"]["connInfo"]["name"] for told in client.seen("publication")} == {"Alice"}, client.name
    history = await speaker.call("history", channel="room:1", limit=2, reverse=True)
    assert [item["data"]["x"] for item in history["publications"]] == [3, 2]


async def test_a_channel_token_is_renewed(process: ServerProcess, sdk: Sdk, alice: Client) -> None:
    """Before it runs out the SDK brings another one: the subscription stays. One that has run out is replaced."""
    clients = await connected(sdk, process.url)
    fresh = ticket(alice, "room:1")
    for client in clients[1:]:
        short = ticket(alice, "room:1", 3 - limits.TOKEN_LEEWAY_SECONDS)
        await client.call("subscribe", channel="room:1", token=short, fresh=fresh)
    ended_at, said = time.time() + 3, 0
    expired = ticket(alice, "room:1", -60)
    await clients[0].call("subscribe", channel="room:1", token=expired, fresh=fresh)
    for client in clients:
        await client.has("channel token")
    while time.time() < ended_at + 0.2:
        said += 1
        await clients[0].call("publish", channel="room:1", data=said)
        await asyncio.gather(*(client.reaches(said) for client in clients))
    for client in clients:
        assert len(client.seen("subscribed")) == 1, client.name
        assert client.seen("unsubscribed") == [], client.name
