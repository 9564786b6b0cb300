"""Time that has passed, and the rules as a server runs them."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from actors.journal.retention import Retention
from actors.outcomes import Done
from actors.queries import Query
from actors.resources.retention import DAY_MS, RetentionRules, Tally
from actors.resources.threads import Thread
from storage.readers.answers import answer
from tests.builders import Ledger


def idle_for(ledger: Ledger, thread: Thread, days: int) -> None:
    """All that has happened in it happened so long ago."""
    ago = days * DAY_MS + 60_000
    ledger.sql("UPDATE event SET time = time - ? WHERE thread_id = ?", ago, thread.key)
    ledger.sql("UPDATE message_revision SET replaced_at = replaced_at - ?", ago)


class LocalReads:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def ask(self, query: Query[Any]) -> Any:
        return self._ledger.ask(answer, query)


def applied(ledger: Ledger, *, dry_run: bool = False, **days: int) -> dict[str, Tally]:
    async def write(made: Any) -> Done[Any]:
        return ledger.do(made)

    retention = Retention(write, LocalReads(ledger), RetentionRules(**days))
    tallies = asyncio.run(retention.look() if dry_run else retention.apply())
    return {tally.rule: tally for tally in tallies}


@contextlib.contextmanager
def days_ago(days: int) -> Iterator[None]:
    """What is written meanwhile was written then: entries of the audit log, whose times cannot be changed later."""
    then = time.time_ns() // 1_000_000 - days * DAY_MS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.journal.transaction.now_ms", lambda: then)
        yield
