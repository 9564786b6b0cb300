"""Target 15: what a message with an `@` costs in a large thread. Target 16: what others notice of hostile texts."""

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any

from bench.cases.writing import CALLERS
from bench.client import make_token
from bench.harness import Meter, Running, server
from bench.http_client import Caller, add_members, make_threads, post_request
from bench.results import Figure, Outcome, percentile
from bench.rig import CONTENT, per_second

MEMBERS = 1_000
MARKS = "\u0301\u0327" * 60_000
"""240 KB of combining marks in the wrong order: to put them right takes quadratic time, where nothing is cut."""
MARKDOWN = "@a " + "[`*<> " * 1_900
"""As much as is parsed, and all of it signs."""
HOSTILE: dict[str, dict[str, Any]] = {
    "240 KB of combining marks": {"content": "@a", "blocks": [{"type": "x-text", "text": MARKS}]},
    "11 KB of signs of Markdown": {"content": MARKDOWN},
}
PAUSE_SECONDS = 0.02
"""Between two posts of the bystander."""


async def mentions(quick: bool) -> Outcome:
    """Everybody posts in one thread of 1,000 members: plain texts, and the same with an `@` that names nobody there."""
    outcome = Outcome()
    repetitions, seconds, count = (1, 1.0, 50) if quick else (5, 2.0, MEMBERS)
    plain = outcome.figure(f"create message in a thread of {count:,}", "messages/s")
    named = outcome.figure("the same with an `@` that names no member", "messages/s")
    person = outcome.figure("the same with an `@` that names a member", "messages/s")
    with server() as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        await add_members(running.url, thread, token, [make_token(f"member-{number}") for number in range(count)])
        for _ in range(repetitions):
            await _rate(plain, running, post_request(thread, token, CONTENT), seconds)
            await _rate(named, running, post_request(thread, token, f"@nobody {CONTENT[8:]}"), seconds)
            await _rate(person, running, post_request(thread, token, f"@member-7 {CONTENT[10:]}"), seconds)
    outcome.target_ratio("15", f"message with an @ in a thread of {count:,}", named, plain, "×", least=0.9)
    return outcome


async def _rate(figure: Figure, running: Running, request: bytes, seconds: float) -> None:
    callers = await _callers(running, CALLERS, lambda: request)
    figure.add(*await per_second(lambda: sum(caller.answered for caller in callers), seconds, running.process))
    _stop(callers)


async def hostile(quick: bool) -> Outcome:
    """One posts hostile texts, one after another; another posts a short one every 20 ms."""
    outcome = Outcome()
    repetitions, seconds = (1, 1.0) if quick else (3, 4.0)
    alone = outcome.figure("ack of a bystander, alone, p99", "ms")
    beside = {name: outcome.figure(f"ack of a bystander beside {name}, p99", "ms") for name in HOSTILE}
    with server() as running:
        token, other = make_token(), make_token("bystander")
        (thread,) = await make_threads(running.url, 1, token)
        (quiet,) = await make_threads(running.url, 1, other)
        short = post_request(quiet, other, "hello")
        for _ in range(repetitions):
            await _bystander(alone, running, short, seconds)
            for name, message in HOSTILE.items():
                callers = await _callers(running, 1, itertools.repeat(post_request(thread, token, **message)).__next__)
                await _bystander(beside[name], running, short, seconds)
                _stop(callers)
                assert callers[0].answered, "the hostile texts were not taken"
    for name, figure in beside.items():
        outcome.target("16", f"bystander's p99 beside {name}", figure.median, "ms", most=50.0)
    return outcome


async def _bystander(figure: Figure, running: Running, request: bytes, seconds: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    took: list[float] = []
    meter = Meter(running.process)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201"), head
        took.append((time.perf_counter() - started) * 1000)
        mark = head.find(b"Content-Length: ")
        await reader.readexactly(int(head[mark + 16 : head.find(b"\r\n", mark)]))
        await asyncio.sleep(PAUSE_SECONDS)
    figure.add(percentile(took, 0.99), meter.read())
    writer.close()


async def _callers(running: Running, count: int, requests: Callable[[], bytes]) -> list[Caller]:
    loop, callers = asyncio.get_running_loop(), []
    for _ in range(count):
        _, caller = await loop.create_connection(lambda: Caller(requests), "127.0.0.1", running.port)
        callers.append(caller)
    return callers


def _stop(callers: list[Caller]) -> None:
    for caller in callers:
        assert caller.failure is None, caller.failure
        caller.stopped = True
        caller.transport.abort()
