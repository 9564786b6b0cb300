"""A reader who does not read: what it is told in the end, and what it may cost. What others notice: test_hostile.py."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from actors import limits
from server.realtime.sse.transport import StreamTransport
from server.realtime.transports.websocket import WebSocketTransport
from tests.raw_socket import CLOSE, frame, raw_socket, small_connection
from tests.server.realtime.gauge import Gauge
from tests.server.realtime.raw_readers import stream_of, websocket_of
from tests.server.realtime.waiting import connections, until
from tests.serving import Client, Server

LARGE = "x" * 60_000
MUCH = 200
"""Times LARGE: more than the kernel's buffers and all of ours take."""


async def test_a_reader_who_comes_back_in_time_is_told(server: Server, alice: Client) -> None:
    """What was on its way, whole and in order, then the code; from the last offset the rest is there."""
    thread = await alice.thread()
    async with raw_socket(server.url) as socket:
        await websocket_of(socket, alice, thread)
        await asyncio.gather(*(alice.say(thread, LARGE) for _ in range(MUCH)))
        seen: list[int] = []
        while True:
            opcode, payload = await socket.frame()
            if opcode == CLOSE:
                break
            seen += [orjson.loads(line)["push"]["pub"]["offset"] for line in payload.split(b"\n")]
        assert payload == b"\x0b\xc0slow"
        assert seen == list(range(2, 2 + len(seen)))
        assert len(seen) < MUCH
    page = await alice.get(f"/api/v1/threads/{thread['id']}/log", after=str(seen[-1]), limit="1")
    assert page.data[0]["offset"] == seen[-1] + 1


@pytest.mark.parametrize("code", [3001, 3005, 3501])
async def test_a_reader_who_is_behind_gets_the_code_of_the_end(server: Server, alice: Client, code: int) -> None:
    """Not slow enough to be cut: what is buffered goes out before the goodbye."""
    thread = await alice.thread()
    transports: list[Any] = []
    async with raw_socket(server.url) as socket:
        await websocket_of(socket, alice, thread)
        (client,) = server.services.hub._clients
        transport = client._connection._transport._transport  # type: ignore[attr-defined]
        transports.append(transport)
        said = 0
        while not transport.get_write_buffer_size():
            await alice.say(thread, LARGE)
            said += 1
        await alice.say(thread, "the last")
        client.close(code, "because")
        seen: list[int] = []
        while True:
            opcode, payload = await socket.frame()
            if opcode == CLOSE:
                break
            seen += [orjson.loads(line)["push"]["pub"]["offset"] for line in payload.split(b"\n")]
        assert int.from_bytes(payload[:2], "big") == code
        assert seen[:said] == list(range(2, 2 + said))


@pytest.mark.parametrize("transport", [WebSocketTransport, StreamTransport])
async def test_the_end_of_a_reader_who_reads_nothing_any_more(
    server: Server, alice: Client, transport: Callable[..., Any]
) -> None:
    """Buffered, but too little to be slow; then the server says goodbye: nothing of it stays behind."""
    thread = await alice.thread()
    is_socket = transport is WebSocketTransport
    async with (raw_socket if is_socket else small_connection)(server.url) as socket:
        await (websocket_of if is_socket else stream_of)(socket, alice, thread)
        (client,) = server.services.hub._clients
        wire = (client._connection if is_socket else client._actor)._transport  # type: ignore[attr-defined]
        while wire.buffered() <= limits.SOCKET_BUFFER_BYTES:
            await alice.say(thread, LARGE)
        client.close(3005, "connection expired")
        await until(lambda: wire._transport.is_closing() and not wire.buffered())
        await until(lambda: connections(server) == 0)
    assert server.services.hub.size == 0


async def test_a_history_that_nobody_reads(server: Server, alice: Client, gauge: Gauge) -> None:
    """A hundred replies of half a megabyte are asked for and not taken."""
    thread = await alice.thread()
    for _ in range(10):
        await alice.say(thread, LARGE)
    async with raw_socket(server.url) as socket:
        await websocket_of(socket, alice, thread)
        body = {"channel": f"thread:{thread['id']}", "limit": 100}
        asked = b"\n".join(orjson.dumps({"id": 3 + n, "history": body}) for n in range(100))
        await socket.send(frame(asked))
        await until(lambda: connections(server) == 0)
    assert gauge.most < 4 * limits.SEND_BUFFER_BYTES


async def test_a_replay_that_nobody_reads(server: Server, alice: Client, gauge: Gauge) -> None:
    """Much happens while the history of a new subscription is read; then nobody takes it."""
    thread = await alice.thread()
    async with raw_socket(server.url) as socket:
        await socket.command(1, "connect", token=alice.token)
        await socket.frame()
        writing = asyncio.gather(*(alice.say(thread, LARGE) for _ in range(MUCH)))
        await socket.command(2, "subscribe", channel=f"thread:{thread['id']}", recover=True)
        await writing
        await asyncio.gather(*(alice.say(thread, LARGE) for _ in range(MUCH)))
        await until(lambda: connections(server) == 0)
    assert gauge.most < 4 * limits.SEND_BUFFER_BYTES
