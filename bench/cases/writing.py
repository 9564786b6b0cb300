"""Targets 3, 4 and 19: how many messages a second are written, by REST and by rpc, beside B (no actor, no disk) and C;
and beside trouble."""

import asyncio
import contextlib
import itertools
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial

from actors.identifiers import new_id
from bench.client import make_token
from bench.harness import ROOT, Running, on_server_core, server, yardstick
from bench.http_client import Caller, make_threads, post_request
from bench.results import Figure, Outcome
from bench.rig import CONTENT, Publishers, per_second

CALLERS = 256
SOCKETS = 50
IN_FLIGHT = 32
THREADS = 100
BAD_KEYS = 100.0
"""A second."""
REFUSED = 0.05
"""Of what is written."""
SENDING_SECONDS = 0.01


async def create(quick: bool) -> Outcome:
    outcome = Outcome()
    post = outcome.figure("B: plain aiohttp POST, 256 callers", "requests/s")
    rows = outcome.figure("C: plain sqlite3, groups of 100", "messages/s")
    rest = outcome.figure("create message by REST, 256 callers", "messages/s")
    rpc = outcome.figure("create message by rpc, 50 sockets", "messages/s")
    repetitions, seconds = (1, 1.0) if quick else (3, 2.0)
    with server() as running, yardstick("post") as stick:
        token = make_token()
        threads = await make_threads(running.url, THREADS, token)
        for _ in range(repetitions):
            await _callers(post, stick, threads, token, seconds)
            await _callers(rest, running, threads, token, seconds)
            rows.add(await _rows(seconds))
            await _rpc(rpc, running, threads, token, seconds)
    outcome.target_ratio("3", "create message by REST, 256 callers, 100 threads", rest, post, "× B", least=0.6)
    outcome.target_ratio("4", "create message by rpc, 50 WebSockets, 100 threads", rpc, post, "× B", least=1.3)
    outcome.target_ratio("4", "create message by rpc, 50 WebSockets, 100 threads", rpc, rows, "× C", least=0.4)
    outcome.notes.append(
        f"for each second of CPU: REST {rest.per_cpu_second / post.per_cpu_second:.2f} × B, "
        f"rpc {rpc.per_cpu_second / post.per_cpu_second:.2f} × B"
    )
    return outcome


async def beside_trouble(quick: bool) -> Outcome:
    """Target 19: those who write notice neither a stranger's bad keys nor what is refused to others."""
    outcome = Outcome()
    alone = outcome.figure("create message by rpc, alone", "messages/s")
    stranger = outcome.figure(f"beside a stranger with {BAD_KEYS:.0f} bad keys a second", "messages/s")
    refused = outcome.figure(f"beside {REFUSED:.0%} refused commands", "messages/s")
    repetitions, seconds = (1, 1.0) if quick else (3, 2.0)
    with server() as running:
        token = make_token()
        threads = await make_threads(running.url, THREADS, token)
        for _ in range(repetitions):
            await _rpc(alone, running, threads, token, seconds)
            async with _sending(running, partial(_bad_key, threads[0]), BAD_KEYS):
                await _rpc(stranger, running, threads, token, seconds)
            async with _sending(running, partial(_refused, threads[0], token), alone.values[-1] * REFUSED):
                await _rpc(refused, running, threads, token, seconds)
    outcome.target_ratio("19", "writers beside a stranger with bad keys", stranger, alone, "× alone", least=0.8)
    outcome.target_ratio("19", "writers beside refused commands", refused, alone, "× alone", least=0.8)
    return outcome


def _bad_key(thread: str) -> bytes:
    return post_request(thread, f"xpk_{new_id()}", CONTENT)


def _refused(thread: str, token: str) -> bytes:
    """It answers a message that is not there: no actor knows that."""
    return post_request(thread, token, CONTENT, parent_id=new_id())


@contextlib.asynccontextmanager
async def _sending(running: Running, request: Callable[[], bytes], rate: float) -> AsyncIterator[None]:
    """So many requests a second over one connection, whatever the answers are; some of them at once, every 10 ms."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)

    async def send() -> None:
        owed = 0.0
        while True:
            owed += rate * SENDING_SECONDS
            writer.write(b"".join(request() for _ in range(int(owed))))
            owed -= int(owed)
            await asyncio.sleep(SENDING_SECONDS)

    async def take() -> None:
        while await reader.read(65_536):
            pass

    tasks = [asyncio.ensure_future(work()) for work in (send, take)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.close()


async def _callers(figure: Figure, running: Running, threads: list[str], token: str, seconds: float) -> None:
    requests = itertools.cycle([post_request(thread, token, CONTENT) for thread in threads])
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(CALLERS):
        _, caller = await loop.create_connection(lambda: Caller(requests.__next__), "127.0.0.1", running.port)
        callers.append(caller)
    figure.add(*await per_second(lambda: sum(caller.answered for caller in callers), seconds, running.process))
    for caller in callers:
        assert caller.failure is None, caller.failure
        caller.stopped = True
        caller.transport.abort()


async def _rpc(figure: Figure, running: Running, threads: list[str], token: str, seconds: float) -> None:
    publishers = Publishers(IN_FLIGHT)
    await publishers.start(running.port, SOCKETS, threads, token)
    figure.add(*await per_second(lambda: publishers.acknowledged, seconds, running.process))
    await publishers.stop()
    publishers.close()


async def _rows(seconds: float) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, on_server_core():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.yardsticks.rows", folder, str(seconds),
            stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return float(output)
