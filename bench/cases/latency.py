"""Targets 5, 6 and 9: how long a message takes, commit included, at rest and under load."""

import asyncio
import time
from collections.abc import Callable

import orjson

from bench.clients import Frames, Socket, connect, expect, subscribe
from bench.processes import server
from bench.results import Outcome, percentile
from bench.rig import Publishers, Subscribers, bench_token, create_message, gather, make_threads

FILL = "x" * 180


async def delivery(quick: bool) -> Outcome:
    """200 messages a second to 100 subscribers, from before the send to after the subscriber's parse."""
    outcome = Outcome()
    seconds = 2.0 if quick else 5.0
    with server() as running:
        good_token = bench_token()
        threads = await make_threads(running.url, 1, good_token)
        times = await _timed(running.port, threads * 100, threads, good_token, rate=200.0, seconds=seconds)
    _tell(outcome, "delivery, 200/s to 100", times)
    outcome.target("5", "delivery latency p50, 200 msg/s to 100 subscribers", percentile(times, 0.5), "ms", most=2.0)
    outcome.target("5", "delivery latency p99, 200 msg/s to 100 subscribers", percentile(times, 0.99), "ms", most=6.0)
    return outcome


async def many_threads(quick: bool) -> Outcome:
    outcome = Outcome()
    count, seconds = (200, 2.0) if quick else (1_000, 6.0)
    with server() as running:
        good_token = bench_token()
        threads = await make_threads(running.url, count, good_token)
        times = await _timed(running.port, threads, threads, good_token, rate=float(count), seconds=seconds)
    _tell(outcome, f"delivery, {count} threads at 1/s", times)
    outcome.target("6", "delivery latency p99, 1,000 threads at 1 msg/s", percentile(times, 0.99), "ms", most=25.0)
    return outcome


async def _timed(
    port: int, watched: list[str], written: list[str], good_token: str, *, rate: float, seconds: float
) -> list[float]:
    """Milliseconds of every delivery. The time of sending stands in the message itself."""
    times: list[float] = []

    async def watch(thread: str) -> Socket:
        socket = await connect(port, good_token)
        await subscribe(socket, thread)
        socket.on_data = _timing(times)
        return socket

    sockets = await gather([watch(thread) for thread in watched])
    writers = [await connect(port, good_token) for _ in range(10)]
    await _pace(writers, written, rate, seconds=0.5)
    await asyncio.sleep(0.3)
    times.clear()
    await _pace(writers, written, rate, seconds)
    await asyncio.sleep(0.5)
    expected = int(rate * seconds) * (len(watched) // len(written))
    assert len(times) == expected, f"{len(times)} deliveries of {expected}"
    for socket in (*sockets, *writers):
        socket.transport.abort()
    return times


def _timing(times: list[float]) -> Callable[[bytes], None]:
    frames = Frames()

    def take(data: bytes) -> None:
        for line in frames.feed(data):
            if line.startswith(b'{"push"'):
                content = orjson.loads(line)["push"]["pub"]["data"]["data"]["content"]
                times.append((time.perf_counter() - float(content.partition(" ")[0])) * 1000)

    return take


async def _pace(writers: list[Socket], threads: list[str], rate: float, seconds: float) -> None:
    """Evenly spaced messages, whatever the answers do."""
    started = time.perf_counter()
    for number in range(int(rate * seconds)):
        wait = started + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        content = f"{time.perf_counter():.6f} {FILL}"
        writers[number % len(writers)].send(create_message(number, threads[number % len(threads)], content))


async def commit(quick: bool) -> Outcome:
    """The ack of one light caller in another thread, at rest and while 1,000 subscribers receive at saturation."""
    outcome = Outcome()
    seconds, count = (1.0, 200) if quick else (4.0, 1_000)
    with server() as running:
        good_token = bench_token()
        busy, quiet = await make_threads(running.url, 2, good_token)
        caller = await connect(running.port, good_token)
        await _acks(caller, quiet, 0.5)
        rest = await _acks(caller, quiet, seconds)
        subscribers, publishers = Subscribers(), Publishers(4)
        await subscribers.join(running.port, [busy] * count, good_token)
        await publishers.start(running.port, 20, [busy], good_token)
        await asyncio.sleep(0.5)
        loaded = await _acks(caller, quiet, seconds)
        publishers.stop()
        subscribers.check()
        subscribers.close()
        caller.transport.abort()
    _tell(outcome, "ack at rest", rest)
    _tell(outcome, "ack under fan-out to 1,000", loaded)
    times = percentile(loaded, 0.99) / percentile(rest, 0.99)
    outcome.target("9", "commit latency p99 under saturated fan-out", times, "× at rest", most=3.0)
    return outcome


async def _acks(caller: Socket, thread: str, seconds: float) -> list[float]:
    """Milliseconds from sending to the reply, one at a time, 50 a second."""
    times = []
    end = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < end:
        started = time.perf_counter()
        caller.send(create_message(number, thread, FILL))
        await expect(caller, b'"rpc":')
        times.append((time.perf_counter() - started) * 1000)
        number += 1
        await asyncio.sleep(0.02)
    return times


def _tell(outcome: Outcome, name: str, times: list[float]) -> None:
    for share, label in ((0.5, "p50"), (0.99, "p99")):
        outcome.figure(f"{name}, {label}", "ms", [percentile(times, share)])
