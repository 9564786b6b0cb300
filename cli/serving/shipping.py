"""Continuous backup by BACKUP_CONTINUOUS: `xp db ship` in a process of its own, for as long as the server runs.

In a process of its own, because it takes processor time; because what it holds of SQLite's files must not be in the
process that writes; and because it goes on for a moment when the server is killed, and ships its last commits.
"""

import asyncio
import contextlib
import logging
import time
from pathlib import Path

from actors import limits
from cli.serving.own_commands import start_xp
from cli.settings import Settings
from server.telemetry.backup_state import ShippingState
from storage.backups.continuous import state as states

logger = logging.getLogger("cli.backups")


class Shipping:
    def __init__(self, chosen: Settings) -> None:
        self._chosen = chosen
        self.state = ShippingState()
        self._process: asyncio.subprocess.Process | None = None
        self._started = 0.0
        """When the process was: by `time.monotonic`."""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Nothing is shipped without the setting."""
        self.state.is_on = self._chosen["backup_continuous"] is not None
        if self.state.is_on:
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._run()), loop.create_task(self._watch())]

    async def stop(self, seconds: float = 2 * limits.SHIPPING_END_SECONDS) -> None:
        """Once the database is closed: what was committed last is shipped, too, for so long."""
        if self._process is not None:
            await self._end(self._process, seconds)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _end(self, process: asyncio.subprocess.Process, seconds: float) -> None:
        assert process.stdin is not None
        process.stdin.close()
        done, _ = await asyncio.wait(self._tasks[:1], timeout=seconds)
        if not done:
            logger.warning("the process that ships changes does not end; the rest is shipped after the next start")

    async def _run(self) -> None:
        while True:
            process = self._process = await start_xp(self._chosen, "db", "ship", stdin=asyncio.subprocess.PIPE)
            self._started = time.monotonic()
            said = await _said(process)
            assert process.stdin is not None
            if process.stdin.is_closing() and process.returncode == 0:
                return
            self._failed(said or "the process that ships changes has ended")
            await asyncio.sleep(limits.SHIPPING_AGAIN_SECONDS)

    def _failed(self, reason: str) -> None:
        logger.error("changes are not shipped: %s", reason)
        self.state.failing_since = self.state.failing_since or _now()
        self.state.behind_since = self.state.behind_since or _now()
        self.state.reason, self.state.lineage = reason, ""

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(limits.SHIPPING_STATE_SECONDS)
            self._take_over(states.read(_folder(self._chosen)))

    def _take_over(self, found: states.State) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        if not found.is_live:
            self._must_not_be_silent()
            return
        state = self.state
        if found.reason and found.reason != state.reason:
            logger.warning("changes are not shipped: %s", found.reason)
        state.shipped_at, state.behind_since, state.waiting = found.shipped_at, found.behind_since, found.waiting
        state.segments, state.bytes = found.segments, found.bytes
        state.reason = found.reason
        state.follow(found.lineage, found.failing_since, _now())

    def _must_not_be_silent(self) -> None:
        """What it notes is on the disk of the database: when that is full it cannot note even this."""
        if time.monotonic() - self._started < limits.SHIPPING_SILENT_SECONDS or self.state.failing_since is not None:
            return
        self._failed("the process that ships changes has noted nothing for a while; is the disk of DATA_DIR full?")


async def _said(process: asyncio.subprocess.Process) -> str:
    """Its last line, once it has ended."""
    assert process.stderr is not None
    last = b""
    try:
        async for line in process.stderr:
            last = line
        await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return last.decode(errors="replace").strip().removeprefix("Error: ")


def _folder(chosen: Settings) -> Path:
    folder: Path = chosen["data_dir"]
    return folder


def _now() -> int:
    return time.time_ns() // 1_000_000
