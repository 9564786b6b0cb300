"""`python -m bench.handover`: what clients notice while one server process hands over to the next, ten times.

500 WebSockets follow 50 threads, 500 messages a second are posted over 100 keep-alive connections, at times that do not
wait for the server, and `xp deploy` and `xp deploy --rollback` follow one another. At the end each message must have
been taken once, and have reached each subscriber of its thread once, in order.
"""

import argparse
import asyncio
import os
import random
import re
import select
import signal
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson
import uvloop

from bench.client import Frames, Socket, ask, make_token, open_socket, publications
from bench.harness import ROOT, SECRET, Process, free_port, prepare_generator
from bench.http_client import make_threads, post_request
from storage.lock import holder

THREADS = 50
POSTERS = 100
REST_SECONDS = 3.0
"""Between two hand-overs."""
AROUND_SECONDS = 2.0
"""Requests that were due so long before or after the end of a hand-over are those during it."""
GOODBYE = (3001).to_bytes(2, "big")
"""With which the server asks to reconnect; a client takes leave by the same."""
RETRY_SECONDS = 0.2
"""A subscriber that was asked to reconnect waits as long as this at most, at random."""


@dataclass
class Book:
    """What was posted, and what became of it."""

    answered: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    """Thread → (offset, content), in the order of the answers."""
    failed: list[str] = field(default_factory=list)
    seconds: list[tuple[float, float]] = field(default_factory=list)
    """(when a request was due, how long its answer took from then)."""


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
    """Posts messages at a fixed rate, which does not wait for the server."""

    def __init__(self, port: int, threads: Sequence[str], rate: int, book: Book) -> None:
        self._port = port
        self._threads = threads
        self._rate = rate
        self._book = book
        self._token = make_token()
        self._free: deque[Poster] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(POSTERS):
            _, poster = await loop.create_connection(Poster, "127.0.0.1", self._port)
            self._free.append(poster)

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
        while not self._free:
            self._room.clear()
            await self._room.wait()
        poster = self._free.popleft()
        thread, content = self._threads[number % len(self._threads)], f"message {number}"
        try:
            data = orjson.loads(await poster.ask(post_request(thread, self._token, content)))["data"]
        except ConnectionError as error:
            self._book.failed.append(f"{content}: {error}")
            _, poster = await asyncio.get_running_loop().create_connection(Poster, "127.0.0.1", self._port)
        else:
            self._book.answered[thread].append((data["offset"], content))
            self._book.seconds.append((due, time.perf_counter() - due))
        self._free.append(poster)
        self._room.set()

    def close(self) -> None:
        for poster in self._free:
            poster.transport.abort()


class Subscriber:
    """Follows a thread, and comes back with its cursor."""

    def __init__(self, port: int, thread: str, token: str) -> None:
        self._port = port
        self._thread = thread
        self._token = token
        self._cursor = b""
        self.seen: list[tuple[int, str]] = []
        """(offset, content)."""
        self.away: list[float] = []
        """Seconds, each time."""
        self.joined = asyncio.Event()
        self.news = asyncio.Event()
        self._socket: Socket | None = None

    async def follow(self) -> None:
        """Until cancelled."""
        left: float | None = None
        while True:
            try:
                await self._join()
            except OSError:  # closed by the old process while it joined
                await asyncio.sleep(RETRY_SECONDS / 4)
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
        await _unless_closed(socket, ask(socket, b'{"id":1,"connect":{"token":"%b"}}' % self._token.encode()))
        joined: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def take(data: bytes) -> None:
            lines = frames.feed(data)
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
        socket.send(b'{"id":2,"subscribe":{"channel":"thread:%b"%b}}' % (self._thread.encode(), self._cursor))
        answer = orjson.loads(await _unless_closed(socket, joined))["subscribe"]
        assert not self._cursor or answer["recovered"], answer
        self._epoch = answer["epoch"]
        self._remember(answer["offset"])
        self._take([*answer.get("publications", ()), *publications(early)])
        self.joined.set()

    def _take(self, found: Sequence[dict[str, Any]]) -> None:
        for publication in found:
            if "offset" in publication:
                if publication["data"]["type"] == "message.created":
                    self.seen.append((publication["offset"], publication["data"]["data"]["content"]))
                self._remember(publication["offset"])
                self.news.set()

    def _remember(self, offset: int) -> None:
        self._cursor = b',"recover":true,"epoch":"%b","offset":%d' % (self._epoch.encode(), offset)

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


async def deploy(folder: Path, *arguments: str) -> tuple[float, float]:
    """(seconds in which requests waited, when it was over). Raises what it has said where it failed."""
    command = [sys.executable, "-m", "cli.main", "deploy", "--data-dir", str(folder), *arguments]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=-1, stderr=-1)
    out, errors = await process.communicate()
    said = out.decode() + errors.decode()
    found = re.search(r"waited for ([\d.]+) s", said)
    if process.returncode or found is None:
        raise RuntimeError(said)
    return float(found[1]), time.perf_counter()


def end(folder: Path) -> None:
    """The server that there is."""
    while pid := holder(folder):
        gone = os.pidfd_open(pid)
        os.kill(pid, signal.SIGTERM)
        select.select([gone], [], [], 30)
        os.close(gone)


def quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def must_be_exact(book: Book, subscribers: Sequence[tuple[str, Subscriber]]) -> None:
    """Raises unless each message was taken once, and reached each subscriber once, in order."""
    for thread, answered in book.answered.items():
        offsets = sorted(offset for offset, _ in answered)
        assert offsets == list(range(offsets[0], offsets[0] + len(offsets))), f"{thread}: lost, or doubled"
    for thread, subscriber in subscribers:
        assert subscriber.seen == sorted(book.answered[thread]), f"{thread}: a subscriber missed or repeated one"


async def measure(connections: int, rate: int, times: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="xp-bench-") as name:
        folder, port = Path(name) / "data", free_port()
        environment = {
            "DATA_DIR": str(folder), "PORT": str(port), "JWT_SECRET": SECRET, "RATE_LIMITS": "off",
            "LOG_LEVEL": "warning",
        }  # fmt: skip
        process = Process([sys.executable, "-m", "cli.main", "serve"], environment, Path(name) / "log")
        try:
            process.wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
            return await _measured(folder, port, connections, rate, times)
        finally:
            end(folder)
            process.stop()


async def _measured(folder: Path, port: int, connections: int, rate: int, times: int) -> dict[str, Any]:
    token, book = make_token(), Book()
    threads = await make_threads(f"http://127.0.0.1:{port}", THREADS, token)
    subscribers = [
        (thread, Subscriber(port, thread, token)) for thread in (threads[n % THREADS] for n in range(connections))
    ]
    following = [asyncio.ensure_future(subscriber.follow()) for _, subscriber in subscribers]
    load, is_over = Load(port, threads, rate, book), asyncio.Event()
    try:
        await asyncio.gather(*(subscriber.joined.wait() for _, subscriber in subscribers))
        await load.open()
        posting = asyncio.ensure_future(load.run(is_over))
        pauses: list[tuple[float, float]] = []
        for number in range(times):
            await asyncio.sleep(REST_SECONDS)
            pauses.append(await deploy(folder, *(["--rollback"] if number % 2 else [])))
        await asyncio.sleep(REST_SECONDS)
        is_over.set()
        await posting
        async with asyncio.timeout(60):
            for thread, subscriber in subscribers:
                while len(subscriber.seen) < len(book.answered[thread]):
                    subscriber.news.clear()
                    await subscriber.news.wait()
    finally:
        for task in following:
            task.cancel()
        await asyncio.wait(following)
        load.close()
        for _, subscriber in subscribers:
            subscriber.close()
    must_be_exact(book, subscribers)
    return _figures(book, pauses, [seconds for _, subscriber in subscribers for seconds in subscriber.away])


def _figures(book: Book, pauses: Sequence[tuple[float, float]], away: Sequence[float]) -> dict[str, Any]:
    during = [s for due, s in book.seconds if any(abs(at - due) <= AROUND_SECONDS for _, at in pauses)]
    apart = [s for due, s in book.seconds if all(abs(at - due) > AROUND_SECONDS for _, at in pauses)]
    span = book.seconds[-1][0] - book.seconds[0][0]

    def spread(values: Sequence[float]) -> dict[str, float]:
        return {name: round(quantile(values, part) * 1000) for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1))}

    return {
        "handovers": len(pauses),
        "requests": len(book.seconds),
        "requests a second": round(len(book.seconds) / span),
        "failed": len(book.failed),
        "failures": book.failed[:5],
        "lost or doubled": 0,  # else `must_be_exact` has raised
        "pause, ms": [round(pause * 1000) for pause, _ in pauses],
        "requests during a hand-over, ms": spread(during),
        "requests at other times, ms": spread(apart),
        "subscribers were away, ms": spread(away),
        "reconnections": len(away),
        "load average": [round(value, 1) for value in os.getloadavg()],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.handover", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--rate", type=int, default=500, help="messages a second")
    parser.add_argument("--times", type=int, default=10)
    arguments = parser.parse_args()
    prepare_generator()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(measure(arguments.connections, arguments.rate, arguments.times))
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
