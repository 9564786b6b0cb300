"""One worker process, as the server sees it."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import orjson

import server
from server.previews import wire
from server.previews.job import Job
from server.previews.limits import REPLY_BYTES, WorkerLimits
from server.previews.preview import Preview, PreviewFailed

ROOT = Path(server.__file__).parent.parent
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""Of the server's environment. The rest has secrets."""
OUTSIDE = frozenset({-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT})
"""A worker that died of one of these was killed by the kernel for want of memory, or by its operator."""


class WorkerProcess:
    """Takes one job at a time. Once it is not `fit`, it is only good for `kill`."""

    def __init__(
        self, process: asyncio.subprocess.Process, limits: WorkerLimits, outputs: Mapping[str, str] = wire.MEDIA_TYPES
    ) -> None:
        self._process = process
        self._limits = limits
        self._outputs = outputs
        self._jobs = 0
        self._fit = True
        self._killed = False

    @classmethod
    async def start(
        cls, module: str, limits: WorkerLimits, outputs: Mapping[str, str] = wire.MEDIA_TYPES
    ) -> "WorkerProcess":
        """Raises `PreviewFailed` where the platform gives no process."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
                cwd=tempfile.gettempdir(),
                limit=REPLY_BYTES,
                start_new_session=True,  # a group of its own, so that what it starts ends with it
            )
        except OSError as error:
            raise PreviewFailed(f"no worker could be started: {error}", retryable=True) from error
        worker = cls(process, limits, outputs)
        worker._write(orjson.dumps(asdict(limits)) + b"\n")
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def fit(self) -> bool:
        """Whether it may be given another job."""
        return self._fit and self._process.returncode is None and self._jobs < self._limits.jobs

    async def preview(self, job: Job) -> Preview:
        """Raises `PreviewFailed`. Whatever ends it early, cancellation too, leaves a worker that is not fit."""
        fit, self._fit = self._fit, False
        self._jobs += 1
        line = await self._ask(wire.job_line(job))
        self._fit = fit and not wire.is_last(line)
        try:
            return await asyncio.to_thread(wire.read_reply, line, job.into, self._outputs)
        except wire.BadReply as error:
            self._fit = False
            raise PreviewFailed(str(error)) from error

    async def kill(self) -> None:
        """The worker and what it has started, at once."""
        self._fit = False
        if not self._killed:  # once: afterwards the number may be another's
            self._killed = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _ask(self, line: bytes) -> bytes:
        assert self._process.stdout is not None
        try:
            self._write(line)
            async with asyncio.timeout(self._limits.seconds):
                reply = await self._process.stdout.readline()
        except TimeoutError as error:
            raise PreviewFailed(f"it takes more than {self._limits.seconds:g} seconds") from error
        except ValueError as error:
            raise PreviewFailed(f"its preview has more than {REPLY_BYTES} bytes of text") from error
        if not reply.endswith(b"\n"):
            raise await self._death()
        return reply

    async def _death(self) -> PreviewFailed:
        """Standard output is shut: it is dead, or is to be."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._process.wait()
        code = self._process.returncode
        return PreviewFailed(f"the worker ended with {_name_of(code)}", retryable=code is None or code in OUTSIDE)

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):  # it has ended: reading its reply says so
            self._process.stdin.write(line)


def _environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    packages = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**passed, "PYTHONPATH": packages, "HOME": tempfile.gettempdir()}


def _name_of(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
