"""Target 24: files of 100 MB in and out, what they take of memory, and what messages notice of ten uploads."""

import asyncio
import sys
import time
from collections.abc import Callable

import orjson

from bench.client import make_token
from bench.harness import ROOT, Meter, Running, server, yardstick
from bench.http_client import make_threads
from bench.results import Figure, Outcome, percentile
from bench.uploading import SIZE, Line, created_file, line

UPLOADERS = 10
WAYS = ("form", "PUT", "tus")
Transfer = Callable[[], object]


async def transfers(quick: bool) -> Outcome:
    """Each in turn with E's: one connection, one file at a time, answered when its bytes are on the disk."""
    outcome, repetitions, token = Outcome(), 1 if quick else 7, make_token()
    plain_up = [outcome.figure(f"E: upload by PUT, beside {way}", "MB/s") for way in WAYS]
    ours_up = [outcome.figure(f"upload by {way}", "MB/s") for way in WAYS]
    memory = outcome.figure("memory that an upload of 100 MB adds at its peak", "MiB")
    plain_down, ours_down = outcome.figure("E: FileResponse", "MB/s"), outcome.figure("download", "MB/s")
    with (
        yardstick("files") as plain, server() as running,
        line(plain.port) as theirs, line(running.port, token) as ours,
    ):  # fmt: skip
        path = await asyncio.to_thread(_warm, theirs, ours)
        for _ in range(repetitions):
            for plain_figure, figure, upload in zip(plain_up, ours_up, _uploads(ours), strict=True):
                await _timed(plain_figure, plain, lambda: theirs.put("/files/a"))
                before = running.process.rss_kib()
                running.process.forget_peak()
                await _timed(figure, running, upload)
                memory.add((running.process.peak_kib() - before) / 1024)
            await _timed(plain_down, plain, lambda: theirs.get("/files/a"))
            await _timed(ours_down, running, lambda: ours.get(path))
    for way, plain_figure, figure in zip(WAYS, plain_up, ours_up, strict=True):
        outcome.target_ratio("24", f"upload of 100 MB by {way}", figure, plain_figure, "× E", least=0.6)
    outcome.target_ratio("24", "download of 100 MB", ours_down, plain_down, "× E", least=0.8)
    outcome.target("24", "memory for an upload of 100 MB, at most", max(memory.values), memory.unit, most=32.0)
    return outcome


def _warm(theirs: Line, ours: Line) -> str:
    """One transfer of each kind; answers the path of a file that is there."""
    theirs.put("/files/a")
    theirs.get("/files/a")
    path = created_file(ours)
    ours.put(path)
    ours.get(path)
    return path


def _uploads(ours: Line) -> tuple[Transfer, ...]:
    def put() -> bytes:
        return ours.put(created_file(ours))

    return lambda: ours.form("/api/v1/files"), put, lambda: ours.tus("/api/v1/files/uploads")


async def _timed(figure: Figure, running: Running, transfer: Transfer) -> None:
    meter = Meter(running.process)
    started = time.perf_counter()
    await asyncio.to_thread(transfer)
    figure.add(SIZE / 1e6 / (time.perf_counter() - started), meter.read())


async def beside_uploads(quick: bool) -> Outcome:
    """The acks of a light caller, alone and while ten clients upload 100 MB each, as fast as the server takes it."""
    outcome = Outcome()
    alone = [outcome.figure(f"ack of a light caller alone, {name}", "ms") for name in ("p50", "p99")]
    beside = [outcome.figure(f"ack of a light caller beside ten uploads, {name}", "ms") for name in ("p50", "p99")]
    taken = outcome.figure("taken of ten uploads meanwhile", "MB/s")
    seconds, repetitions = (1.0, 1) if quick else (4.0, 5)
    with server() as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        await acks(alone, running, thread, token, 0.5, count=False)
        for _ in range(repetitions):
            await acks(alone, running, thread, token, seconds)
            uploading = asyncio.ensure_future(_upload(running, token, seconds + 1.0))
            await asyncio.sleep(0.7)
            await acks(beside, running, thread, token, seconds)
            taken.add(await uploading)
    outcome.target_ratio("24", "ack p99 beside ten uploads", beside[1], alone[1], "× alone", most=1.5)
    return outcome


async def beside_hostile_files(quick: bool) -> Outcome:
    """The acks of a light caller, alone and while hostile files arrive one after another and are looked into."""
    outcome = Outcome()
    alone = [outcome.figure(f"ack of a light caller alone, with previews, {name}", "ms") for name in ("p50", "p99")]
    beside = [outcome.figure(f"ack of a light caller beside hostile files, {name}", "ms") for name in ("p50", "p99")]
    sent = outcome.figure("hostile files sent meanwhile", "1/s")
    memory = outcome.figure("memory that hostile files add", "MiB")
    seconds, repetitions = (1.0, 1) if quick else (4.0, 5)
    with server(None, PREVIEWS="on") as running:
        token = make_token()
        (thread,) = await make_threads(running.url, 1, token)
        await acks(alone, running, thread, token, 0.5, count=False)
        before = running.process.rss_kib()
        for _ in range(repetitions):
            await acks(alone, running, thread, token, seconds)
            sending = asyncio.ensure_future(_said("bench.hostile_files", running.port, token, seconds + 1.5))
            await asyncio.sleep(1.0)
            await acks(beside, running, thread, token, seconds)
            sent.add(float(str(await sending)) / (seconds + 1.5))
        memory.add((running.process.rss_kib() - before) / 1024)
    outcome.target_ratio("24", "ack p99 beside hostile files", beside[1], alone[1], "× alone", most=1.5)
    return outcome


async def _upload(running: Running, token: str, seconds: float) -> float:
    """Answers MB/s."""
    started = time.perf_counter()
    taken = await _said("bench.uploading", running.port, token, UPLOADERS, seconds)
    return float(taken) / 1e6 / (time.perf_counter() - started)  # type: ignore[arg-type]  # JSON


async def acks(
    figures: list[Figure], running: Running, thread: str, token: str, seconds: float, *, count: bool = True
) -> None:
    meter = Meter(running.process)
    times = await _said("bench.probe", running.port, thread, token, seconds)
    assert isinstance(times, list)
    if count:
        for figure, share in zip(figures, (0.5, 0.99), strict=True):
            figure.add(percentile(times, share), meter.read())


async def _said(module: str, *arguments: object) -> object:
    """What a process of its own prints, as JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *map(str, arguments), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return orjson.loads(output)
