"""Server processes that start at once: forked from a process that has imported everything and done nothing else.

To import the server takes some seconds of a core, and the tests start more than a hundred servers. A forked one has an
environment, a log, signals, a memory and an end of its own, like one that was started as a program; that a program
starts is what tests/cli/serving/test_first_start.py looks at. Passwords cost a forked one less, as they do in a test's
own process (tests/cheap_passwords.py). Where coverage is measured each is a program.
"""

import asyncio
import atexit
import contextlib
import functools
import gc
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import orjson

from actors import limits

ROOT = Path(__file__).parent.parent
MESSAGE_BYTES = 128 * 1024
LENGTH = 4


def is_possible() -> bool:
    """Coverage of a process begins when Python starts."""
    return not any(name.startswith("COVERAGE_PROCESS") for name in os.environ)


class Forked:
    """What tests use of `asyncio.subprocess.Process`."""

    def __init__(self, status: int) -> None:
        self._status = status
        self._read = b""
        self.pid = 0

    @property
    def returncode(self) -> int | None:
        while self._status >= 0 and select.select([self._status], [], [], 0)[0]:
            self._take()
        return int.from_bytes(self._read[LENGTH:], signed=True) if len(self._read) == 2 * LENGTH else None

    async def started(self) -> None:
        while len(self._read) < LENGTH:
            await _readable(self._status)
            self._take()
        self.pid = int.from_bytes(self._read[:LENGTH])

    async def wait(self) -> int:
        while (code := self.returncode) is None:
            await _readable(self._status)
        return code

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _take(self) -> None:
        """Its id comes first, then its exit code; the pipe ends before that only with what forks."""
        piece = os.read(self._status, 2 * LENGTH - len(self._read))
        assert piece, "the process that forks servers has ended"
        self._read += piece
        if len(self._read) == 2 * LENGTH:
            self._close()

    def _close(self) -> None:
        if self._status >= 0:
            os.close(self._status)
            self._status = -1

    def __del__(self) -> None:
        self._close()


async def fork(arguments: Sequence[str], environment: Mapping[str, str], log: BinaryIO) -> Forked:
    """Run `xp` with these arguments in a process of its own."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        return await fork_with(arguments, environment, (nothing, log.fileno(), log.fileno()))
    finally:
        os.close(nothing)


async def fork_with(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: tuple[int, int, int],
    changed_limits: Mapping[str, float] | None = None,
) -> Forked:
    """`streams`: descriptors of its stdin, stdout and stderr."""
    requests = _forker()
    status, other_end = os.pipe()
    forked = Forked(status)
    try:
        message = orjson.dumps([list(arguments), dict(environment), os.getcwd(), dict(changed_limits or {})])
        socket.send_fds(requests, [message], [*streams, other_end])
    finally:
        os.close(other_end)
    await forked.started()
    return forked


async def run(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """`xp` to its end, in a process of its own: the exit code, and all that it printed."""
    with tempfile.TemporaryFile() as printed:
        running = await start(arguments, environment, printed)
        code = await running.wait()
        printed.seek(0)
        return code, printed.read().decode()


async def start(
    arguments: Sequence[str], environment: Mapping[str, str], log: BinaryIO
) -> Forked | asyncio.subprocess.Process:
    """As a program where it cannot be forked."""
    if is_possible():
        return await fork(arguments, environment, log)
    program = (sys.executable, "-m", "cli.main", *arguments)
    return await asyncio.create_subprocess_exec(*program, env=environment, stdout=log, stderr=log)


PROGRAM = """#!{python} -IS
import json, os, socket, sys
requests = socket.socket(fileno={requests})
status, theirs = os.pipe()
message = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd(), {{}}]).encode()
socket.send_fds(requests, [message], [0, 1, 2, theirs])
os.close(theirs)
os.read(status, {length})
sys.exit(int.from_bytes(os.read(status, {length}), signed=True))
"""


def write_program(path: Path) -> list[int]:
    """Write an `xp` for scripts, which runs in a forked process. Answers the descriptors that it has to inherit."""
    requests = _forker().fileno()
    path.write_text(PROGRAM.format(python=sys.executable, requests=requests, length=LENGTH))
    path.chmod(0o755)
    return [requests]


async def _readable(descriptor: int) -> None:
    """Until something can be read, or it has ended. By a copy: a loop has one reader for each descriptor."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    copy = os.dup(descriptor)
    loop.add_reader(copy, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(copy)
        os.close(copy)


@functools.cache
def _forker() -> socket.socket:
    """Where a process that forks takes requests; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()]
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# The process that forks


def main() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    import cli.serve  # noqa: F401 - what forked processes need not import
    from cli.main import main as xp
    from tests import cheap_passwords

    cheap_passwords.use()
    assert threading.active_count() == 1, "only a process of one thread may fork"
    gc.collect()
    gc.freeze()  # no forked process looks at it, which would copy it all
    if _forked(requests):
        xp(prog_name="xp")


def _forked(requests: socket.socket) -> bool:
    """Serve requests. Answers True in each process that was forked, False where no more will be asked for."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    statuses: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == woken:
                    os.read(woken, 512)
                    _reap(statuses)
                    continue
                message, descriptors, _, _ = socket.recv_fds(requests, MESSAGE_BYTES, 4)
                if not message:
                    return False
                *streams, status = descriptors
                if (pid := os.fork()) == 0:
                    selector.close()
                    _become(message, streams, [*streams, status, woken, waker, requests.detach(), *statuses.values()])
                    return True
                for descriptor in streams:
                    os.close(descriptor)
                os.write(status, pid.to_bytes(LENGTH))
                statuses[pid] = status


def _reap(statuses: dict[int, int]) -> None:
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        end = statuses.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # where no test waits for it
            os.write(end, os.waitstatus_to_exitcode(status).to_bytes(LENGTH, signed=True))
        os.close(end)


def _become(message: bytes, streams: list[int], inherited: list[int]) -> None:
    """Make this process what its request says."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in inherited:
        os.close(descriptor)
    arguments, environment, folder, changed_limits = orjson.loads(message)
    for name, value in changed_limits.items():
        setattr(limits, name, value)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv[1:] = arguments


if __name__ == "__main__":
    main()
