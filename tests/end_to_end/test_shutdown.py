"""SIGTERM: clients are told, what was taken is committed, and the process is gone in time."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import orjson

from tests.raw_socket import raw_socket, small_connection
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
    assert set(acknowledged) <= await _messages(alice, thread)
    assert "Traceback" not in process.log.read_text()


async def _messages(alice: Client, thread: Any) -> set[str]:
    """The ids of all messages of a thread."""
    found: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = await alice.get(f"/api/v1/threads/{thread['id']}/messages", limit="100", **cursor)
        found |= {message["id"] for message in page.data}
        if not page.metadata["pagination"]["has_more"]:
            return found
        cursor = {"cursor": page.metadata["pagination"]["next_cursor"]}


async def test_commands_in_flight_while_stopping(process: ServerProcess, session: aiohttp.ClientSession) -> None:
    """Acknowledged and durable, or refused, or not answered: never acknowledged and lost."""
    alice = Client(session, process.url, "alice")
    thread = await alice.thread()
    acknowledged: set[str] = set()
    under_way = asyncio.Event()
    codes: list[int | None] = []

    async def write() -> None:
        async with raw_client(session, process.websocket_url, alice.token) as client:
            client.ignores_own = True
            data = {"thread_id": thread["id"], "content": "x"}
            try:
                while True:
                    commands = [client.command("rpc", method="create_message", data=data) for _ in range(50)]
                    await client.send(*commands)
                    for command in commands:
                        _note(await client.reply(command["id"]))
            except (Disconnected, aiohttp.ClientConnectionResetError):
                codes.append((await client.closed()).code)
                for answer in client.inbox:
                    _note(answer)

    def _note(answer: Any) -> None:
        if "rpc" in answer:
            acknowledged.add(answer["rpc"]["data"]["id"])
            if len(acknowledged) > 300:
                under_way.set()
        else:
            assert orjson.loads(answer["error"]["message"])["code"] == "shutting_down"

    writers = [asyncio.create_task(write()) for _ in range(8)]
    async with asyncio.timeout(20):
        await under_way.wait()
        assert await process.stop() == 0
        await asyncio.gather(*writers)
    assert set(codes) == {3001}
    await process.start()
    assert acknowledged <= await _messages(alice, thread)
    assert "Traceback" not in process.log.read_text()


async def test_readers_who_do_not_read_do_not_hold_it_up(
    process: ServerProcess, session: aiohttp.ClientSession
) -> None:
    alice = Client(session, process.url, "alice")
    thread = await alice.thread()
    events = f"GET /api/v1/threads/{thread['id']}/events HTTP/1.1\r\nHost: x\r\n"
    async with AsyncExitStack() as stack:
        for _ in range(10):
            socket = await stack.enter_async_context(raw_socket(process.url))
            await socket.command(1, "connect", token=alice.token)
            await socket.frame()
            await socket.command(2, "subscribe", channel=f"thread:{thread['id']}")
            await socket.frame()
            stream = await stack.enter_async_context(small_connection(process.url))
            await stream.send(f"{events}Authorization: Bearer {alice.token}\r\n\r\n".encode())
            await stream.reader.readuntil(b"event: ready")
        while (await alice.get("/health")).data["connections"] == 20:
            await alice.say(thread, "x" * 60_000)  # until the first of them is cut, and the others nearly
        started = time.monotonic()
        assert await process.stop() == 0
        assert time.monotonic() - started < 10
    assert "Traceback" not in process.log.read_text()
    await process.start()


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
