"""Runs the retention rules: hourly in a server, once at the terminal. Looks on readers, removes in small steps."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.auth.system import ENSURE_SYSTEM, system_identity
from actors.commands import Makes
from actors.errors import Internal
from actors.outcomes import Done
from actors.queries import Reads
from actors.resources.retention import (
    DAY_MS,
    ListOutdated,
    NoteRetentionRun,
    Outdated,
    RemoveOutdated,
    RetentionRule,
    RetentionRules,
    Tally,
)
from actors.runtime.periodic import Periodic

logger = logging.getLogger("actors.retention")

Write = Callable[[Makes[Any]], Awaitable[Done[Any]]]
CREDENTIAL = "retention"
"""In the audit log: `token:retention`."""


class Retention:
    def __init__(
        self,
        write: Write,
        reads: Reads,
        rules: RetentionRules,
        *,
        first_seconds: float = limits.RETENTION_FIRST_SECONDS,
    ) -> None:
        self._write = write
        self._reads = reads
        self._rules = rules
        self._periodic = Periodic(
            self.apply, every_seconds=limits.RETENTION_SECONDS, first_seconds=first_seconds, logger=logger,
            name="retention",
        )  # fmt: skip

    def start(self) -> None:
        """Nothing runs where no rule is set."""
        if self._rules.chosen():
            self._periodic.start()

    async def stop(self) -> None:
        await self._periodic.stop()

    async def look(self) -> list[Tally]:
        """What each rule, by itself, would take now: what is to be deleted counts as to be archived, too."""
        tallies = []
        for rule, days in self._rules.chosen():
            tally = Tally(rule)
            async for found in self._pages(rule, _before(days)):
                tally = tally.plus(found)
            tallies.append(tally)
        return tallies

    async def apply(self) -> list[Tally]:
        """Run each rule once; answers what each has taken. A defect in one stops no other, and is raised after
        them."""
        tallies: list[Tally] = []
        defect: Internal | None = None
        for rule, days in self._rules.chosen():
            try:
                tallies.append(await self._apply(rule, days))
            except Internal as error:
                defect = error
        if defect is not None:
            raise defect
        return tallies

    async def _apply(self, rule: RetentionRule, days: int) -> Tally:
        started_at, before, tally = _now(), _before(days), Tally(rule)
        try:
            async for found in self._pages(rule, before):
                size = limits.RETENTION_AUDIT_STEP if rule == "audit_entries" else limits.RETENTION_STEP
                for start in range(0, len(found), size):
                    step = found[start : start + size]
                    tally = tally.plus(await self._remove(rule, before, step))
        finally:
            if tally.items:  # also what was taken before a failure
                await self._write(NoteRetentionRun(started_at, tally))
                logger.info("retention: %s took %d items, %d rows, %d bytes", rule, tally.items, tally.rows, tally.size)
        return tally

    async def _pages(self, rule: RetentionRule, before: int) -> AsyncGenerator[Sequence[Outdated], None]:
        after: int | None = 0
        while after is not None:
            page = await self._reads.ask(ListOutdated(rule, before, after))
            yield page.found
            after = page.next

    async def _remove(self, rule: RetentionRule, before: int, step: Sequence[Outdated]) -> list[Outdated]:
        """Answers those of them that were taken."""
        identity = await self._system()
        taken = (await self._write(RemoveOutdated(identity, rule, before, tuple(each.key for each in step)))).result
        await asyncio.sleep(limits.HOUSEKEEPING_PAUSE_SECONDS)
        return [each for each in step if each.key in taken]

    async def _system(self) -> Identity:
        """In whose name: the built-in user, so that events have an author."""
        return system_identity((await self._write(ENSURE_SYSTEM)).result, CREDENTIAL)


def _before(days: int) -> int:
    return _now() - days * DAY_MS


def _now() -> int:
    return time.time_ns() // 1_000_000
