"""The housekeeper: removes expired data once a minute, in small steps that do not delay commands."""

import asyncio
import logging
import time
from typing import Any

from actors import limits
from actors.commands import NotifyThreadDeleted, Purge, ShrinkDatabase
from actors.errors import Internal
from actors.journal.actor import Journal
from actors.outcomes import Done
from actors.resources.acknowledgements import RepeatUrgent
from actors.resources.actions import ExpireActions, ExpireForms
from actors.resources.artifact_streams import InterruptArtifactStreams
from actors.resources.message_streams import InterruptAbandoned
from actors.resources.outbox import RedateWaiting
from actors.resources.users import EraseContent
from actors.runtime.periodic import Periodic

logger = logging.getLogger("actors.housekeeper")


Step = (
    Purge | EraseContent | ExpireActions | ExpireForms | RepeatUrgent | InterruptAbandoned | InterruptArtifactStreams
    | NotifyThreadDeleted | RedateWaiting | ShrinkDatabase
)  # fmt: skip
"""What each round does."""


def _steps() -> tuple[Step, ...]:
    """The purge first."""
    now = time.time_ns() // 1_000_000
    return (
        Purge(), EraseContent(), NotifyThreadDeleted(), ExpireActions(), RepeatUrgent(), ExpireForms(before=now),
        InterruptAbandoned(before=now - limits.STREAM_ABANDONED_SECONDS * 1000),
        InterruptArtifactStreams(before=now - int(limits.STREAM_SILENT_SECONDS) * 1000),
        RedateWaiting(), ShrinkDatabase(),
    )  # fmt: skip


class Housekeeper:
    def __init__(self, journal: Journal, *, every_seconds: float = limits.HOUSEKEEPING_SECONDS) -> None:
        self._journal = journal
        self._periodic = Periodic(
            self.tidy, every_seconds=every_seconds, first_seconds=every_seconds, logger=logger, name="housekeeping"
        )

    def start(self) -> None:
        self._periodic.start()

    async def tidy(self) -> int:
        """Step by step until nothing is left to do; answers how many rows were purged. A defect in one step stops no
        other, and is raised after them."""
        taken: list[int] = []
        defect: Internal | None = None
        for step in _steps():
            try:
                taken.append(await self._do(step))
            except Internal as error:
                defect = error
        if defect is not None:
            raise defect
        return taken[0]

    async def _do(self, step: Step) -> int:
        taken = 0
        while True:
            done: Done[Any] = await self._journal.append(step)
            rows = done.result
            assert isinstance(rows, int)
            taken += rows
            if rows < step.rows:
                return taken
            await asyncio.sleep(limits.HOUSEKEEPING_PAUSE_SECONDS)

    def stop(self) -> None:
        self._periodic.cancel()
