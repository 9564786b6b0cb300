"""What ends a connection leaves nothing for the garbage collector, whose turns hold everybody up for milliseconds."""

import collections
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.carriers import carrier_of
from tests.realtime_client import event_stream, raw_client
from tests.server.realtime.test_leaks import OURS, _module
from tests.server.realtime.waiting import connections, until
from tests.serving import Client, Server, serving
from tests.tickets import ticket

Kind = Callable[[Server, Client, Any], Awaitable[None]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", LIVE_CHANNELS="cursor:*") as running:
        yield running


async def subscribed(server: Server, alice: Client, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        await client.subscribe(thread["id"], join_leave=True)
        await client.ask("subscribe", channel="cursor:a")
        await client.ask("subscribe", channel="secret:a", token=ticket(alice, "secret:a"))
        await client.ask("rpc", method="get_me", data={})


async def cut(server: Server, alice: Client, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        await client.subscribe(thread["id"])
        client.cut()


async def refused(server: Server, alice: Client, thread: Any) -> None:
    """Errors have tracebacks, and these have everything."""
    async with raw_client(server.session, server.websocket_url, alice.token) as client:
        assert await client.error("subscribe", channel="thread:" + "c" * 25)
        assert await client.error("rpc", method="get_thread", data={"id": "c" * 25})
        assert await client.error("rpc", method="create_message", data={"thread_id": thread["id"]})
        assert await client.error("publish", channel="nowhere", data=1)


async def strange(server: Server, alice: Client, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url) as client:
        await client.send(client.command("connect", token="no token"))
        assert (await client.closed()).code == 3500


async def silent(server: Server, alice: Client, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url):
        pass


async def flooding(server: Server, alice: Client, thread: Any) -> None:
    async with raw_client(server.session, server.websocket_url) as client:
        await client.send(*[{}] * 100)
        assert (await client.closed()).code == 3501


async def events(server: Server, alice: Client, thread: Any) -> None:
    url = f"{server.url}/api/v1/threads/{thread['id']}/events"
    async with event_stream(server.session, url, alice.token) as stream:
        await stream.begun()
        stream.cut()


def emulated(kind: str) -> Kind:
    async def come_and_go(server: Server, alice: Client, thread: Any) -> None:
        async with carrier_of(server.session, server.url, kind) as open_:
            client = await open_(alice.token)
            await client.subscribe(thread["id"])
            client.cut()

    come_and_go.__name__ = kind
    return come_and_go


KINDS = [
    subscribed, cut, refused, strange, silent, flooding, events, emulated("http_stream"), emulated("sse"),
    emulated("websocket in Protobuf"),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_nothing_is_left_to_collect(server: Server, alice: Client, kind: Kind) -> None:
    thread = await alice.thread()

    async def come_and_go(times: int) -> None:
        for _ in range(times):
            await kind(server, alice, thread)
        await until(lambda: server.services.hub.size == 0)
        await until(lambda: connections(server) == 0)
        assert (await alice.get("/health")).status == 200

    await come_and_go(1)
    gc.collect()
    gc.disable()
    try:
        await come_and_go(5)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        ours = [each for each in gc.garbage if _module(each).partition(".")[0] in OURS]
        found = collections.Counter(type(each).__qualname__ for each in ours)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert found == {}
