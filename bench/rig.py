"""What the cases share: threads made over REST, subscribers, publishers at saturation, windows of time."""

import asyncio
import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from bench.clients import PUSH, REPLY, Counter, Frames, Socket, connect, must_be_gapless, open_socket, subscribe, token

CONTENT = "x" * 200


def call(url: str, method: str, path: str, good_token: str, body: Any = None) -> Any:
    """One REST request, at leisure; answers `data`."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {good_token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


async def make_threads(url: str, count: int, good_token: str) -> list[str]:
    def make() -> list[str]:
        return [call(url, "POST", "/api/v1/threads", good_token, {"title": f"Thread {n}"})["id"] for n in range(count)]

    return await asyncio.to_thread(make)


async def gather(work: Sequence[Any], at_once: int = 100) -> list[Any]:
    """Await all, some at a time."""
    room = asyncio.Semaphore(at_once)

    async def one(job: Any) -> Any:
        async with room:
            return await job

    return await asyncio.gather(*map(one, work))


class Subscribers:
    """Sockets that count the publications they get; the first one checks every offset."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.counters: list[Counter] = []
        self.checked: list[bytes] = []

    async def join(self, port: int, threads: Sequence[str], good_token: str) -> None:
        """One subscriber for each thread named (the same one as often as wanted)."""

        async def one(thread: str) -> Socket:
            socket = await connect(port, good_token)
            await subscribe(socket, thread)
            return socket

        self.sockets = await gather([one(thread) for thread in threads])
        for index, socket in enumerate(self.sockets):
            counter = Counter(PUSH)
            self.counters.append(counter)
            socket.on_data = self._checking(counter) if index == 0 else counter.feed

    def _checking(self, counter: Counter) -> Callable[[bytes], object]:
        frames = Frames()

        def take(data: bytes) -> None:
            counter.feed(data)
            self.checked += frames.feed(data)

        return take

    @property
    def delivered(self) -> int:
        return sum(counter.count for counter in self.counters)

    def check(self) -> None:
        """Raises where the checked subscriber missed something."""
        assert must_be_gapless(self.checked) > 0
        self.checked.clear()

    def close(self) -> None:
        for socket in self.sockets:
            socket.transport.abort()


class Publishers:
    """Sockets that each keep some rpc commands in flight: as one is answered, the next is sent."""

    def __init__(self, in_flight: int) -> None:
        self._in_flight = in_flight
        self._sockets: list[Socket] = []
        self._numbers = itertools.count(10)
        self.acknowledged = 0
        self._stopped = False

    async def start(self, port: int, count: int, threads: Sequence[str], good_token: str) -> None:
        self._sockets = await gather([connect(port, good_token) for _ in range(count)])
        turns = itertools.cycle(threads)
        for socket in self._sockets:
            self._run(socket, turns)

    def _run(self, socket: Socket, turns: "itertools.cycle[str]") -> None:
        counter = Counter(REPLY)

        def answer(data: bytes) -> None:
            count = counter.feed(data)
            self.acknowledged += count
            if count and not self._stopped:
                socket.send(self._commands(turns, count))

        socket.on_data = answer
        socket.send(self._commands(turns, self._in_flight))

    def _commands(self, turns: "itertools.cycle[str]", count: int) -> bytes:
        return b"\n".join([create_message(next(self._numbers), next(turns), CONTENT) for _ in range(count)])

    def stop(self) -> None:
        self._stopped = True
        for socket in self._sockets:
            socket.transport.abort()


def create_message(number: int, thread: str, content: str) -> bytes:
    return b'{"id":%d,"rpc":{"method":"create_message","data":{"thread_id":"%b","content":"%b"}}}' % (
        number % 2**31 + 3,
        thread.encode(),
        content.encode(),
    )


async def per_second(count: Callable[[], float], seconds: float, *, settle: float = 0.5) -> float:
    """How fast a count grows, after a moment to settle."""
    await asyncio.sleep(settle)
    before, started = count(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (count() - before) / (time.perf_counter() - started)


class PlainSubscribers:
    """Yardstick A: subscribers and publishers of the plain server, the same payload size as a message has."""

    def __init__(self) -> None:
        self.counters: list[Counter] = []
        self.sockets: list[Socket] = []
        self._stopped = False

    async def join(self, port: int, count: int) -> None:
        self.sockets = await gather([open_socket(port) for _ in range(count)])
        for socket in self.sockets:
            counter = Counter(b"xxxxxxx!")
            self.counters.append(counter)
            socket.on_data = counter.feed
            socket.send(b"S")

    async def publish(self, port: int, count: int) -> None:
        payload = (CONTENT[:-1] + "!").encode()
        for socket in await gather([open_socket(port) for _ in range(count)]):
            self.sockets.append(socket)
            self._run(socket, payload)

    def _run(self, socket: Socket, payload: bytes) -> None:
        counter = Counter(b"ok")

        def answer(data: bytes) -> None:
            for _ in range(counter.feed(data)):
                if not self._stopped:
                    socket.send(payload)

        socket.on_data = answer
        socket.send(payload)

    @property
    def delivered(self) -> int:
        return sum(counter.count for counter in self.counters)

    def close(self) -> None:
        self._stopped = True
        for socket in self.sockets:
            socket.transport.abort()


def bench_token() -> str:
    return token()
