"""WebSockets that cost next to nothing: raw protocols on uvloop that count what comes instead of understanding it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import orjson

from actors.resources.users import UserRole
from bench.harness import PATIENCE, SECRET
from server.auth.token_minting import mint

PUSH = b'","pub":{"data":{"type":"message.created","thread_id":"'
"""Begins every publication of a message. The longer a mark, the faster it is counted."""
REPLY = b'"rpc":'
HANDSHAKE = (
    b"GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def make_token(subject: str = "bench", role: UserRole = "USER") -> str:
    """Every call makes another one, of the same user."""
    return mint(
        SECRET.encode(), sub=subject, email=f"{subject}@rpotential.ai", name="Bench", domain="rpotential.ai",
        role=role, ttl_seconds=7200, now=time.time(),
    )  # fmt: skip


def frame(payload: bytes) -> bytes:
    """A client's text frame, masked with zeros: the same work for the server, none for us."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, 0x80 | size)) + b"\0\0\0\0" + payload
    if size < 65_536:
        return b"\x81\xfe" + size.to_bytes(2, "big") + b"\0\0\0\0" + payload
    return b"\x81\xff" + size.to_bytes(8, "big") + b"\0\0\0\0" + payload


class Socket(asyncio.Protocol):
    """A WebSocket. `on_data` gets the raw bytes that come after the handshake."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.on_data: Callable[[bytes], object] = lambda data: None
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not of its class
        self.transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if self.opened.done():
            self.on_data(data)
            return
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return
        if not self._head.startswith(b"HTTP/1.1 101"):
            self.opened.set_exception(ConnectionError(self._head[:200].decode()))
            return
        self.opened.set_result(None)
        rest = self._head[end + 4 :]
        if rest:
            self.on_data(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("closed before the handshake"))
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, payload: bytes) -> None:
        self.transport.write(frame(payload))


async def open_socket(port: int, *, source: str | None = None) -> Socket:
    local = (source, 0) if source else None
    _, socket = await asyncio.get_running_loop().create_connection(Socket, "127.0.0.1", port, local_addr=local)
    await socket.opened
    return socket


async def ask(socket: Socket, command: bytes) -> bytes:
    """Send a command and wait for its reply, which is whatever line with an `id` comes next; answers that line."""
    done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    frames = Frames()

    def look(data: bytes) -> None:
        for line in frames.feed(data):
            if line.startswith(b'{"id":') and not done.done():
                done.set_result(line)

    socket.on_data = look
    socket.send(command)
    async with asyncio.timeout(PATIENCE):
        return await done


async def connect(port: int, token: str, *, source: str | None = None) -> Socket:
    """A WebSocket that the server knows."""
    socket = await open_socket(port, source=source)
    came = await ask(socket, b'{"id":1,"connect":{"token":"%b"}}' % token.encode())
    assert b'"connect"' in came, came
    return socket


async def subscribe(socket: Socket, thread: str) -> bytes:
    came = await ask(socket, b'{"id":2,"subscribe":{"channel":"thread:%b"}}' % thread.encode())
    assert b'"subscribe"' in came, came
    return came


def create_message(number: int, thread: str, content: str) -> bytes:
    return b'{"id":%d,"rpc":{"method":"create_message","data":{"thread_id":"%b","content":"%b"}}}' % (
        number % 2**31 + 3,
        thread.encode(),
        content.encode(),
    )


class Counter:
    """Counts a mark in a stream of bytes, also where it is cut in two."""

    __slots__ = ("_mark", "_tail", "count")

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._tail = b""
        self.count = 0

    def feed(self, data: bytes) -> int:
        """How many came with this."""
        mark = self._mark
        rest = len(mark) - 1
        found = data.count(mark)
        if self._tail:
            found += (self._tail + data[:rest]).count(mark)
        self._tail = data[-rest:] if len(data) >= rest else (self._tail + data)[-rest:]
        self.count += found
        return found


class Frames:
    """Takes unmasked frames apart: for the subscribers that are checked in full."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The JSON objects that are complete now."""
        buffer = self._buffer
        buffer += data
        found: list[bytes] = []
        while len(buffer) >= 2:
            size, start = buffer[1], 2
            if size == 126:
                size, start = int.from_bytes(buffer[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(buffer[2:10], "big"), 10
            if len(buffer) < start or len(buffer) < start + size:
                break
            found += bytes(buffer[start : start + size]).split(b"\n")
            del buffer[: start + size]
        return found


def publications(lines: Sequence[bytes]) -> list[Any]:
    """What was published in threads, in order."""
    return [orjson.loads(line)["push"]["pub"] for line in lines if line.startswith(b'{"push":{"channel":"thread:')]


def must_be_gapless(offsets: Sequence[int]) -> None:
    """Raises unless these follow each other."""
    if list(offsets) != list(range(offsets[0], offsets[0] + len(offsets))):
        raise AssertionError("a subscriber missed or repeated an event")
