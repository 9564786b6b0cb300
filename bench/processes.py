"""The processes that are measured: started as a user would, pinned to a core of their own, ended by id."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

SECRET = "a secret that is only good for benchmarks, and long enough"
FILES = 30_000
PATIENCE = 60.0

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
GENERATOR_CORE = CORES[-1]
"""The same as the server's where there is but one: then the figures say more about both."""


def prepare_generator() -> None:
    """This process makes the load: on its own core, with enough files."""
    os.sched_setaffinity(0, {GENERATOR_CORE})
    raise_files()


def raise_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))


@contextlib.contextmanager
def on_server_core() -> Iterator[None]:
    """What is started inside runs on the server's core: processes inherit it."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


class Process:
    """A server process and what it has used."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.started_at = time.perf_counter()
        with log.open("ab") as output, on_server_core():
            self._popen = subprocess.Popen(
                command,
                env=os.environ | environment,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def wait_until_ready(self, url: str) -> float:
        """Seconds from its start until it answers."""
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return time.perf_counter() - self.started_at
            if self._popen.poll() is not None or time.perf_counter() - self.started_at > PATIENCE:
                raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.005)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; answers (exit code, seconds until it was gone)."""
        started = time.perf_counter()
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        code = self._popen.wait(PATIENCE)
        return code, time.perf_counter() - started


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """`xp serve`, as a user starts it: one process, SQLite, synchronous=FULL, everything on."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        environment = {
            "JWT_SECRET": SECRET, "RATE_LIMITS": "off", "DATA_DIR": str(folder / "data"), "PORT": str(self.port),
            **settings,
        }  # fmt: skip
        command = [sys.executable, "-m", "cli.main", "serve"]
        self.process = Process(command, environment, folder / "server.log")
        self.ready_after = self.process.wait_until_ready(f"{self.url}/health/ready")


@contextlib.contextmanager
def server(folder: Path | None = None, **settings: str) -> Iterator[Server]:
    with contextlib.ExitStack() as closing:
        if folder is None:
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        running = Server(folder, **settings)
        closing.callback(running.process.stop)
        yield running


class Yardstick:
    """One of the plain servers of `bench.yardsticks`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "bench.yardsticks", name, str(self.port)]
        self.process = Process(command, {}, folder / f"{name}.log")
        self.process.wait_until_ready(f"{self.url}/ready")


@contextlib.contextmanager
def yardstick(name: str) -> Iterator[Yardstick]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        running = Yardstick(name, Path(folder))
        try:
            yield running
        finally:
            running.process.stop()
