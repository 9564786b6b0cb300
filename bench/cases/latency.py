"""Targets 5, 6 and 9: how long a message takes, commit included, at rest and under load."""

import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Sequence

import orjson

from bench.client import PUSH, Counter, Frames, Socket, connect, create_message, make_token, publications, subscribe
from bench.harness import ROOT, Meter, Running, server
from bench.http_client import make_threads
from bench.results import Figure, Outcome, percentile
from bench.rig import Publishers, Subscribers, gather, until
from bench.text import Text

CHARACTERS = 180
TEXTS = 12_000
"""More than one repetition sends: none comes twice in it."""
WRITERS = 10


async def delivery(quick: bool) -> Outcome:
    """200 messages a second to 100 subscribers; every tenth of them parses what it gets."""
    outcome = Outcome()
    middle = outcome.figure("delivery, 200/s to 100 subscribers, p50", "ms")
    tail = outcome.figure("delivery, 200/s to 100 subscribers, p99", "ms")
    with server() as running:
        token = make_token()
        threads = await make_threads(running.url, 1, token)
        pace = Pace(running, threads * 100, threads, token, [token] * 100, parsing=10)
        await pace.measure(middle, tail, rate=200, seconds=1.0 if quick else 2.5, repetitions=1 if quick else 3)
    outcome.target_of("5", "delivery p50, 200 msg/s to 100 subscribers", middle, most=2.0)
    outcome.target_of("5", "delivery p99, 200 msg/s to 100 subscribers", tail, most=6.0)
    return outcome


async def many_threads(quick: bool) -> Outcome:
    """One subscriber each, of a user of its own, and every one of them parses what it gets."""
    outcome = Outcome()
    count = 200 if quick else 1_000
    middle = outcome.figure(f"delivery, {count:,} threads at 1/s, p50", "ms")
    tail = outcome.figure(f"delivery, {count:,} threads at 1/s, p99", "ms")
    with server() as running:
        token = make_token()
        readers = [make_token(f"reader-{n}") for n in range(count)]
        threads = await make_threads(running.url, count, token, readers)
        pace = Pace(running, threads, threads, token, readers, parsing=1)
        await pace.measure(middle, tail, rate=count, seconds=1.0 if quick else 5.0, repetitions=1 if quick else 3)
    outcome.target_of("6", "delivery p99, 1,000 threads at 1 msg/s", tail, most=8.0)
    return outcome


class Pace:
    """Evenly spaced messages, whatever the answers do; the time of sending stands in the message itself."""

    def __init__(
        self,
        running: Running,
        watched: Sequence[str],
        written: Sequence[str],
        token: str,
        readers: Sequence[str],
        *,
        parsing: int,
    ) -> None:
        """`token` writes; `readers` are those of the subscribers."""
        self._running = running
        self._watched = watched
        self._written = written
        self._token = token
        self._readers = readers
        self._parsing = parsing
        self._counters: list[Counter] = []
        self._times: list[float] = []
        self._writers: list[Socket] = []
        self._texts = itertools.cycle(list(Text().messages(CHARACTERS, TEXTS)))

    async def measure(self, middle: Figure, tail: Figure, *, rate: int, seconds: float, repetitions: int) -> None:
        port = self._running.port
        sockets = await gather([self._watch(index, thread) for index, thread in enumerate(self._watched)])
        self._writers = [await connect(port, self._token) for _ in range(WRITERS)]
        await self._send(rate, 0.5)
        for _ in range(repetitions):
            self._times.clear()
            meter = Meter(self._running.process)
            await self._send(rate, seconds)
            usage = meter.read()
            middle.add(percentile(self._times, 0.5), usage)
            tail.add(percentile(self._times, 0.99), usage)
        for socket in (*sockets, *self._writers):
            socket.transport.abort()

    async def _watch(self, index: int, thread: str) -> Socket:
        socket = await connect(self._running.port, self._readers[index])
        await subscribe(socket, thread)
        counter = Counter(PUSH)
        self._counters.append(counter)
        socket.on_data = self._timing(counter) if index % self._parsing == 0 else counter.feed
        return socket

    def _timing(self, counter: Counter) -> Callable[[bytes], object]:
        frames = Frames()

        def take(data: bytes) -> None:
            counter.feed(data)
            for publication in publications(frames.feed(data)):
                if "offset" not in publication:
                    continue  # it tells who is present
                sent = float(publication["data"]["data"]["content"].partition(" ")[0])
                self._times.append((time.perf_counter() - sent) * 1000)

        return take

    async def _send(self, rate: int, seconds: float) -> None:
        """Raises unless everyone gets everything."""
        number, before = int(rate * seconds), self._delivered
        started = time.perf_counter()
        for index in range(number):
            wait = started + index / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            thread = self._written[index % len(self._written)]
            content = f"{time.perf_counter():.6f} {next(self._texts)}"
            self._writers[index % WRITERS].send(create_message(index, thread, content))
        expected = number * (len(self._watched) // len(self._written))
        await until(
            lambda: self._delivered - before == expected,
            lambda: f"{self._delivered - before} deliveries of {expected}",
        )

    @property
    def _delivered(self) -> int:
        return sum(counter.count for counter in self._counters)


async def commit(quick: bool) -> Outcome:
    """The ack of one light caller in another thread, at rest and while 1,000 subscribers receive at saturation."""
    outcome = Outcome()
    rest = [outcome.figure(f"ack of a light caller at rest, {name}", "ms") for name in ("p50", "p99")]
    loaded = [outcome.figure(f"ack of a light caller under fan-out, {name}", "ms") for name in ("p50", "p99")]
    seconds, repetitions, count = (1.0, 1, 200) if quick else (3.0, 3, 1_000)
    with server() as running:
        token = make_token()
        busy, quiet = await make_threads(running.url, 2, token)
        for _ in range(repetitions):
            await _acks(rest, running, quiet, token, seconds)
            subscribers, publishers = Subscribers(), Publishers(4)
            await subscribers.join(running.port, [busy] * count, token)
            await publishers.start(running.port, 20, [busy], token)
            await asyncio.sleep(0.5)
            await _acks(loaded, running, quiet, token, seconds)
            await publishers.stop()
            await subscribers.check(publishers.acknowledged)
            publishers.close()
            subscribers.close()
            await asyncio.sleep(0.3)
    outcome.target_ratio("9", "commit latency p99 under saturated fan-out", loaded[1], rest[1], "× at rest", most=3.0)
    return outcome


async def _acks(figures: list[Figure], running: Running, thread: str, token: str, seconds: float) -> None:
    meter = Meter(running.process)
    probe = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.probe", str(running.port), thread, token, str(seconds),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    try:
        output, _ = await probe.communicate()
    finally:
        if probe.returncode is None:
            probe.kill()
            await probe.wait()
    times, usage = orjson.loads(output), meter.read()
    for figure, share in zip(figures, (0.5, 0.99), strict=True):
        figure.add(percentile(times, share), usage)
