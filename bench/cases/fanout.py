"""Targets 1 and 2: one thread, many subscribers, publishers at saturation; every message committed before delivery."""

import asyncio

from bench.client import make_token
from bench.harness import Running, server, yardstick
from bench.http_client import make_threads
from bench.results import Figure, Outcome
from bench.rig import PlainSubscribers, Publishers, Subscribers, per_second

PUBLISHERS = 20
REST = 0.3
"""Between two windows: for what the last one's sockets leave to do."""


async def to_100(quick: bool) -> Outcome:
    return await _measure("1", 100, 6.0, quick, in_flight=32)


async def to_1000(quick: bool) -> Outcome:
    return await _measure("2", 1_000, 12.0, quick, in_flight=8)


async def _measure(number: str, count: int, target: float, quick: bool, *, in_flight: int) -> Outcome:
    """With 1,000 subscribers fewer are in flight, so that a window spans many commits."""
    outcome = Outcome()
    plain = outcome.figure(f"A: plain aiohttp, {count:,} subscribers", "deliveries/s")
    ours = outcome.figure(f"durable fan-out, {count:,} subscribers", "deliveries/s")
    repetitions, seconds = (1, 1.0) if quick else (3, 2.5)
    with server() as running, yardstick("websocket") as stick:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        for _ in range(repetitions):
            await _plain(plain, stick, count, seconds)
            await _ours(ours, running, thread, count, in_flight, token, seconds)
    outcome.target_ratio(number, f"durable fan-out to {count:,} subscribers", ours, plain, "× A", least=target)
    outcome.notes.append(
        f"{count:,} subscribers: {ours.median / count:,.0f} messages/s; "
        f"{ours.per_cpu_second / plain.per_cpu_second:.2f} × A for each second of CPU"
    )
    return outcome


async def _plain(figure: Figure, stick: Running, count: int, seconds: float) -> None:
    subscribers = PlainSubscribers()
    await subscribers.join(stick.port, count)
    await subscribers.publish(stick.port, PUBLISHERS)
    figure.add(*await per_second(lambda: subscribers.delivered, seconds, stick.process))
    subscribers.close()
    await asyncio.sleep(REST)


async def _ours(
    figure: Figure, running: Running, thread: str, count: int, in_flight: int, token: str, seconds: float
) -> None:
    subscribers, publishers = Subscribers(), Publishers(in_flight)
    await subscribers.join(running.port, [thread] * count, token)
    await publishers.start(running.port, PUBLISHERS, [thread], token)
    figure.add(*await per_second(lambda: subscribers.delivered, seconds, running.process))
    await publishers.stop()
    await subscribers.check(publishers.acknowledged)
    publishers.close()
    subscribers.close()
    await asyncio.sleep(REST)
