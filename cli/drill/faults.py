"""What is done to the server while clients write. Each fault ends with a server that is ready again."""

import asyncio
import contextlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from actors import limits
from cli.drill.load import Load
from cli.drill.scratch_server import ScratchServer
from cli.terminal.console import count
from storage.database import FILE_NAME


@dataclass(frozen=True, slots=True)
class Stage:
    """What a fault works with."""

    server: ScratchServer
    load: Load
    seconds: float
    """For which a fault lasts."""
    kills: int


async def kill(stage: Stage) -> str:
    """kill -9 at moments of chance, and a start again."""
    for _ in range(stage.kills):
        await asyncio.sleep(limits.DRILL_KILL_SECONDS * (1 + 2 * random.random()))  # noqa: S311 - any moment of a commit
        await stage.server.kill()
        await stage.server.start()
    return f"killed {count(stage.kills, 'time')}"


async def full_disk(stage: Stage) -> str:
    """The kernel refuses to write beyond an offset (EFBIG), as a full disk refuses to grow."""
    before = stage.load.book.refusals["storage_unavailable"]
    stage.server.limit_files(limits.DRILL_FILE_BYTES)
    try:
        end = time.monotonic() + limits.DRILL_WAIT_SECONDS
        while stage.load.book.refusals["storage_unavailable"] == before:
            if time.monotonic() > end:
                raise click.ClickException("The drill of a full disk: no write was refused.")
            await asyncio.sleep(limits.DRILL_PAUSE_SECONDS)
        await asyncio.sleep(stage.seconds)  # of a disk that stays full
    finally:
        stage.server.limit_files(None)
    await stage.server.ready()
    return f"{stage.load.book.refusals['storage_unavailable'] - before} writes refused"


async def slow_disk(stage: Stage) -> str:
    """Neighbours on the same disk write and sync all the time, so every fsync of the server waits for theirs."""
    neighbours = [_neighbour(stage.server.folder / f"neighbour-{n}") for n in range(limits.DRILL_NEIGHBOURS)]
    try:
        await asyncio.sleep(stage.seconds)  # while they write
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()
    await stage.server.ready()
    return f"{limits.DRILL_NEIGHBOURS} neighbours that sync"


def _neighbour(path: Path) -> "subprocess.Popen[bytes]":
    script = (
        "import os, sys\n"
        "file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "while True:\n"
        "    for at in range(0, int(sys.argv[2]), 1 << 20):\n"
        "        os.pwrite(file, os.urandom(1 << 20), at)\n"
        "        os.fsync(file)\n"
    )
    return subprocess.Popen([sys.executable, "-c", script, str(path), str(limits.DRILL_NEIGHBOUR_BYTES)])  # noqa: S603


async def locked(stage: Stage) -> str:
    """Another process holds the write lock of the database."""
    database = sqlite3.connect(
        stage.server.data_dir / FILE_NAME, isolation_level=None, timeout=limits.DRILL_WAIT_SECONDS
    )
    with contextlib.closing(database):
        database.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(stage.seconds)  # of a lock that is held
        database.execute("ROLLBACK")
    await stage.server.ready()
    return f"held for {stage.seconds:g} s"


async def frozen(stage: Stage) -> str:
    """The process gets no time, as in a virtual machine that is paused."""
    stage.server.freeze()
    try:
        await asyncio.sleep(stage.seconds)  # of standing still
    finally:
        stage.server.thaw()
    await stage.server.ready()
    return f"stood still for {stage.seconds:g} s"


async def clock(stage: Stage) -> str:
    """The clock jumps an hour forth, two back, and is right again."""
    file = stage.server.folder / "clock"
    _set_clock(file, 0)
    await stage.server.stop()
    await stage.server.start(
        LD_PRELOAD=str(_faketime()), FAKETIME_TIMESTAMP_FILE=str(file), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1",
    )  # fmt: skip
    for seconds in (limits.DRILL_JUMP_SECONDS, -limits.DRILL_JUMP_SECONDS, 0):
        _set_clock(file, seconds)
        await asyncio.sleep(stage.seconds)  # by the other clock
    await stage.server.stop()
    await stage.server.start()
    return f"+{limits.DRILL_JUMP_SECONDS} s, -{limits.DRILL_JUMP_SECONDS} s"


def _set_clock(file: Path, seconds: int) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(f"{seconds:+d}\n")
    partial.replace(file)


def _faketime() -> Path | None:
    """libfaketime, which gives one process another clock."""
    found = (path for folder in ("/usr/lib", "/usr/local/lib") for path in Path(folder).glob("**/libfaketimeMT.so.1"))
    return next(found, None)


def _no_faketime() -> str:
    return "" if _faketime() else "libfaketime is not installed (Debian: apt-get install faketime)"


def _no_prlimit() -> str:
    return "" if hasattr(resource, "prlimit") else "only Linux limits the files of another process"


def _no_stop() -> str:
    return "" if hasattr(signal, "SIGSTOP") and os.name == "posix" else "the system has no SIGSTOP"


@dataclass(frozen=True, slots=True)
class Fault:
    happen: Callable[[Stage], Awaitable[str]]
    missing: Callable[[], str] = lambda: ""
    """Why it cannot be done here; empty where it can."""

    @property
    def what(self) -> str:
        return str(self.happen.__doc__)


FAULTS: Mapping[str, Fault] = {
    "kill": Fault(kill),
    "full-disk": Fault(full_disk, _no_prlimit),
    "slow-disk": Fault(slow_disk),
    "locked": Fault(locked),
    "frozen": Fault(frozen, _no_stop),
    "clock": Fault(clock, _no_faketime),
}
