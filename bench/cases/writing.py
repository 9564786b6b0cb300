"""Targets 3 and 4: how many messages a second are written, by REST and by rpc, beside B (no actor, no disk) and C."""

import asyncio
import itertools
import sys
import tempfile

from bench.clients import Caller, post_request
from bench.processes import on_server_core, server, yardstick
from bench.results import Outcome, ratio
from bench.rig import CONTENT, Publishers, bench_token, make_threads, per_second

CALLERS = 256
SOCKETS = 50
IN_FLIGHT = 32
THREADS = 100


async def create(quick: bool) -> Outcome:
    outcome = Outcome()
    post = outcome.figure("B: plain aiohttp POST", "requests/s")
    rows = outcome.figure("C: plain sqlite3, groups of 100", "messages/s")
    rest = outcome.figure("create message by REST, 256 callers", "messages/s")
    rpc = outcome.figure("create message by rpc, 50 sockets", "messages/s")
    with server() as running, yardstick("post") as stick:
        good_token = bench_token()
        threads = await make_threads(running.url, THREADS, good_token)
        for _ in range(1 if quick else 3):
            post.values.append(await _callers(stick.port, threads, good_token))
            rest.values.append(await _callers(running.port, threads, good_token))
            rows.values.append(await _rows())
            rpc.values.append(await _rpc(running.port, threads, good_token))
    outcome.target("3", "create message by REST, 256 callers over 100 threads", ratio(rest, post), "× B", least=0.6)
    outcome.target("4", "create message by rpc over 50 WebSockets", ratio(rpc, post), "× B", least=1.3)
    outcome.target("4", "create message by rpc over 50 WebSockets", ratio(rpc, rows), "× C", least=0.4)
    return outcome


async def _callers(port: int, threads: list[str], good_token: str) -> float:
    requests = itertools.cycle([post_request(thread, good_token, CONTENT) for thread in threads])
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(CALLERS):
        _, caller = await loop.create_connection(lambda: Caller(requests.__next__), "127.0.0.1", port)
        callers.append(caller)
    rate = await per_second(lambda: sum(caller.answered for caller in callers), 2.0)
    for caller in callers:
        assert caller.failure is None, caller.failure
        caller.stopped = True
        caller.transport.abort()
    return rate


async def _rpc(port: int, threads: list[str], good_token: str) -> float:
    publishers = Publishers(IN_FLIGHT)
    await publishers.start(port, SOCKETS, threads, good_token)
    rate = await per_second(lambda: publishers.acknowledged, 2.0)
    publishers.stop()
    return rate


async def _rows() -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, on_server_core():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.yardsticks", "sqlite", folder, "1.5", stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    return float(output)
