"""Target 18, streamed answers: what a bystander notices of requests that say nothing, and of floods of empty pieces."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from bench.cases.crowd import Listeners
from bench.client import make_token
from bench.harness import Running, server
from bench.http_client import make_threads
from bench.results import Outcome

SILENT, FLOODS = 300, 16
"""A thread takes 16 answers at once: one more would be refused, and come again and again."""
LINES_AT_ONCE = 2_000
AGAIN_SECONDS = 0.2
"""Between two attempts of one that was refused."""

Attack = Callable[[int, str, str], Coroutine[Any, Any, None]]
"""One request after another, to a port, a thread and with a token, until it is cancelled."""


async def bystanders(quick: bool) -> Outcome:
    outcome = Outcome()
    count, seconds = (20, 1.0) if quick else (80, 4.0)
    attacks: dict[str, tuple[Attack, int]] = {
        f"{SILENT} answers without a body": (_silent, SILENT),
        f"{FLOODS} answers of empty pieces without an end": (_flood, FLOODS),
    }
    alone = outcome.figure(f"delivery to {count} with limits on, alone, p99", "ms")
    beside = {name: outcome.figure(f"delivery to {count} beside {name}, p99", "ms") for name in attacks}
    with server(None, RATE_LIMITS="on") as running:
        token, hostile = make_token(), make_token("mallory")
        (thread,) = await make_threads(running.url, 1, token)
        listeners = Listeners()
        await listeners.join(running, thread, [token] * count)
        for _ in range(1 if quick else 3):
            await listeners.measure(alone, running, thread, token, seconds)
            for name, (attack, at_once) in attacks.items():
                (theirs,) = await make_threads(running.url, 1, hostile)  # in the last one they are still being read
                async with _meanwhile(attack, at_once, running, theirs, hostile):
                    await listeners.measure(beside[name], running, thread, token, seconds)
        listeners.close()
    for name, figure in beside.items():
        outcome.target_ratio("18", f"delivery beside {name}, p99", figure, alone, "×", most=3.0)
    return outcome


@contextlib.asynccontextmanager
async def _meanwhile(attack: Attack, at_once: int, running: Running, thread: str, token: str) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(attack(running.port, thread, token)) for _ in range(at_once)]
    await asyncio.sleep(0.5)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _silent(port: int, thread: str, token: str) -> None:
    while True:
        async with _request(port, thread, token) as (reader, _):
            await reader.read()
        await asyncio.sleep(AGAIN_SECONDS)


async def _flood(port: int, thread: str, token: str) -> None:
    lines = b'{"text":""}\n' * LINES_AT_ONCE
    chunk = b"%x\r\n%b\r\n" % (len(lines), lines)
    while True:
        await asyncio.sleep(AGAIN_SECONDS)
        async with _request(port, thread, token) as (_, writer):
            while True:
                writer.write(chunk)
                await writer.drain()


@contextlib.asynccontextmanager
async def _request(
    port: int, thread: str, token: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /api/v1/threads/{thread}/messages:stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    try:
        with contextlib.suppress(ConnectionError):
            yield reader, writer
    finally:
        writer.transport.abort()
