"""Target 8: what a thread of a million messages costs beside one of a hundred; and 14: a start with that database."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import orjson

from bench.client import Socket, ask, connect, create_message, make_token, subscribe
from bench.filling import SMALL
from bench.harness import CORES, ROOT, server
from bench.results import Outcome
from bench.rig import CONTENT

LARGE = 1_000_000
PAGE = 30
RECOVERED = 50

Operation = Callable[[Socket, str, int], Awaitable[float]]
"""Called with (socket, thread, messages that it had); answers seconds."""


async def growth(quick: bool) -> Outcome:
    outcome = Outcome()
    count, rounds, repetitions = (20_000, 20, 1) if quick else (LARGE, 60, 3)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        started = time.perf_counter()
        large, small, size = await _fill(folder / "data", count)
        outcome.figure(f"filling {2 * count:,} messages", "s", [time.perf_counter() - started])
        loaded = outcome.figure(f"start with a database of {size / 1e9:.2f} GB", "s")
        empty = outcome.figure("start with no database", "s")
        for _ in range(repetitions):
            with server() as running:
                empty.add(running.ready_after)
            with server(folder) as running:
                loaded.add(running.ready_after)
        with server(folder) as running:
            socket = await connect(running.port, make_token())
            for what, operation in OPERATIONS.items():
                await _compare(outcome, what, operation, socket, (large, count), (small, SMALL), rounds, repetitions)
            socket.transport.abort()
    outcome.target_of("14", f"start with a database of {size / 1e9:.2f} GB", loaded, most=1.0)
    return outcome


async def _fill(folder: Path, count: int) -> tuple[str, str, int]:
    """Answers (id of the large thread, of the small one, bytes). In a process of its own, on any core."""
    filling = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.filling", str(folder), str(count), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    os.sched_setaffinity(filling.pid, CORES)
    try:
        output, _ = await filling.communicate()
    finally:
        if filling.returncode is None:
            filling.kill()
            await filling.wait()
    found = orjson.loads(output)
    return found["large"], found["small"], found["bytes"]


async def _compare(
    outcome: Outcome, what: str, operation: Operation, socket: Socket, large: tuple[str, int], small: tuple[str, int],
    rounds: int, repetitions: int,
) -> None:  # fmt: skip
    """In turn, one call each; a repetition's figure is the median of its rounds."""
    in_large, in_small = (outcome.figure(f"{what}, in {size:,}", "ms") for _, size in (large, small))
    for _ in range(repetitions):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for (thread, size), found in zip((large, small), times, strict=True):
                found.append(await operation(socket, thread, size) * 1000)
        in_large.add(median(times[0]))
        in_small.add(median(times[1]))
    outcome.target_ratio("8", f"{what}: in {large[1]:,} messages beside {SMALL}", in_large, in_small, "×", most=1.25)


async def _recover(socket: Socket, thread: str, size: int) -> float:
    """Subscribe with the cursor of somebody who missed the newest 50 of the events that were there at the start."""
    channel = f"thread:{thread}"
    epoch = orjson.loads(await subscribe(socket, thread))["subscribe"]["epoch"]
    await _unsubscribe(socket, channel)
    recovery = {"channel": channel, "recover": True, "epoch": epoch, "offset": size + 1 - RECOVERED}
    command = orjson.dumps({"id": 8, "subscribe": recovery})
    started = time.perf_counter()
    came = await ask(socket, command)
    seconds = time.perf_counter() - started
    offsets = [publication["offset"] for publication in orjson.loads(came)["subscribe"]["publications"]]
    assert offsets == list(range(size + 2 - RECOVERED, size + 2)), offsets
    await _unsubscribe(socket, channel)
    return seconds


async def _unsubscribe(socket: Socket, channel: str) -> None:
    await ask(socket, orjson.dumps({"id": 9, "unsubscribe": {"channel": channel}}))


def _listing(share: float) -> Operation:
    """The page before this share of the thread: 1 is the newest."""

    async def timed(socket: Socket, thread: str, size: int) -> float:
        data = {"thread_id": thread, "limit": PAGE} | ({} if share == 1 else {"before": str(int(size * share))})
        command = orjson.dumps({"id": 7, "rpc": {"method": "list_messages", "data": data}})
        started = time.perf_counter()
        came = await ask(socket, command)
        seconds = time.perf_counter() - started
        assert came.count(b'"author":') == PAGE, came[:300]
        return seconds

    return timed


async def _create(socket: Socket, thread: str, size: int) -> float:
    started = time.perf_counter()
    came = await ask(socket, create_message(7, thread, CONTENT))
    seconds = time.perf_counter() - started
    assert b'"rpc":' in came, came
    return seconds


OPERATIONS: dict[str, Operation] = {
    "subscribe and recover 50": _recover,
    "list the newest page": _listing(1),
    "list a page in the middle": _listing(0.5),
    "create": _create,
}
"""In this order: what only reads comes first, so that it finds the threads as large as they are named."""
