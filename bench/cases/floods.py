"""Target 18, frames: what a bystander notices of sockets that send frames nobody needs, as fast as they may."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping

from bench.cases.crowd import Listeners
from bench.client import Socket, frame, make_token, open_socket
from bench.harness import Running, server
from bench.http_client import make_threads
from bench.results import Figure, Outcome

ATTACKERS = 4
CHUNK_BYTES = 64 * 1024
CHUNK_PAUSE_SECONDS = 0.01
"""Between two chunks: 6.4 MB/s from each of them."""
RETURN_SECONDS = 0.5
"""One that was cut comes back after it."""
LIMITS = {"RATE_LIMITS": "on", "RATE_WRITE": "1000/s:1000", "MAX_CONNECTIONS_PER_USER": "5000"}
STRANGERS: Mapping[str, bytes] = {
    "pongs": frame(b"{}"),
    "commands without an answer": frame(b'{"send":{}}'),
    "WebSocket pings": b"\x89\x80\0\0\0\0",
    "fragments": b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 1_000,
    "newlines": frame(b"\n" * 60_000),
}
"""Kind → what a socket without a token sends again and again."""


async def frames(quick: bool) -> Outcome:
    """A thread with 100 subscribers and 50 messages a second, alone and beside each kind of flood in turn."""
    outcome = Outcome()
    seconds = 1.0 if quick else 3.0
    alone = outcome.figure("delivery to 100 with limits on, alone, p99", "ms")
    beside = {
        name: outcome.figure(f"delivery to 100 beside {ATTACKERS} sockets that send {name}, p99", "ms")
        for name in STRANGERS
    }
    cut = outcome.figure("a flood until it is cut, the longest", "s")
    with server(None, **LIMITS) as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        listeners = Listeners()
        await listeners.join(running, thread, [token] * 100)
        for _ in range(1 if quick else 3):
            for name, data in STRANGERS.items():
                await listeners.measure(alone, running, thread, token, seconds)
                async with _flooding(running, data, cut):
                    await listeners.measure(beside[name], running, thread, token, seconds)
        listeners.close()
    outcome.target("18", f"a flood of frames by {ATTACKERS} sockets is cut", max(cut.values), "s", most=1.0)
    for name, figure in beside.items():
        paired = Figure(alone.name, alone.unit, _of_kind(alone, name))
        outcome.target_ratio("18", f"bystander's p99 beside {name}", figure, paired, "× at rest", most=3.0)
    return outcome


def _of_kind(alone: Figure, name: str) -> list[float]:
    """What was measured just before each measurement of that kind."""
    return alone.values[list(STRANGERS).index(name) :: len(STRANGERS)]


@contextlib.asynccontextmanager
async def _flooding(running: Running, data: bytes, cut: Figure) -> AsyncIterator[None]:
    chunk = data * (CHUNK_BYTES // len(data) + 1)
    tasks = [asyncio.ensure_future(_flood(running, chunk, cut)) for _ in range(ATTACKERS)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _flood(running: Running, chunk: bytes, cut: Figure) -> None:
    while True:
        socket: Socket = await open_socket(running.port)
        began = time.perf_counter()
        try:
            while not socket.closed.done():
                if not socket.transport.get_write_buffer_size():
                    socket.transport.write(chunk)
                await asyncio.sleep(CHUNK_PAUSE_SECONDS)
            cut.add(time.perf_counter() - began)
        finally:
            socket.transport.abort()
        await asyncio.sleep(RETURN_SECONDS)
