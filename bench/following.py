"""A subscriber that comes back with its cursor, as the SDKs do, and knows what it has seen."""

import asyncio
import random
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import orjson

from bench.client import Frames, Socket, ask, open_socket, publications

GOODBYE = (3001).to_bytes(2, "big")
"""With which the server asks to reconnect; a client takes leave by the same."""
PING = b"{}"
"""And its answer."""
RETRY_SECONDS = 0.2
"""A subscriber that was asked to reconnect waits as long as this at most, at random."""


class Subscriber:
    """Follows a thread."""

    def __init__(self, port: int, thread: str, token: str) -> None:
        self._port = port
        self.thread = thread
        self._token = token
        self._cursor = b""
        self._epoch = ""
        self.seen: list[tuple[int, str]] = []
        """(offset, content)."""
        self.away: list[float] = []
        """Seconds, each time."""
        self.refused = 0
        """Times it was asked to come again later."""
        self.joined = asyncio.Event()
        self.news = asyncio.Event()
        self._socket: Socket | None = None

    async def follow(self) -> None:
        """Until cancelled. Raises `AssertionError` where it cannot go on from its cursor."""
        left: float | None = None
        while True:
            try:
                await self._join()
            except OSError:  # closed by the old process while it joined, or asked to come again
                await asyncio.sleep(random.uniform(0, RETRY_SECONDS))
                continue
            if left is not None:
                self.away.append(time.perf_counter() - left)
            assert self._socket is not None
            await self._socket.closed
            left = time.perf_counter()
            await asyncio.sleep(random.uniform(0, RETRY_SECONDS))

    async def _join(self) -> None:
        socket = self._socket = await open_socket(self._port)
        frames, early = Frames(), list[bytes]()
        connected = await _unless_closed(
            socket, ask(socket, b'{"id":1,"connect":{"token":"%b"}}' % self._token.encode())
        )
        self._check(orjson.loads(connected))
        joined: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def take(data: bytes) -> None:
            lines = frames.feed(data)
            if PING in lines:
                socket.send(PING)
            if any(line.startswith(GOODBYE) for line in lines):
                socket.transport.write(b"\x88\x82\0\0\0\0" + GOODBYE)
                socket.transport.close()
            for line in lines:
                if line.startswith(b'{"id":2') and not joined.done():
                    joined.set_result(line)
            if joined.done() and self.joined.is_set():
                self._take(publications(lines))
            else:
                early.extend(lines)

        self.joined.clear()
        socket.on_data = take
        socket.send(b'{"id":2,"subscribe":{"channel":"thread:%b"%b}}' % (self.thread.encode(), self._cursor))
        answer = self._check(orjson.loads(await _unless_closed(socket, joined)))["subscribe"]
        assert not self._cursor or answer.get("recovered"), f"cannot go on from {self._cursor!r}: {answer}"
        self._epoch = answer["epoch"]
        self._remember(answer["offset"])
        self._take([*answer.get("publications", ()), *publications(early)])
        self.joined.set()

    def _check(self, reply: dict[str, Any]) -> dict[str, Any]:
        """The reply. Raises `ConnectionError` for an error that goes by, `AssertionError` for another."""
        if error := reply.get("error"):
            assert error.get("temporary"), error
            self.refused += 1
            assert self._socket is not None
            self._socket.transport.abort()
            raise ConnectionError(error["message"])
        return reply

    def _take(self, found: Sequence[dict[str, Any]]) -> None:
        for publication in found:
            if "offset" in publication:
                if publication["data"]["type"] == "message.created":
                    self.seen.append((publication["offset"], publication["data"]["data"]["content"]))
                self._remember(publication["offset"])
                self.news.set()

    def _remember(self, offset: int) -> None:
        self._cursor = b',"recover":true,"epoch":"%b","offset":%d' % (self._epoch.encode(), offset)

    async def wait_until_seen(self, count: int) -> None:
        while len(self.seen) < count:
            self.news.clear()
            await self.news.wait()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()


async def _unless_closed(socket: Socket, answer: Awaitable[bytes]) -> bytes:
    """Raises `ConnectionError`."""
    asked: asyncio.Future[bytes] = asyncio.ensure_future(answer)
    both: set[asyncio.Future[Any]] = {asked, socket.closed}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if not asked.done():
        asked.cancel()
        raise ConnectionError("closed while it joined")
    return asked.result()
