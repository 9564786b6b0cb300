"""Targets 1 and 2: one thread, many subscribers, publishers at saturation; every message committed before delivery."""

from bench.processes import server, yardstick
from bench.results import Outcome, ratio
from bench.rig import PlainSubscribers, Publishers, Subscribers, bench_token, make_threads, per_second

PUBLISHERS = 20
IN_FLIGHT = 32


async def to_100(quick: bool) -> Outcome:
    return await _measure("1", 100, 6.0, quick)


async def to_1000(quick: bool) -> Outcome:
    return await _measure("2", 1_000, 12.0, quick)


async def _measure(number: str, subscribers: int, target: float, quick: bool) -> Outcome:
    outcome = Outcome()
    plain = outcome.figure(f"A: plain aiohttp to {subscribers}", "deliveries/s")
    ours = outcome.figure(f"durable fan-out to {subscribers}", "deliveries/s")
    messages = outcome.figure(f"durable fan-out to {subscribers}", "messages/s")
    with server() as running, yardstick("websocket") as stick:
        good_token = bench_token()
        (thread,) = await make_threads(running.url, 1, good_token)
        for _ in range(1 if quick else 3):
            plain.values.append(await _plain(stick.port, subscribers))
            delivered, acknowledged = await _ours(running.port, thread, subscribers, good_token)
            ours.values.append(delivered)
            messages.values.append(acknowledged)
    outcome.target(number, f"durable fan-out to {subscribers} subscribers", ratio(ours, plain), "× A", least=target)
    return outcome


async def _plain(port: int, count: int) -> float:
    subscribers = PlainSubscribers()
    await subscribers.join(port, count)
    await subscribers.publish(port, PUBLISHERS)
    rate = await per_second(lambda: subscribers.delivered, 2.0)
    subscribers.close()
    return rate


async def _ours(port: int, thread: str, count: int, good_token: str) -> tuple[float, float]:
    subscribers, publishers = Subscribers(), Publishers(IN_FLIGHT)
    await subscribers.join(port, [thread] * count, good_token)
    await publishers.start(port, PUBLISHERS, [thread], good_token)
    before = publishers.acknowledged
    rate = await per_second(lambda: subscribers.delivered, 2.0)
    acknowledged = (publishers.acknowledged - before) / 2.5
    publishers.stop()
    subscribers.check()
    subscribers.close()
    return rate, acknowledged
