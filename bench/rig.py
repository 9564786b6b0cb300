"""What the cases share: subscribers, publishers at saturation, windows of time."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from bench.client import (
    PUSH,
    REPLY,
    Counter,
    Frames,
    Socket,
    connect,
    create_message,
    must_be_gapless,
    open_socket,
    publications,
    subscribe,
)
from bench.harness import PATIENCE, Meter, Process, Usage

CONTENT = "x" * 200
PLAIN_MARK = b"A message of the plain server, which begins like this: "
PLAIN = PLAIN_MARK + b"x" * (200 - len(PLAIN_MARK))
T = TypeVar("T")


async def gather(work: Sequence[Coroutine[Any, Any, T]], at_once: int = 100) -> list[T]:
    """Await all, some at a time."""
    room = asyncio.Semaphore(at_once)

    async def one(job: Coroutine[Any, Any, T]) -> T:
        async with room:
            return await job

    try:
        return await asyncio.gather(*map(one, work))
    finally:
        for job in work:
            job.close()  # those that never began, where this was interrupted


async def until(done: Callable[[], bool], what: Callable[[], str]) -> None:
    """Raises what it waited for in vain."""
    end = time.perf_counter() + PATIENCE / 4
    while not done():
        if time.perf_counter() > end:
            raise AssertionError(what())
        await asyncio.sleep(0.01)


async def per_second(
    count: Callable[[], float], seconds: float, process: Process, *, settle: float = 0.4
) -> tuple[float, Usage]:
    """How fast a count grows, after a moment to settle, and who used the cores meanwhile."""
    await asyncio.sleep(settle)
    meter, before = Meter(process), count()
    await asyncio.sleep(seconds)
    return (count() - before) / meter.seconds, meter.read()


class Subscribers:
    """Sockets that count the publications they get; the first one keeps them all, for `check`."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.counters: list[Counter] = []
        self._kept: list[bytes] = []

    async def join(self, port: int, threads: Sequence[str], token: str) -> None:
        """One subscriber for each thread named (the same one as often as wanted)."""

        async def one(thread: str) -> Socket:
            socket = await connect(port, token)
            await subscribe(socket, thread)
            return socket

        self.sockets = await gather([one(thread) for thread in threads])
        for index, socket in enumerate(self.sockets):
            counter = Counter(PUSH)
            self.counters.append(counter)
            socket.on_data = self._keeping(counter) if index == 0 else counter.feed

    def _keeping(self, counter: Counter) -> Callable[[bytes], object]:
        frames = Frames()

        def take(data: bytes) -> None:
            counter.feed(data)
            self._kept += frames.feed(data)

        return take

    @property
    def delivered(self) -> int:
        return sum(counter.count for counter in self.counters)

    async def check(self, expected: int) -> None:
        """Raises unless everyone got every message, and the first one in order and whole."""
        await until(
            lambda: all(counter.count == expected for counter in self.counters),
            lambda: f"of {expected} messages each, subscribers got {sorted({c.count for c in self.counters})[:5]}",
        )
        kept = [publication for publication in publications(self._kept) if "offset" in publication]
        must_be_gapless([publication["offset"] for publication in kept])
        assert all(publication["data"]["data"]["content"] == CONTENT for publication in kept)

    def close(self) -> None:
        for socket in self.sockets:
            socket.transport.abort()


class Publishers:
    """Sockets that each keep some rpc commands in flight: as one is answered, the next is sent."""

    def __init__(self, in_flight: int) -> None:
        self._in_flight = in_flight
        self._sockets: list[Socket] = []
        self._numbers = itertools.count(10)
        self._stopped = False
        self._unexpected = b""
        self.sent = 0
        self.acknowledged = 0

    async def start(self, port: int, count: int, threads: Sequence[str], token: str) -> None:
        self._sockets = await gather([connect(port, token) for _ in range(count)])
        turns = itertools.cycle(threads)
        for socket in self._sockets:
            self._run(socket, turns)

    def _run(self, socket: Socket, turns: "itertools.cycle[str]") -> None:
        counter = Counter(REPLY)

        def answer(data: bytes) -> None:
            count = counter.feed(data)
            self.acknowledged += count
            if not count and b'"error":{' in data:
                self._unexpected = data
            if count and not self._stopped:
                socket.send(self._commands(turns, count))

        socket.on_data = answer
        socket.send(self._commands(turns, self._in_flight))

    def _commands(self, turns: "itertools.cycle[str]", count: int) -> bytes:
        self.sent += count
        return b"\n".join([create_message(next(self._numbers), next(turns), CONTENT) for _ in range(count)])

    async def stop(self) -> None:
        """Raises unless every command was answered well."""
        self._stopped = True
        await until(
            lambda: self.acknowledged == self.sent,
            lambda: f"{self.acknowledged} acks for {self.sent} commands; {self._unexpected[:200]!r}",
        )

    def close(self) -> None:
        for socket in self._sockets:
            socket.transport.abort()


class PlainSubscribers:
    """Yardstick A: subscribers and publishers of the plain server."""

    def __init__(self) -> None:
        self.counters: list[Counter] = []
        self.sockets: list[Socket] = []

    async def join(self, port: int, count: int) -> None:
        self.sockets = await gather([open_socket(port) for _ in range(count)])
        for socket in self.sockets:
            counter = Counter(PLAIN_MARK)
            self.counters.append(counter)
            socket.on_data = counter.feed
            socket.send(b"S")

    async def publish(self, port: int, count: int) -> None:
        for socket in await gather([open_socket(port) for _ in range(count)]):
            self.sockets.append(socket)
            self._run(socket)

    def _run(self, socket: Socket) -> None:
        counter = Counter(b"ok")

        def answer(data: bytes) -> None:
            for _ in range(counter.feed(data)):
                socket.send(PLAIN)

        socket.on_data = answer
        socket.send(PLAIN)

    @property
    def delivered(self) -> int:
        return sum(counter.count for counter in self.counters)

    def close(self) -> None:
        for socket in self.sockets:
            socket.transport.abort()
