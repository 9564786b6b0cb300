"""Targets 20 to 22: what a bystander notices of one who takes more than is theirs, with all limits on.

The bystander reads, in a process of its own; the greedy one is another user from the same address, and comes back
each time that it is cut. The first second does not count: in it the server has to notice.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial

from bench.client import make_token
from bench.harness import Running, server
from bench.http_client import call, make_threads
from bench.results import Figure, Outcome, percentile

SLOW, CONTEXTS, SOCKETS = 30, 390, 3_000
NOTICED_SECONDS = 1.0
AGAIN_SECONDS = 1.0
"""Between two requests of one greedy connection: as long as a refusal tells it to wait, at least."""
LARGE, MANY = 100, 10_000
LIMITS = {"RATE_LIMITS": "on", "RATE_WRITE": "5000/s:20000"}
"""Only what is written to begin with is no one's affair."""

Greedy = Callable[[Running, str], contextlib.AbstractAsyncContextManager[None]]


async def readers(quick: bool) -> Outcome:
    outcome = Outcome()
    seconds, many = (1.5, 500) if quick else (4.0, MANY)
    with server(None, **LIMITS) as running:
        bystander, greedy = make_token(), make_token("greedy")
        (thread,) = await make_threads(running.url, 1, bystander)
        large, long = await make_threads(running.url, 2, greedy)
        await asyncio.to_thread(_fill, running, bystander, greedy, thread, large, long, many)
        kinds: dict[str, tuple[str, Greedy]] = {
            "20": (f"{SLOW} pages of large messages that are hardly read", partial(_slow_pages, thread=large)),
            "21": (f"{CONTEXTS} contexts of a million tokens at once", partial(_contexts, thread=long)),
            "22": (f"{SOCKETS:,} connections that wait idle", _sockets),
        }
        for number, (what, kind) in kinds.items():
            rest = outcome.figure("reads of a bystander at rest, p99", "ms")
            beside = outcome.figure(f"reads of a bystander beside {what}, p99", "ms")
            for _ in range(1 if quick else 3):
                await _probe(rest, running, thread, bystander, seconds)
                async with kind(running, greedy):
                    await asyncio.sleep(NOTICED_SECONDS)
                    await _probe(beside, running, thread, bystander, seconds)
            outcome.target_ratio(number, f"reads of a bystander beside {what}", beside, rest, "×", most=3.0)
        outcome.notes.append(f"memory of the server in the end: {running.process.rss_kib() / 1024:.0f} MiB")
    return outcome


def _fill(running: Running, bystander: str, greedy: str, thread: str, large: str, long: str, many: int) -> None:
    say = partial(call, running.url, "POST")
    for number in range(30):
        say(f"/api/v1/threads/{thread}/messages", bystander, {"content": f"message {number}"})
    block = {"type": "x-text", "text": "x" * 240_000}
    for _ in range(LARGE if many == MANY else 10):
        say(f"/api/v1/threads/{large}/messages", greedy, {"content": "y" * 60_000, "blocks": [block]})
    for number in range(many):
        say(f"/api/v1/threads/{long}/messages", greedy, {"content": f"{number} " * 20})


async def _probe(figure: Figure, running: Running, thread: str, token: str, seconds: float) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.read_probe", str(running.port), thread, token, str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the bystander was not served")
    figure.add(percentile(json.loads(output), 0.99))


@contextlib.asynccontextmanager
async def _each_again(count: int, one: Callable[[], "asyncio.Future[None]"]) -> AsyncIterator[None]:
    tasks = [one() for _ in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _asking(running: Running, request: bytes, *, reads: bool) -> "asyncio.Future[None]":
    """Asks again and again; one that hardly reads takes 1 KiB a second."""

    async def ask() -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=2**16)
                try:
                    writer.write(request)
                    while await reader.read(2**16 if reads else 1024):
                        if not reads:
                            await asyncio.sleep(1.0)
                finally:
                    writer.transport.abort()
            await asyncio.sleep(AGAIN_SECONDS)

    return asyncio.ensure_future(ask())


def _get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _slow_pages(running: Running, token: str, *, thread: str) -> contextlib.AbstractAsyncContextManager[None]:
    request = _get(f"/api/v1/threads/{thread}/messages?limit=100", token)
    return _each_again(SLOW, lambda: _asking(running, request, reads=False))


def _contexts(running: Running, token: str, *, thread: str) -> contextlib.AbstractAsyncContextManager[None]:
    request = _get(f"/api/v1/threads/{thread}/context?max_tokens=1000000", token)
    return _each_again(CONTEXTS, lambda: _asking(running, request, reads=True))


@contextlib.asynccontextmanager
async def _sockets(running: Running, token: str) -> AsyncIterator[None]:
    opened = []
    try:
        for _ in range(SOCKETS):
            with contextlib.suppress(OSError):
                opened.append(await asyncio.open_connection("127.0.0.1", running.port))
        yield
    finally:
        for _, writer in opened:
            writer.transport.abort()
