"""What the dispatcher does between a failure and its record, and when it looks what is due."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from actors import limits
from actors.outcomes import Done
from actors.resources.webhooks import (
    TEST,
    Attempt,
    DueDeliveries,
    FindNews,
    ListDueDeliveries,
    LoadDelivery,
    Outgoing,
    RecordAttempt,
)
from server.outbound.webhooks.dispatcher import Dispatcher
from server.outbound.webhooks.sender import Outcome, Sender
from server.telemetry.measures import ServerMeasures
from tests.builders import until

WEBHOOK = 1


class Database:
    """One webhook with deliveries to spare, whose receiver has failed once less than opens its circuit."""

    def __init__(self) -> None:
        self.failures = limits.WEBHOOK_FAILURES - 1
        self.commits = 0
        self.changes = self.asked = 0
        self.has_webhooks = True
        self.looks = 0
        self.may_answer, self.may_record = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def ask(self, query: Any) -> Any:
        match query:
            case FindNews():
                return () if self.has_webhooks else None
            case ListDueDeliveries():
                found = self._due()
                self.looks += 1
                await self.may_answer.wait()
                return found
            case LoadDelivery(key):
                return Outgoing(f"{key}", "webhook", "http://receiver", (), TEST, None)
        return {}

    def changed(self) -> int:
        self.asked += 1
        return self.changes

    def _due(self) -> Sequence[DueDeliveries]:
        is_open = self.failures >= limits.WEBHOOK_FAILURES
        return [] if is_open else [DueDeliveries(WEBHOOK, tuple(range(100)), limits.WEBHOOK_AT_ONCE)]

    async def write(self, command: Any) -> Done:
        assert isinstance(command, RecordAttempt)
        await self.may_record.wait()
        self.failures += 1
        return Done("pending")


class Failing(Sender):
    def __init__(self) -> None:
        self.sent = 0
        self.answers: asyncio.Queue[None] = asyncio.Queue()

    async def send(self, outgoing: Outgoing) -> Outcome:
        self.sent += 1
        await self.answers.get()
        return Outcome(Attempt(0, 1, 500, "status"))

    async def close(self) -> None:
        pass


async def test_what_was_due_before_a_failure_is_not_sent_after_it() -> None:
    """The list of what is due is on its way while the failure that opens the circuit is recorded."""
    database, sender = Database(), Failing()
    dispatcher = Dispatcher(
        database,
        database.write,
        sender,
        ServerMeasures(),
        commits=lambda: database.commits,
        changes=database.changed,
    )
    dispatcher.start()
    try:
        await until(lambda: sender.sent == limits.WEBHOOK_AT_ONCE)
        sender.answers.put_nowait(None)
        database.may_answer.clear()
        database.commits += 1
        await until(lambda: database.looks == 2)
        database.may_record.set()
        await until(lambda: database.failures == limits.WEBHOOK_FAILURES)
        database.may_answer.set()
        await until(lambda: database.looks == 3)
        assert sender.sent == limits.WEBHOOK_AT_ONCE
    finally:
        for _ in range(sender.sent):
            sender.answers.put_nowait(None)
        await dispatcher.stop()


async def test_without_webhooks_only_changes_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are not; the first change may be a webhook, and from then on messages are, too."""
    monkeypatch.setattr(limits, "DUE_REST_SECONDS", 3600)
    monkeypatch.setattr(limits, "DUE_LOOK_SECONDS", 0.001)
    database, sender = Database(), Failing()
    database.has_webhooks, database.failures = False, limits.WEBHOOK_FAILURES
    dispatcher = Dispatcher(
        database, database.write, sender, ServerMeasures(),
        commits=lambda: database.commits, changes=database.changed,
    )  # fmt: skip
    dispatcher.start()
    try:
        await until(lambda: database.looks > 0)
        seen = database.looks
        database.commits += 1
        asked = database.asked
        await until(lambda: database.asked > asked + 3)
        assert database.looks == seen
        database.has_webhooks = True
        database.changes += 1
        await until(lambda: database.looks > seen)
        seen = database.looks
        database.commits += 1
        await until(lambda: database.looks > seen)
    finally:
        await dispatcher.stop()
