"""Clients that cost next to nothing: raw protocols on uvloop that count what comes instead of understanding it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import cast

import orjson

from bench.processes import SECRET
from server.tokens import mint

PUSH = b'"pub":'
REPLY = b'"rpc":'
HANDSHAKE = (
    b"GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PATIENCE = 60.0


def token(subject: str = "bench") -> str:
    return mint(
        SECRET.encode(), sub=subject, email=f"{subject}@rpotential.ai", name="Bench", domain="rpotential.ai",
        ttl_seconds=7200, now=time.time(),
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
    loop = asyncio.get_running_loop()
    local = (source, 0) if source else None
    _, socket = await loop.create_connection(Socket, "127.0.0.1", port, local_addr=local)
    await socket.opened
    return socket


async def expect(socket: Socket, *marks: bytes) -> bytes:
    """Wait until all marks have come; answers what came."""
    came = bytearray()
    done = asyncio.get_running_loop().create_future()

    def look(data: bytes) -> None:
        came.extend(data)
        if all(mark in came for mark in marks) and not done.done():
            done.set_result(None)

    socket.on_data = look
    async with asyncio.timeout(PATIENCE):
        await done
    return bytes(came)


async def connect(port: int, good_token: str, *, source: str | None = None) -> Socket:
    """A WebSocket that the server knows."""
    socket = await open_socket(port, source=source)
    socket.send(b'{"id":1,"connect":{"token":"%b"}}' % good_token.encode())
    came = await expect(socket, b'"id":1')
    assert b'"connect"' in came, came
    return socket


async def subscribe(socket: Socket, thread: str) -> None:
    socket.send(b'{"id":2,"subscribe":{"channel":"thread:%b"}}' % thread.encode())
    came = await expect(socket, b'"id":2')
    assert b'"subscribe"' in came, came


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
        found = (self._tail + data[: len(mark) - 1]).count(mark) + data.count(mark) if self._tail else data.count(mark)
        self._tail = data[-(len(mark) - 1) :]
        self.count += found
        return found


class Frames:
    """Takes unmasked frames apart: for the one subscriber that is checked in full."""

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
            if len(buffer) < start + size or (start > 2 and len(buffer) < start):
                break
            found += bytes(buffer[start : start + size]).split(b"\n")
            del buffer[: start + size]
        return found


def must_be_gapless(lines: Sequence[bytes]) -> int:
    """Raises unless the publications among these lines have consecutive offsets; answers how many there are."""
    offsets = [orjson.loads(line)["push"]["pub"]["offset"] for line in lines if line.startswith(b'{"push"')]
    if offsets and offsets != list(range(offsets[0], offsets[0] + len(offsets))):
        raise AssertionError("a subscriber missed or repeated an event")
    return len(offsets)


class Caller(asyncio.Protocol):
    """One keep-alive HTTP connection that sends its next request when the last was answered."""

    transport: asyncio.Transport

    def __init__(self, requests: Callable[[], bytes]) -> None:
        self._requests = requests
        self._buffer = b""
        self.answered = 0
        self.stopped = False
        self.failure: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not of its class
        self.transport.write(self._requests())

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        mark = buffer.find(b"Content-Length: ")
        size = int(buffer[mark + 16 : buffer.find(b"\r\n", mark)])
        if len(buffer) < end + 4 + size:
            return
        if not buffer.startswith(b"HTTP/1.1 2"):
            self.failure = buffer[:500]
            return
        self.answered += 1
        self._buffer = b""
        if not self.stopped:
            self.transport.write(self._requests())


def post_request(thread: str, good_token: str, content: str) -> bytes:
    body = orjson.dumps({"content": content})
    return (
        b"POST /api/v1/threads/%b/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (thread.encode(), good_token.encode(), len(body), body)
    )
