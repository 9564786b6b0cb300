"""Connections that are handed over: between two requests they go on elsewhere, within one they stay until its end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cli.serving.assembly import running
from cli.serving.handover.relay import Relay
from server.http.connections.connection import Connection
from storage.database import FILE_NAME
from tests.builders import until
from tests.prepared import prepare
from tests.realtime_client import PATIENCE
from tests.serving import load_settings

GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> bytes:
        """Its first line."""
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            size = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
            await self._reader.readexactly(int(size.removeprefix(b"Content-Length: ")))
        return head.partition(b"\r\n")[0]

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            try:
                return await self._reader.read() == b""
            except ConnectionResetError:
                return True


@asynccontextmanager
async def caller(listener: socket.socket) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def server(folder: Path, listener: socket.socket, relay: Relay) -> AsyncIterator[None]:
    async with running(load_settings(folder, PREVIEWS="off"), listener.dup(), relay):
        await relay.adopt()
        yield
        relay.leave()
    assert relay.http is not None
    relay.left_at = None


def are_halfway(relay: Relay) -> bool:
    assert relay.http is not None
    server = relay.http._runner.server
    assert server is not None
    return any(connection._head_bytes for connection in server.connections if isinstance(connection, Connection))


async def test_connections_go_on_with_the_next_server(tmp_path: Path) -> None:
    prepare(tmp_path / FILE_NAME)
    relay = Relay()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with caller(listener) as asked, caller(listener) as silent, caller(listener) as halfway:
            async with server(tmp_path, listener, relay):
                for each in (asked, halfway):
                    each.send(GET)
                    assert await each.answer() == b"HTTP/1.1 200 OK"
                halfway.send(GET[:20])
                await until(lambda: are_halfway(relay), "the first bytes of a request are read")
                asyncio.get_running_loop().call_later(0.1, halfway.send, GET[20:])
            assert len(relay.connections) == 3
            assert await halfway.answer() == b"HTTP/1.1 200 OK"
            asked.send(GET)  # while no server runs
            async with server(tmp_path, listener, relay):
                assert relay.connections == []
                assert await asked.answer() == b"HTTP/1.1 200 OK"
                for each in (silent, halfway):
                    each.send(GET)
                    assert await each.answer() == b"HTTP/1.1 200 OK"
            relay.drop()
            assert await silent.is_closed()


async def test_half_a_request_behind_another_one_is_not_lost_in_silence(tmp_path: Path) -> None:
    """The parser has its first bytes, and gives none back: its client sees the end, and may send it again."""
    prepare(tmp_path / FILE_NAME)
    relay = Relay()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with caller(listener) as pipelining:
            async with server(tmp_path, listener, relay):
                pipelining.send(GET + GET[:20])
                assert await pipelining.answer() == b"HTTP/1.1 200 OK"
            assert relay.connections == []
            assert await pipelining.is_closed()
