"""Who is there, one's own channel, live channels and other logs, by the official SDK for Python in both forms."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import centrifuge
import orjson
import pytest

from actors import limits
from tests.end_to_end.administration import xp
from tests.end_to_end.proxy import Proxy
from tests.end_to_end.python_sdk import PATIENCE, connected, following, plain, subscribed
from tests.serving import Client, ServerProcess
from tests.tickets import ticket


@pytest.fixture
def put(protobuf: bool) -> Callable[[Any], Any]:
    """Data as the SDK takes it."""
    return orjson.dumps if protobuf else lambda data: data


@pytest.fixture
def bob(process: ServerProcess, session: aiohttp.ClientSession) -> Client:
    return Client(session, process.url, "bob")


def through(proxy: Proxy) -> str:
    return f"ws://127.0.0.1:{proxy.port}/connection/websocket"


async def test_who_is_there(process: ServerProcess, alice: Client, bob: Client, protobuf: bool) -> None:
    her, him = (await alice.me())["id"], (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": him}])
    async with connected(process.websocket_url, protobuf=protobuf) as client:
        subscription, follower = await subscribed(client, f"thread:{thread['id']}", join_leave=True)
        (alone,) = (await subscription.presence()).clients.values()
        assert (alone.user, plain(alone.conn_info)) == (her, {"name": "Alice", "kind": "HUMAN"})
        async with following(process.websocket_url, thread["id"], "bob", protobuf=protobuf):
            await follower.until(lambda: him in [info.user for info in follower.joined])
            stats = await subscription.presence_stats()
            assert (stats.num_clients, stats.num_users) == (2, 2)
        await follower.until(lambda: bool(follower.left))
        assert [(info.user, plain(info.conn_info)["name"]) for info in follower.left] == [(him, "Bob")]


async def test_history_in_both_directions(process: ServerProcess, alice: Client, protobuf: bool) -> None:
    thread = await alice.thread()
    for number in range(2, 7):
        await alice.say(thread, str(number))
    async with following(process.websocket_url, thread["id"], protobuf=protobuf) as (_, subscription, _):
        newest = await subscription.history(limit=2, reverse=True)
        third = centrifuge.StreamPosition(3, newest.epoch)
        assert [item.offset for item in newest.publications] == [6, 5]
        for since, reverse, offsets in ((third, False, [4, 5]), (third, True, [2, 1])):
            page = await subscription.history(limit=2, since=since, reverse=reverse)
            assert [item.offset for item in page.publications] == offsets


async def test_another_log(process: ServerProcess, alice: Client, protobuf: bool) -> None:
    """After a restore the same offsets are of another history."""
    thread = await alice.thread()
    copy = str(process.data_dir.with_name("copy.db"))
    await xp(process, "db", "backup", copy)
    async with following(process.websocket_url, thread["id"], protobuf=protobuf) as (_, _, follower):
        await alice.say(thread, "lost by the restore")
        await follower.reaches(2)
        assert await process.stop() == 0
        await xp(process, "db", "restore", copy)
        await process.start()
        await follower.until(lambda: len(follower.subscribed) == 2)
        before, again = follower.subscribed
        assert (again.was_recovering, again.recovered) == (True, False)
        assert again.stream_position.epoch != before.stream_position.epoch
        await alice.say(thread, "of the other history")
        await follower.until(lambda: follower.offsets == [2, 2])


class Own(centrifuge.ClientEventHandler):
    """Writes down what one's own channel tells."""

    def __init__(self) -> None:
        self.subscribed: list[centrifuge.ServerSubscribedContext] = []
        self.offsets: list[int] = []
        self._news = asyncio.Event()

    async def on_subscribed(self, ctx: centrifuge.ServerSubscribedContext) -> None:
        self.subscribed.append(ctx)

    async def on_publication(self, ctx: centrifuge.ServerPublicationContext) -> None:
        if ctx.pub.offset:  # else it is passing, and in no log
            self.offsets.append(ctx.pub.offset)
            self._news.set()

    async def reaches(self, offset: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while offset not in self.offsets:
                self._news.clear()
                await self._news.wait()


async def test_ones_own_channel(
    process: ServerProcess, proxy: Proxy, alice: Client, bob: Client, protobuf: bool
) -> None:
    """It comes by itself, and nothing of it is lost when the connection is severed or the server is killed."""
    him, own = (await bob.me())["id"], Own()
    async with connected(through(proxy), "bob", own, protobuf=protobuf):
        for _ in range(3):
            await alice.thread(members=[{"user_id": him}])  # he has joined, and is notified of it: two events
            proxy.sever()
            await alice.thread(members=[{"user_id": him}])
        process.kill()
        await process.ended()
        await process.start()
        await alice.thread(members=[{"user_id": him}])
        await own.reaches(14)
    assert own.offsets == list(range(1, 15))
    assert {ctx.channel for ctx in own.subscribed} == {f"user:{him}"}
    assert len(own.subscribed) > 1
    assert all(again.recovered for again in own.subscribed[1:])


async def test_a_live_channel(
    proxy: Proxy, alice: Client, bob: Client, protobuf: bool, put: Callable[[Any], Any]
) -> None:
    """A token opens it; it recovers from memory."""
    await bob.me()
    async with (
        connected(through(proxy), protobuf=protobuf) as hers,
        connected(through(proxy), "bob", protobuf=protobuf) as his,
    ):
        speaking, _ = await subscribed(hers, "room:1", token=ticket(alice, "room:1", None))
        _, listener = await subscribed(his, "room:1", token=ticket(bob, "room:1", None))
        for number in range(1, 6):
            await speaking.publish(put({"x": number}))
            await listener.reaches(number)
            proxy.sever()
            for client in (hers, his):
                await client.ready(timeout=PATIENCE)
            await speaking.ready(timeout=PATIENCE)
        assert [event["x"] for event in listener.events] == [1, 2, 3, 4, 5]
        assert all(again.recovered for again in listener.subscribed[1:])
        with pytest.raises(centrifuge.CentrifugeError):
            await subscribed(his, "room:2", token=ticket(bob, "room:1"))


@pytest.mark.parametrize("left", [-60, 3 - limits.TOKEN_LEEWAY_SECONDS], ids=["expired", "expires"])
async def test_a_channel_token_is_renewed(
    process: ServerProcess, alice: Client, protobuf: bool, put: Callable[[Any], Any], left: int
) -> None:
    """Before it runs out the SDK brings another one: the subscription stays."""
    asked = asyncio.Event()

    async def fresh(*_: Any) -> str:
        asked.set()
        return ticket(alice, "room:1")

    async with connected(process.websocket_url, protobuf=protobuf) as client:
        await alice.me()
        first = ticket(alice, "room:1", left)
        ended_at = time.time() + 3
        subscription, follower = await subscribed(client, "room:1", token=first, get_token=fresh)
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
        said = 0
        while said == 0 or (left > -30 and time.time() < ended_at + 0.2):
            said += 1
            await subscription.publish(put(said))
            await follower.reaches(said)
        assert (len(follower.subscribed), follower.unsubscribed) == (1, [])
