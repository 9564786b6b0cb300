"""Backups by BACKUP_SCHEDULE: `xp db backup` in a process of its own, when one is due. Continuous backup needs one
as soon as a lineage of segments has begun.

In a process of its own, because a copy takes memory, processor time and its own connections; and because it may be
killed at any moment: a backup counts only once it is whole.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from actors import limits
from actors.backups import schedule
from cli.serving.own_commands import start_xp
from cli.settings import Settings
from server.telemetry.backup_state import BackupState
from storage.backups import record

logger = logging.getLogger("cli.backups")


def _now() -> datetime:
    return datetime.now(UTC)


class BackupSchedule:
    def __init__(self, chosen: Settings, state: BackupState, *, now: Callable[[], datetime] = _now) -> None:
        self._chosen = chosen
        self._schedule: Any = chosen["backup_schedule"]
        if self._schedule is None and chosen["backup_continuous"] is not None:
            self._schedule = schedule.parse(limits.CONTINUOUS_SCHEDULE)
        self._state = state
        self._now = now
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Nothing is scheduled without the setting; what is known of earlier backups is shown in any case."""
        self._state.is_scheduled = self._schedule is not None
        self._look()
        if self._schedule is not None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _look(self) -> None:
        """Take over what the last backup, by whatever process, has recorded."""
        found, state = self._recorded(), self._state
        state.good_at, state.name, state.size, state.seconds = found.good_at, found.name, found.size, found.seconds
        state.failing_since, state.reason = found.failing_since, found.reason
        state.shipping.backed_up(found.lineage)
        if self._schedule is not None:
            state.due_at = _milliseconds(self._due(found))

    def _recorded(self) -> record.Record:
        """Without times ahead of the clock, which was wrong when they were noted: they would put backups off for as
        long."""
        found, latest = record.read(self._chosen["data_dir"]), _milliseconds(self._now()) + limits.BACKUP_AHEAD_MS
        good_at, failed_at = (
            at if at is not None and at <= latest else None for at in (found.good_at, found.failed_at)
        )
        return replace(found, good_at=good_at, failed_at=failed_at)

    def _due(self, found: record.Record) -> datetime:
        """The first one at once: a server without any backup has waited long enough."""
        at_once, last = min(self._now(), _moment(self._state.due_at) or self._now()), _moment(found.good_at)
        if last is None:
            return at_once
        if self._state.shipping.lineage not in ("", found.lineage):
            return max(at_once, last + timedelta(seconds=limits.CONTINUOUS_PAUSE_SECONDS))
        due: datetime = self._schedule.next_after(last)
        return due

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(self._wait(), self._longest))
            self._look()
            await self._back_up()
            self._look()

    @property
    def _longest(self) -> float:
        """Sleep: a lineage of segments begins at any time."""
        return limits.SHIPPING_STATE_SECONDS if self._state.shipping.is_on else limits.BACKUP_LOOK_SECONDS

    def _wait(self) -> float:
        """Seconds; after a failure it is tried again soon, however long the interval is. At once where continuous
        backup works again since: what was full or away is back."""
        due = _moment(self._state.due_at) or self._now()
        failed, works = self._recorded().failed_at, self._state.shipping.works_since
        if self._state.failing_since is not None and failed is not None and failed >= (works or 0):
            again = datetime.fromtimestamp(failed / 1000 + limits.BACKUP_RETRY_SECONDS, UTC)
            due = max(due, again)
        return max(0.0, min((due - self._now()).total_seconds(), limits.BACKUP_LOOK_SECONDS))

    async def _back_up(self) -> None:
        if self._wait() > 0:  # a long wait is slept in steps: the machine's clock may be set meanwhile
            return
        began = time.monotonic()
        code, out, said = await _run(self._chosen)
        result = "failed" if not out else "good" if code == 0 else "incomplete"
        self._state.results[result] += 1
        if result == "good":
            logger.info("backup %s in %.1f s", orjson.loads(out)["name"], time.monotonic() - began)
            if orjson.loads(out)["locked"]:
                logger.warning("%s", said)
        else:
            found = self._recorded()
            logger.error("the backup is %s: %s", result, found.reason or said)
            self._note_failure(found, said)

    def _note_failure(self, found: record.Record, said: str) -> None:
        """A process that was killed has recorded nothing."""
        now = _milliseconds(self._now())
        if found.failed_at is None or found.failed_at < now - 1000 * limits.BACKUP_RETRY_SECONDS // 2:
            with contextlib.suppress(OSError):
                record.write(self._chosen["data_dir"], found.failed(at=now, reason=said or "its process was killed"))


async def _run(chosen: Settings) -> tuple[int, bytes, str]:
    """(exit code, stdout, what it said in one line)."""
    process = await start_xp(chosen, "db", "backup", "--json", stdout=asyncio.subprocess.PIPE)
    try:
        out, said = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    lines = said.decode(errors="replace").strip().splitlines()
    return process.returncode or 0, out, lines[-1].removeprefix("Error: ") if lines else ""


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
