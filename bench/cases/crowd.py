"""Targets 12 and 13: people who come and go, and readers who do not read; what everybody else notices of it."""

import asyncio
import contextlib
import socket as sockets
import time
from collections.abc import AsyncIterator, Callable, Sequence

from bench.client import (
    HANDSHAKE,
    Frames,
    Socket,
    connect,
    create_message,
    frame,
    make_token,
    publications,
    subscribe,
)
from bench.harness import Meter, Running, server
from bench.http_client import add_members, make_threads
from bench.results import Figure, Outcome, percentile
from bench.rig import gather

RATE = 50
"""Messages a second, while the latency is measured."""
FILL = "x" * 180
WRITERS = 4
"""Each writes less than a connection may."""
PARSING = 20


class Listeners:
    """Subscribers of one thread; every twentieth notes how long a message took."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.sockets: list[Socket] = []

    async def join(self, running: Running, thread: str, tokens: Sequence[str]) -> None:
        """One for each token (the same one as often as wanted)."""

        async def one(index: int, token: str) -> Socket:
            socket = await connect(running.port, token)
            await subscribe(socket, thread)
            socket.on_data = self._timing(socket) if index % PARSING == 0 else _pong(socket)
            return socket

        self.sockets += await gather([one(index, token) for index, token in enumerate(tokens)])

    def _timing(self, socket: Socket) -> Callable[[bytes], object]:
        frames = Frames()

        def take(data: bytes) -> None:
            lines = frames.feed(data)
            if b"{}" in lines:
                socket.send(b"{}")
            for publication in publications(lines):
                if publication["data"]["type"] == "message.created":
                    sent = float(publication["data"]["data"]["content"].partition(" ")[0])
                    self.times.append((time.perf_counter() - sent) * 1000)

        return take

    async def measure(self, figure: Figure, running: Running, thread: str, token: str, seconds: float) -> float:
        """The p99 of a delivery; answers the server's share of its core."""
        writers = [await connect(running.port, token) for _ in range(WRITERS)]
        self.times.clear()
        meter, started = Meter(running.process), time.perf_counter()
        for index in range(int(seconds * RATE)):
            wait = started + index / RATE - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            writers[index % WRITERS].send(create_message(index, thread, f"{time.perf_counter():.6f} {FILL}"))
        await asyncio.sleep(0.2)
        usage = meter.read()
        figure.add(percentile(self.times, 0.99), usage)
        for writer in writers:
            writer.transport.abort()
        return usage.server

    def close(self) -> None:
        for socket in self.sockets:
            socket.transport.abort()


def _pong(socket: Socket) -> Callable[[bytes], object]:
    return lambda data: socket.send(b"{}") if data.endswith(b"{}") else None


async def presence(quick: bool) -> Outcome:
    """1,000 members of one thread, each a person of their own; each second a hundred leave and as many others come."""
    outcome = Outcome()
    count, rate, seconds = (200, 20, 1.0) if quick else (1_000, 100, 5.0)
    alone = outcome.figure(f"delivery to {count:,}, nobody comes or goes, p99", "ms")
    busy = outcome.figure(f"delivery to {count:,}, {rate}/s come and go, p99", "ms")
    cost = outcome.figure(f"{rate}/s come and go, beside the same without", "% of a core")
    with server() as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        members = [make_token(f"member-{number}") for number in range(count + 2 * rate)]
        await add_members(running.url, thread, token, members)
        listeners = Listeners()
        await listeners.join(running, thread, members[:count])
        for _ in range(1 if quick else 3):
            base = await listeners.measure(alone, running, thread, token, seconds)
            async with _turnover(running, thread, members[count:], rate, listeners.sockets):
                share = await listeners.measure(busy, running, thread, token, seconds)
            cost.add((share - base) * 100)
        listeners.close()
    outcome.target_of("12", f"{rate}/s come and go in a thread of {count:,}", cost, most=15.0)
    outcome.target_ratio("12", "message p99 meanwhile, beside without", busy, alone, "×", most=1.5)
    return outcome


@contextlib.asynccontextmanager
async def _turnover(
    running: Running, thread: str, tokens: Sequence[str], rate: int, present: list[Socket]
) -> AsyncIterator[None]:
    """As many are there as before: for each who comes, whoever came a second ago leaves, to be back a second later."""

    async def turn() -> None:
        started, index = time.perf_counter(), 0
        while True:
            index += 1
            await asyncio.sleep(max(0.0, started + index / rate - time.perf_counter()))
            visitor = await connect(running.port, tokens[index % len(tokens)])
            await subscribe(visitor, thread)
            visitor.on_data = _pong(visitor)
            present.append(visitor)
            present.pop(-rate - 1).transport.abort()

    task = asyncio.create_task(turn())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def slow_readers(quick: bool) -> Outcome:
    """Of 1,000, 50 have stopped reading and 50 read 100 bytes a second."""
    outcome = Outcome()
    count, slow, seconds = (100, 5, 1.0) if quick else (900, 50, 5.0)
    alone = outcome.figure(f"delivery to {count:,}, all read, p99", "ms")
    beside = outcome.figure(f"delivery to {count:,} beside {2 * slow} who do not, p99", "ms")
    memory = outcome.figure(f"memory for each of {2 * slow} slow readers", "KiB")
    for _ in range(1 if quick else 3):
        with server() as running:
            token = make_token()
            (thread,) = await make_threads(running.url, 1, token)
            listeners = Listeners()
            await listeners.join(running, thread, [token] * count)
            await listeners.measure(alone, running, thread, token, seconds)
            before = running.process.rss_kib()
            readers = await asyncio.to_thread(_slow, running.port, thread, token, 2 * slow)
            trickle = asyncio.create_task(_trickle(readers[:slow]))
            await listeners.measure(beside, running, thread, token, seconds)
            memory.add(max(0.0, running.process.rss_kib() - before) / len(readers))
            trickle.cancel()
            for reader in readers:
                reader.close()
            listeners.close()
    outcome.target_ratio("13", "message p99 beside slow readers", beside, alone, "× without", most=1.3)
    outcome.target_of("13", "memory for each slow reader", memory, most=1024.0 + 64.0)
    return outcome


def _slow(port: int, thread: str, token: str, count: int) -> list[sockets.socket]:
    """Plain sockets with the smallest buffers, subscribed; then nobody reads them."""
    found = []
    for _ in range(count):
        reader = sockets.socket()
        reader.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 1)
        reader.connect(("127.0.0.1", port))
        reader.sendall(HANDSHAKE)
        reader.recv(4096)
        reader.sendall(frame(b'{"id":1,"connect":{"token":"%b"}}' % token.encode()))
        reader.recv(4096)
        reader.sendall(frame(b'{"id":2,"subscribe":{"channel":"thread:%b"}}' % thread.encode()))
        reader.recv(4096)
        reader.setblocking(False)
        found.append(reader)
    return found


async def _trickle(readers: list[sockets.socket]) -> None:
    """100 bytes a second each."""
    while True:
        for reader in readers:
            with contextlib.suppress(OSError):
                reader.recv(10)
        await asyncio.sleep(0.1)
