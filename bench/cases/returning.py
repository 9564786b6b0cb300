"""Target 10: everybody comes back at once after a restart, each with events to recover."""

import asyncio
import tempfile
import time
from pathlib import Path

import orjson

from bench.client import Socket, ask, connect, make_token, must_be_gapless
from bench.harness import Meter, Running, server
from bench.http_client import call, make_threads
from bench.results import Outcome
from bench.rig import gather

THREADS = 100
MISSED = 5
SOURCES = 8
AT_ONCE = 500


async def after_restart(quick: bool) -> Outcome:
    """Each is a user of its own, and was subscribed to one of 100 threads; 5 messages came while it was away."""
    outcome = Outcome()
    count = 1_000 if quick else 10_000
    figure = outcome.figure(f"{count:,} clients recover {MISSED} events each after a restart", "s")
    tokens = [make_token(f"user-{n}", "ADMIN") for n in range(count)]  # nobody must be made a member first
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with server(folder) as running:
            threads = await make_threads(running.url, THREADS, tokens[0])
            for socket in await gather([connect(running.port, token) for token in tokens], at_once=AT_ONCE):
                socket.transport.abort()
        for _ in range(1 if quick else 2):
            with server(folder) as running:
                heads = await asyncio.to_thread(_say, running, threads, tokens[0])
                meter, started = Meter(running.process), time.perf_counter()
                sockets = await gather(
                    [
                        _come_back(running.port, n, tokens[n], threads[n % THREADS], heads[n % THREADS])
                        for n in range(count)
                    ],
                    at_once=AT_ONCE,
                )
                figure.add(time.perf_counter() - started, meter.read())
                for socket in sockets:
                    socket.transport.abort()
    outcome.target_of("10", f"{count:,} clients back and recovered, no event lost", figure, most=15.0)
    return outcome


def _say(running: Running, threads: list[str], token: str) -> list[int]:
    """What was missed; answers where each thread stood before."""
    heads = []
    for thread in threads:
        path = f"/api/v1/threads/{thread}/messages"
        said = [call(running.url, "POST", path, token, {"content": "missed"}) for _ in range(MISSED)]
        heads.append(said[0]["offset"] - 1)
    return heads


async def _come_back(port: int, number: int, token: str, thread: str, offset: int) -> Socket:
    """Raises unless exactly what was missed is there, in order."""
    socket = await connect(port, token, source=f"127.0.0.{2 + number % SOURCES}")
    since = {"channel": f"thread:{thread}", "recover": True, "offset": offset, "epoch": ""}
    came = orjson.loads(await ask(socket, orjson.dumps({"id": 2, "subscribe": since})))["subscribe"]
    offsets = [publication["offset"] for publication in came["publications"]]
    assert came["recovered"], came
    assert (len(offsets), offsets[0]) == (MISSED, offset + 1), offsets
    must_be_gapless(offsets)
    return socket
