"""Target 30: what clients notice while one server process hands over to the next, ten times."""

import asyncio
import os
import re
import select
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from bench.client import make_token
from bench.following import Subscriber
from bench.harness import CORES, PATIENCE, ROOT, Running, server
from bench.http_client import make_threads
from bench.posting import Book, Load
from bench.results import Outcome, percentile
from storage.lock import holder

THREADS = 50
REST_SECONDS = 3.0
"""Between two hand-overs."""
AROUND_SECONDS = 2.0
"""Requests that were due so long before or after the end of a hand-over are those during it."""
SWITCHED = re.compile(r"waited for ([\d.]+) s")


async def under_load(quick: bool) -> Outcome:
    """500 WebSockets, each a user of its own, follow 50 threads; 500 messages a second come over 100 keep-alive
    connections; `xp deploy` and `xp deploy --rollback` follow one another. Each message must have been taken once, and
    have reached each subscriber of its thread once, in order."""
    connections, rate, times = (50, 50, 2) if quick else (500, 500, 10)
    outcome, book = Outcome(), Book()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with server(folder, CORES, LOG_LEVEL="warning") as running:
            try:
                threads = await make_threads(running.url, THREADS, make_token())
                subscribers = [
                    Subscriber(running.port, threads[n % THREADS], make_token(f"user-{n}", "ADMIN"))
                    for n in range(connections)
                ]  # administrators need not be members
                pauses = await _hand_over(running, folder / "data", subscribers, threads, book, rate=rate, times=times)
            finally:
                _stop(folder / "data")
    _figures(outcome, book, pauses, subscribers)
    return outcome


async def _hand_over(
    running: Running, folder: Path, subscribers: Sequence[Subscriber], threads: Sequence[str], book: Book, *, rate: int,
    times: int,
) -> list[tuple[float, float]]:  # fmt: skip
    """What `_deploy` answers, each time. Raises where a message was lost or doubled."""
    load, is_over, pauses = Load(running.port, threads, rate, book), asyncio.Event(), list[tuple[float, float]]()
    try:
        async with asyncio.TaskGroup() as group:
            following = [group.create_task(subscriber.follow()) for subscriber in subscribers]
            for subscriber in subscribers:
                await subscriber.joined.wait()
            await load.open()
            posting = group.create_task(load.run(is_over))
            for number in range(times):
                await asyncio.sleep(REST_SECONDS)
                pauses.append(await _deploy(folder, *(["--rollback"] if number % 2 else [])))
            await asyncio.sleep(REST_SECONDS)
            is_over.set()
            await posting
            async with asyncio.timeout(PATIENCE):
                for subscriber in subscribers:
                    await subscriber.wait_until_seen(len(book.answered[subscriber.thread]))
            for task in following:
                task.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # the first says what went wrong
    finally:
        load.close()
        for subscriber in subscribers:
            subscriber.close()
    book.check()
    for subscriber in subscribers:
        assert subscriber.seen == sorted(book.answered[subscriber.thread]), f"{subscriber.thread}: missed or repeated"
    return pauses


async def _deploy(folder: Path, *arguments: str) -> tuple[float, float]:
    """(seconds in which requests waited, when it was over). Raises what it has said where it failed."""
    command = [sys.executable, "-m", "cli.main", "deploy", "--data-dir", str(folder), *arguments]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=-1, stderr=-1)
    out, errors = await process.communicate()
    said = out.decode() + errors.decode()
    found = SWITCHED.search(said)
    if process.returncode or found is None:
        raise RuntimeError(said)
    return float(found[1]), perf_counter()


def _stop(folder: Path) -> None:
    """The process that serves now, which is none of ours."""
    while pid := holder(folder):
        gone = os.pidfd_open(pid)
        os.kill(pid, signal.SIGTERM)
        select.select([gone], [], [], PATIENCE)
        os.close(gone)


def _figures(
    outcome: Outcome, book: Book, pauses: Sequence[tuple[float, float]], subscribers: Sequence[Subscriber]
) -> None:
    during = [s for due, s in book.seconds if any(abs(at - due) <= AROUND_SECONDS for _, at in pauses)]
    apart = [s for due, s in book.seconds if all(abs(at - due) > AROUND_SECONDS for _, at in pauses)]
    away = [seconds for subscriber in subscribers for seconds in subscriber.away]
    span = book.seconds[-1][0] - book.seconds[0][0]
    refused = sum(subscriber.refused for subscriber in subscribers)
    outcome.figure("requests waited while the process changed", "ms", [round(pause * 1000) for pause, _ in pauses])
    for name, seconds in (
        ("requests during a hand-over", during), ("requests at other times", apart), ("subscribers were away", away),
    ):  # fmt: skip
        for share in (0.5, 0.99):
            outcome.figure(f"{name}, p{share * 100:.0f}", "ms", [percentile(seconds, share) * 1000])
    outcome.notes.append(
        f"30: {len(pauses)} hand-overs, {len(book.seconds):,} messages ({len(book.seconds) / span:.0f} a second), none "
        f"lost or doubled for {len(subscribers)} subscribers, which came back {len(away):,} times, and were asked "
        f"{refused:,} times to wait."
    )
    outcome.notes += [f"30: failed: {failed}" for failed in book.failed[:5]]
    outcome.target("30", "requests that fail during hand-overs under load", len(book.failed), "", most=0)
