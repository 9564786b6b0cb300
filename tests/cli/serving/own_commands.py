"""Commands that a server starts for itself, forked like the servers of other tests, with the limits that a test has
changed: what they wait for may come sooner. As programs some tests of test_backup_schedule.py start them."""

import asyncio
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import pytest

from actors import limits
from cli.settings import Settings
from tests import forking


def fork_own_commands(monkeypatch: pytest.MonkeyPatch, **changed_limits: float) -> None:
    """From now on, for servers of this process, which gets these limits, too."""
    for name, value in changed_limits.items():
        monkeypatch.setattr(limits, name, value)
    if forking.is_possible():
        start = functools.partial(_start, changed_limits)
        monkeypatch.setattr("cli.serving.shipping.start_xp", start)
        monkeypatch.setattr("cli.serving.backup_schedule.start_xp", start)


@dataclass(frozen=True, slots=True)
class Command:
    """What the server uses of `asyncio.subprocess.Process`."""

    forked: forking.Forked
    stdin: asyncio.WriteTransport
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    @property
    def returncode(self) -> int | None:
        return self.forked.returncode

    def kill(self) -> None:
        self.forked.kill()

    async def wait(self) -> int:
        return await self.forked.wait()

    async def communicate(self) -> tuple[bytes, bytes]:
        self.stdin.close()
        out, said, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, said


async def _start(changed_limits: Mapping[str, float], chosen: Settings, *arguments: str, **_: int) -> Command:
    """Takes the place of `start_xp`."""
    (theirs, stdin), (stdout, to_stdout), (stderr, to_stderr) = os.pipe(), os.pipe(), os.pipe()
    environment = {**os.environ, **chosen.texts, "XP_TRACEBACK": ""}
    try:
        forked = await forking.fork_with(arguments, environment, (theirs, to_stdout, to_stderr), changed_limits)
    finally:
        for descriptor in (theirs, to_stdout, to_stderr):
            os.close(descriptor)
    writing, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.Protocol, _file(stdin, "wb"))
    return Command(forked, writing, await _reader(stdout), await _reader(stderr))


async def _reader(descriptor: int) -> asyncio.StreamReader:
    """Closes it at its end."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, _file(descriptor, "rb"))
    return reader


def _file(descriptor: int, mode: str) -> IO[bytes]:
    """Its transport closes it."""
    return open(descriptor, mode, buffering=0)
