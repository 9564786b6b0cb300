"""The processes that are measured: started as a user would, pinned to a core, watched while measured, ended by id."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.settings import SETTINGS

SECRET = "a secret that is only good for benchmarks, and long enough"
FILES = 30_000
PATIENCE = 60.0
ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
GENERATOR_CORE = CORES[-1]
"""The same as the server's where there is but one: then the figures say more about both."""


def prepare_generator() -> None:
    """This process makes the load: on its own core, with enough files; ended by a signal, it still cleans up."""
    os.sched_setaffinity(0, {GENERATOR_CORE})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us with it ignored
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


@contextlib.contextmanager
def on_server_core(cores: Sequence[int] = (SERVER_CORE,)) -> Iterator[None]:
    """What is started inside runs on the server's core, or on these: processes and their threads inherit it."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


class Process:
    """A process on the server's core, and what it has used."""

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], log: Path, cores: Sequence[int] = (SERVER_CORE,)
    ) -> None:
        self.log = log
        known = {setting.name for setting in SETTINGS}
        inherited = {name: value for name, value in os.environ.items() if name not in known}
        self.started_at = time.perf_counter()
        with log.open("ab") as output, on_server_core(cores):
            self._popen = subprocess.Popen(
                command, env=inherited | environment, stdout=output, stderr=output, cwd=ROOT, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def cpu_seconds(self) -> float:
        """Of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def forget_peak(self) -> None:
        """`peak_kib` is of the time from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    def wait_until_ready(self, url: str) -> float:
        """Seconds from its start until it answers."""
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return time.perf_counter() - self.started_at
            if self._popen.poll() is not None or time.perf_counter() - self.started_at > PATIENCE:
                raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.005)  # between two looks at another process

    def stop(self) -> tuple[int, float]:
        """SIGTERM, and SIGKILL where that does not help; answers (exit code, seconds until it was gone)."""
        started = time.perf_counter()
        try:
            if self._popen.poll() is None:
                self._popen.send_signal(signal.SIGTERM)
            self._popen.wait(PATIENCE)
        finally:
            if self._popen.poll() is None:
                self._popen.kill()
                self._popen.wait()
        return self._popen.returncode, time.perf_counter() - started


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: Process
    port: int
    ready_after: float
    """Seconds."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def _running(
    command: Sequence[str], environment: dict[str, str], log: Path, port: int, path: str,
    cores: Sequence[int] = (SERVER_CORE,),
) -> Iterator[Running]:  # fmt: skip
    process = Process(command, environment, log, cores)
    try:
        yield Running(process, port, process.wait_until_ready(f"http://127.0.0.1:{port}{path}"))
    finally:
        process.stop()


@contextlib.contextmanager
def server(
    folder: Path | None = None, cores: Sequence[int] = (SERVER_CORE,), /, *, module: str = "cli.main", **settings: str
) -> Iterator[Running]:
    """`xp serve`, as a user starts it: one process, SQLite, synchronous=FULL, everything but rate limits on. `module`
    starts it."""
    with contextlib.ExitStack() as closing:
        if folder is None:
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        port = free_port()
        environment = {
            "JWT_SECRET": SECRET, "RATE_LIMITS": "off", "DATA_DIR": str(folder / "data"), "HOST": "127.0.0.1",
            "PORT": str(port), **settings,
        }  # fmt: skip
        command = [sys.executable, "-m", module, "serve"]
        yield closing.enter_context(_running(command, environment, folder / "server.log", port, "/health/ready", cores))


@contextlib.contextmanager
def yardstick(name: str) -> Iterator[Running]:
    """One of the plain servers of `bench.yardsticks`, with a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        port = free_port()
        command = [sys.executable, "-m", f"bench.yardsticks.{name}", str(port), folder]
        with _running(command, {}, Path(folder) / f"{name}.log", port, "/ready") as running:
            yield running


@dataclass(frozen=True)
class Usage:
    """Shares of a core over a window of time, from 0 to 1."""

    server: float
    """Of the measured process, on its core."""
    generator: float
    """Of this process, on its core."""
    others: float
    """Of everybody else on the measured process's core: what it did not get."""
    generator_others: float
    """The same on the generator's core."""


class Meter:
    """Who used how much of the cores from here until `read`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._started = time.perf_counter()
        self._before = self._now()

    def _now(self) -> tuple[float, float, float, float]:
        mine = resource.getrusage(resource.RUSAGE_SELF)
        used = mine.ru_utime + mine.ru_stime
        return self._process.cpu_seconds(), used, _busy_seconds(SERVER_CORE), _busy_seconds(GENERATOR_CORE)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def read(self) -> Usage:
        seconds = self.seconds
        server, generator, busy, generator_busy = (
            (now - before) / seconds for now, before in zip(self._now(), self._before, strict=True)
        )
        return Usage(server, generator, max(0.0, busy - server), max(0.0, generator_busy - generator))


def _busy_seconds(core: int) -> float:
    """What this core has worked since the machine started, stolen time included."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *numbers = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, numbers[:8])
            return (user + nice + system + irq + softirq + steal) / TICKS
    return float("nan")
