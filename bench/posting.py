"""Messages at a fixed rate that does not wait for the server, by keep-alive connections that outlive a hand-over."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import orjson

from bench.client import make_token
from bench.http_client import post_request

POSTERS = 100


@dataclass
class Book:
    """What was posted, and what became of it."""

    answered: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    """Thread → (offset, content), in the order of the answers."""
    failed: list[str] = field(default_factory=list)
    seconds: list[tuple[float, float]] = field(default_factory=list)
    """(when a request was due, how long its answer took from then)."""

    def check(self) -> None:
        """Raises `AssertionError` unless each thread has each offset once."""
        for thread, answered in self.answered.items():
            offsets = sorted(offset for offset, _ in answered)
            assert offsets == list(range(offsets[0], offsets[0] + len(offsets))), f"{thread}: lost, or doubled"


class Poster(asyncio.Protocol):
    """A keep-alive connection with one request at a time."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are not of its class

    async def ask(self, request: bytes) -> bytes:
        """The body of a success. Raises `ConnectionError`."""
        if self.transport.is_closing():
            raise ConnectionError("the connection was closed between two requests")
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        mark = self._buffer.find(b"Content-Length: ")
        size = int(self._buffer[mark + 16 : self._buffer.find(b"\r\n", mark)])
        if len(self._buffer) < end + 4 + size or self._answer is None:
            return
        whole, self._buffer = self._buffer, b""
        if whole.startswith(b"HTTP/1.1 201"):
            self._answer.set_result(whole[end + 4 :])
        else:
            self._answer.set_exception(ConnectionError(whole[:300].decode()))
        self._answer = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(ConnectionError(f"the connection was closed: {exc}"))


class Load:
    """Posts to each thread in turn."""

    def __init__(self, port: int, threads: Sequence[str], rate: int, book: Book) -> None:
        self._port = port
        self._threads = threads
        self._rate = rate
        self._book = book
        self._token = make_token()
        self._free: asyncio.Queue[Poster] = asyncio.Queue()
        self._under_way: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(POSTERS):
            _, poster = await loop.create_connection(Poster, "127.0.0.1", self._port)
            self._free.put_nowait(poster)

    async def run(self, is_over: asyncio.Event) -> None:
        began, number = time.perf_counter(), 0
        while not is_over.is_set():
            due = began + number / self._rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.ensure_future(self._post(number, due))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            number += 1
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _post(self, number: int, due: float) -> None:
        poster = await self._free.get()
        thread, content = self._threads[number % len(self._threads)], f"message {number}"
        try:
            data = orjson.loads(await poster.ask(post_request(thread, self._token, content)))["data"]
        except ConnectionError as error:
            self._book.failed.append(f"{content}: {error}")
            _, poster = await asyncio.get_running_loop().create_connection(Poster, "127.0.0.1", self._port)
        else:
            self._book.answered[thread].append((data["offset"], content))
            self._book.seconds.append((due, time.perf_counter() - due))
        self._free.put_nowait(poster)

    def close(self) -> None:
        while not self._free.empty():
            self._free.get_nowait().transport.abort()
