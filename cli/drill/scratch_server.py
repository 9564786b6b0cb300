"""`xp serve` on a scratch folder, to which things are done."""

import asyncio
import contextlib
import os
import resource
import secrets
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import IO, Protocol

import click

from actors import limits
from cli.settings import SETTINGS
from loadtest.api import Api, session
from loadtest.problems import Failed

DOMAIN = "drill.example"
"""Of the users of a drill."""


class Process(Protocol):
    """What is needed of a server's process, by a method of `asyncio.subprocess.Process` each."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def kill(self) -> None: ...
    def send_signal(self, number: int, /) -> None: ...
    async def wait(self) -> int: ...


Spawn = Callable[[Path, Mapping[str, str], IO[bytes]], Awaitable[Process]]
"""Starts `xp serve` in a folder, with an environment and a log."""


async def spawn(folder: Path, environment: Mapping[str, str], log: IO[bytes]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "serve", cwd=folder, stdout=log, stderr=log, env=environment,
        start_new_session=True,
    )  # fmt: skip


class ScratchServer:
    """Its settings are the defaults: neither the environment nor a file of settings changes them."""

    def __init__(self, folder: Path, spawn: Spawn = spawn) -> None:
        self.folder = folder
        self._spawn = spawn
        self.data_dir = folder / "data"
        self.log = folder / "server.log"
        self.secret = secrets.token_hex(32)
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._process: Process | None = None
        self._settings = {
            "DATA_DIR": str(self.data_dir), "HOST": "127.0.0.1", "PORT": self.url.rpartition(":")[2],
            "JWT_SECRET": self.secret, "RATE_LIMITS": "off", "PREVIEWS": "off", "LOG_LEVEL": "warning",
            "ALLOWED_DOMAINS": DOMAIN,
        }  # fmt: skip

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self, **more: str) -> None:
        """Until it answers; `more` is added to its environment. Raises `click.ClickException` with its last words."""
        known = {setting.name for setting in SETTINGS}
        inherited = {name: value for name, value in os.environ.items() if name not in known}
        with self.log.open("ab") as log:
            self._process = await self._spawn(self.folder, inherited | self._settings | more, log)
        await self.ready()

    async def ready(self) -> None:
        """Wait until it can write."""
        end = time.monotonic() + limits.DRILL_WAIT_SECONDS
        async with session() as http:
            api = Api(http, self.url, "")
            while True:
                with contextlib.suppress(Failed):
                    await api.read("/health/ready")
                    return
                if time.monotonic() > end or self._process is None or self._process.returncode is not None:
                    raise click.ClickException(f"The scratch server is not ready: {self.said()[-500:]}")
                await asyncio.sleep(limits.DRILL_PAUSE_SECONDS)

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def kill(self) -> None:
        """As a power cut ends it, but for the caches of the system."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """End it in order; answers its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(limits.DRILL_WAIT_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            await self.kill()
            return -signal.SIGKILL

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def limit_files(self, size: int | None) -> None:
        """Let the kernel refuse to write beyond this offset of any file; None for no limit."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    async def close(self) -> None:
        """End it, also one that is frozen or was killed before."""
        if self._process is not None and self._process.returncode is None:
            self.thaw()
            await self.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
