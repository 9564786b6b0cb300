"""Target 8: what a thread of a million messages costs beside one of a hundred; and 14: a start with that database."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.clients import Socket, connect, expect
from bench.filling import Filler
from bench.processes import server
from bench.results import Outcome
from bench.rig import CONTENT, bench_token, create_message

LARGE = 1_000_000
SMALL = 100
FILL = "A message of some length, as people write them in threads: neither long nor short. " * 3


async def growth(quick: bool) -> Outcome:
    outcome = Outcome()
    count = 20_000 if quick else LARGE
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        started = time.perf_counter()
        large, small, size = await asyncio.to_thread(_fill, folder / "data" / "experience.db", count)
        outcome.figure("database filled", "s", [time.perf_counter() - started])
        with server(folder) as running:
            outcome.figure("start", "s", [running.ready_after])
            outcome.notes.append(f"database of {2 * count:,} messages: {size / 1e9:.2f} GB")
            await _compare(outcome, running.port, large, small, count, rounds=30 if quick else 200)
    outcome.target("14", f"start with a database of {size / 1e9:.1f} GB", outcome.figures[1].median, "s", most=1.0)
    return outcome


def _fill(path: Path, count: int) -> tuple[str, str, int]:
    """Answers (id of the large thread, of the small one, bytes)."""
    path.parent.mkdir()
    filler = Filler(path)
    other, large, small = filler.thread("Other"), filler.thread("Large"), filler.thread("Small")
    filler.fill(other, count, FILL)
    filler.fill(large, count, FILL)
    filler.fill(small, SMALL, FILL)
    ids = filler.uid(large), filler.uid(small)
    filler.close()
    return *ids, path.stat().st_size


async def _compare(outcome: Outcome, port: int, large: str, small: str, count: int, *, rounds: int) -> None:
    socket = await connect(port, bench_token())
    reading: dict[str, Callable[[str, int], bytes]] = {
        "list the newest page": lambda thread, size: _rpc("list_messages", thread, '"limit":30'),
        "list a page in the middle": lambda thread, size: _rpc(
            "list_messages", thread, f'"limit":30,"before":"{size // 2}"'
        ),
    }
    timed: dict[str, tuple[list[float], list[float]]] = {}
    for _ in range(rounds):
        for what, make in reading.items():
            for index, (thread, size) in enumerate(((large, count), (small, SMALL))):
                timed.setdefault(what, ([], []))[index].append(await _time(socket, make(thread, size)))
        for index, thread in enumerate((large, small)):
            seconds = await _time(socket, create_message(7, thread, CONTENT))
            timed.setdefault("create", ([], []))[index].append(seconds)
    for _ in range(rounds):
        for index, (thread, size) in enumerate(((large, count), (small, SMALL))):
            seconds = await _recover(socket, thread, size + 1 + rounds - 50)
            timed.setdefault("subscribe and recover 50", ([], []))[index].append(seconds)
    socket.transport.abort()
    for what, (in_large, in_small) in timed.items():
        outcome.figure(f"{what}, in {count:,}", "ms", [median(in_large) * 1000])
        outcome.figure(f"{what}, in {SMALL}", "ms", [median(in_small) * 1000])
        grown = median(in_large) / median(in_small)
        outcome.target("8", f"{what}: 1,000,000 messages beside 100", grown, "×", most=1.25)


def _rpc(method: str, thread: str, rest: str) -> bytes:
    return f'{{"id":7,"rpc":{{"method":"{method}","data":{{"thread_id":"{thread}",{rest}}}}}}}'.encode()


async def _time(socket: Socket, command: bytes) -> float:
    started = time.perf_counter()
    socket.send(command)
    came = await expect(socket, b'"id":')
    while b'"error"' not in came and not came.endswith(b"}"):
        came += await expect(socket, b"}")
    assert b'"error":{' not in came[:60], came[:300]
    return time.perf_counter() - started


async def _recover(socket: Socket, thread: str, offset: int) -> float:
    channel = f"thread:{thread}"
    subscribe = f'{{"id":8,"subscribe":{{"channel":"{channel}","recover":true,"epoch":"","offset":{offset}}}}}'.encode()
    started = time.perf_counter()
    socket.send(subscribe)
    came = await expect(socket, b'"publications":', b"]}}")
    seconds = time.perf_counter() - started
    assert came.count(b'"type":"message.created"') == 50, came.count(b'"type":"message.created"')
    socket.send(f'{{"id":9,"unsubscribe":{{"channel":"{channel}"}}}}'.encode())
    await expect(socket, b'"unsubscribe"')
    return seconds
