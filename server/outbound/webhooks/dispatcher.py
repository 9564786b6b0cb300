"""The dispatcher of webhooks: queues what the log has for them, and sends what is due.

An attempt whose outcome was not recorded, because the process was killed, is made again with the same id.
"""

import logging
import random
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from functools import partial

from actors import limits
from actors.errors import Forbidden
from actors.ports import Write
from actors.queries import Reads
from actors.resources.webhooks import (
    CountDeliveries,
    DueDeliveries,
    FindNews,
    ListDueDeliveries,
    LoadDelivery,
    RecordAttempt,
    WithdrawDelivery,
)
from actors.runtime.due_loop import DueLoop
from server.outbound.webhooks.sender import Sender
from server.telemetry.measures import ServerMeasures

logger = logging.getLogger("server.webhooks")


class Dispatcher:
    """Confined to the event loop."""

    def __init__(
        self, reads: Reads, write: Write, sender: Sender, measures: ServerMeasures,
        *, commits: Callable[[], int], changes: Callable[[], int],
        must_be_allowed: Callable[[str, str], object] = lambda domain, email: None,
    ) -> None:  # fmt: skip
        """`commits`: a number that changes with each transaction of this process; `changes`: with each one that wrote
        more than messages, which is enough to look at while there are no webhooks. `must_be_allowed` raises `Forbidden`
        for a domain and an e-mail address whose users may not come in: what is due to them waits."""
        self._reads = reads
        self._write = write
        self._sender = sender
        self._measures = measures
        self._must_be_allowed = must_be_allowed
        self._queues: OrderedDict[int, deque[int]] = OrderedDict()
        """Webhook → deliveries that were due when it was looked; the webhook served last is at the end."""
        self._at_once: dict[int, int] = {}
        self._on_their_way: Counter[int] = Counter()
        self._has_webhooks = True
        self._just_failed: set[int] = set()
        """Webhooks with a failure that was recorded while it was being looked what is due."""
        self._loop: DueLoop[int] = DueLoop(
            self._look, self._count, at_once=limits.WEBHOOKS_AT_ONCE, logger=logger,
            commits=lambda: commits() if self._has_webhooks else changes(),
        )  # fmt: skip
        """Of deliveries."""

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """Attempts on their way have a moment to be recorded."""
        await self._loop.stop()
        await self._sender.close()

    async def _look(self) -> bool:
        has_moved = await self._queue_news()
        await self._take_due()
        return has_moved

    # From the log to deliveries

    async def _queue_news(self) -> bool:
        """Whether a cursor has moved: there may be more behind it."""
        has_moved = False
        news = await self._reads.ask(FindNews())
        self._has_webhooks = news is not None
        for command in news or ():
            if command.deliveries or command.up_to - command.after >= limits.WEBHOOK_LAZY:
                await self._write(command)
                has_moved = True
        return has_moved

    async def _take_due(self) -> None:
        self._just_failed.clear()
        for due in await self._reads.ask(ListDueDeliveries()):
            if due.webhook_key in self._just_failed:  # its circuit may be open since it was read
                self._loop.look_soon()
                continue
            if not self._is_allowed(due):
                continue
            self._at_once[due.webhook_key] = due.at_once
            self._queues[due.webhook_key] = self._not_sending(due)
        self._fill()

    def _is_allowed(self, due: DueDeliveries) -> bool:
        try:
            self._must_be_allowed(*due.owner)
        except Forbidden:
            return False
        return True

    def _not_sending(self, due: DueDeliveries) -> deque[int]:
        return deque(key for key in due.keys if key not in self._loop.items)

    async def _count(self) -> None:
        found = await self._reads.ask(CountDeliveries())
        self._measures.webhook_deliveries = {state: found.get(state, 0) for state in ("pending", "dead")}

    # From deliveries to receivers

    def _fill(self) -> None:
        """Start as many attempts as may be on their way: the webhook that was served last is the last again."""
        started = True
        while started and self._loop.has_room:
            started = sum(self._start_one(webhook) for webhook in list(self._queues)) > 0

    def _start_one(self, webhook: int) -> bool:
        queue = self._queues[webhook]
        if not queue:
            del self._queues[webhook]
            return False
        if not self._loop.has_room or self._on_their_way[webhook] >= self._at_once[webhook]:
            return False
        self._queues.move_to_end(webhook)
        self._start(webhook, queue.popleft())
        return True

    def _start(self, webhook: int, delivery: int) -> None:
        self._on_their_way[webhook] += 1
        self._loop.begin(delivery, partial(self._attempt, webhook, delivery), partial(self._sent, webhook))

    def _sent(self, webhook: int) -> None:
        self._on_their_way[webhook] -= 1
        if not self._on_their_way[webhook]:
            del self._on_their_way[webhook]
        self._fill()
        if webhook not in self._queues:
            self._loop.look_soon()

    async def _attempt(self, webhook: int, delivery: int) -> None:
        outgoing = await self._reads.ask(LoadDelivery(delivery))
        if outgoing is None:
            return
        if not outgoing.is_visible:
            await self._write(WithdrawDelivery(delivery))
            self._measures.webhook_attempts["withdrawn"] += 1
            return
        outcome = await self._sender.send(outgoing)
        self._measures.webhook_seconds.observe(outcome.attempt.milliseconds / 1000)
        recorded = RecordAttempt(
            delivery, outcome.attempt, outcome.retry_after,
            chance=random.random(),  # noqa: S311 - spreads retries
        )  # fmt: skip
        state = (await self._write(recorded)).result
        if outcome.attempt.error is not None:
            self._just_failed.add(webhook)
            self._queues.pop(webhook, None)  # its circuit may be open now: the database says what is due
        self._measures.webhook_attempts["failed" if state == "pending" else str(state)] += 1
