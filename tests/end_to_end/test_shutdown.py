"""SIGTERM: clients are told, what was taken is committed, and the process is gone in time."""

import asyncio
import time

import aiohttp

from tests.realtime_client import Disconnected, event_stream, raw_client
from tests.serving import Client, ServerProcess


async def test_clients_are_told_and_the_exit_is_clean(process: ServerProcess, session: aiohttp.ClientSession) -> None:
    alice = Client(session, process.url, "alice")
    thread = await alice.thread()
    events_url = f"{process.url}/api/v1/threads/{thread['id']}/events"
    async with (
        raw_client(session, process.websocket_url, alice.token) as client,
        event_stream(session, events_url, alice.token) as stream,
    ):
        await client.subscribe(thread["id"])
        await alice.say(thread)
        await client.push()
        await stream.next()
        started = time.monotonic()
        code, end = await asyncio.gather(process.stop(), client.closed())
        assert end.code == 3001
        assert code == 0
        assert time.monotonic() - started < 10
        try:
            raise AssertionError(f"the stream went on: {await stream.next()}")
        except (Disconnected, aiohttp.ClientError):
            pass
    assert "Traceback" not in process.log.read_text()


async def test_what_was_acknowledged_while_stopping_is_there(
    process: ServerProcess, session: aiohttp.ClientSession
) -> None:
    alice = Client(session, process.url, "alice")
    thread = await alice.thread()
    acknowledged: list[str] = []
    under_way = asyncio.Event()

    async def write() -> None:
        while True:
            try:
                answer = await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="x")
            except (aiohttp.ClientError, OSError):
                return
            if answer.status != 201:
                assert answer.status == 503
                assert answer.error["code"] == "shutting_down"
                return
            acknowledged.append(answer.data["id"])
            if len(acknowledged) > 50:
                under_way.set()

    writers = [asyncio.create_task(write()) for _ in range(16)]
    async with asyncio.timeout(20):
        await under_way.wait()
        assert await process.stop() == 0
        await asyncio.gather(*writers)
    await process.start()
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = await alice.get(f"/api/v1/threads/{thread['id']}/messages", limit="100", **cursor)
        found |= {message["id"] for message in page.data}
        if not page.metadata["pagination"]["has_more"]:
            break
        cursor = {"cursor": page.metadata["pagination"]["next_cursor"]}
    assert set(acknowledged) <= found
    assert "Traceback" not in process.log.read_text()


async def test_many_connections_drain_in_time(process: ServerProcess, session: aiohttp.ClientSession) -> None:
    alice = Client(session, process.url, "alice")
    await alice.me()
    sockets = await asyncio.gather(*(session.ws_connect(process.websocket_url) for _ in range(300)))
    try:
        started = time.monotonic()
        code, *_ = await asyncio.gather(process.stop(), *(socket.receive() for socket in sockets))
        assert code == 0
        assert time.monotonic() - started < 10
        assert {socket.close_code for socket in sockets} == {3001}
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))
