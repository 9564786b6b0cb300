"""The dispatcher of webhooks: queues what the log has for them, and sends what is due.

All that is due stands in the database. An attempt whose outcome was not recorded, because the process was killed, is
made again with the same id.
"""

import asyncio
import contextlib
import logging
import random
from collections import Counter, OrderedDict, deque
from collections.abc import Callable

from actors import limits
from actors.errors import Forbidden, XpError
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
from server.outbound.webhooks.sender import Sender
from server.telemetry.measures import ServerMeasures

logger = logging.getLogger("server.webhooks")


class Dispatcher:
    """Confined to the event loop."""

    def __init__(
        self, reads: Reads, write: Write, sender: Sender, measures: ServerMeasures,
        *, commits: Callable[[], int], must_be_allowed: Callable[[str, str], object] = lambda domain, email: None,
    ) -> None:  # fmt: skip
        """`commits`: a number that changes with each transaction of this process. `must_be_allowed` raises `Forbidden`
        for a domain and an e-mail address whose users may not come in: what is due to them waits."""
        self._reads = reads
        self._write = write
        self._sender = sender
        self._measures = measures
        self._commits = commits
        self._must_be_allowed = must_be_allowed
        self._seen = -1
        self._queues: OrderedDict[int, deque[int]] = OrderedDict()
        """Webhook → deliveries that were due when it was looked; the webhook served last is at the end."""
        self._at_once: dict[int, int] = {}
        self._on_their_way: Counter[int] = Counter()
        self._sending: dict[int, asyncio.Task[None]] = {}
        """By delivery."""
        self._just_failed: set[int] = set()
        """Webhooks with a failure that was recorded while it was being looked what is due."""
        self._news = asyncio.Event()
        self._counted_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Attempts on their way have a moment to be recorded."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._queues.clear()
        if self._sending:
            await asyncio.wait(list(self._sending.values()), timeout=limits.WEBHOOK_STOP_SECONDS)
        left = list(self._sending.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._sender.close()

    async def _run(self) -> None:
        while True:
            self._seen = self._commits()
            self._news.clear()
            try:
                await self._queue_news()
                await self._take_due()
                await self._count()
            except XpError as error:
                logger.warning("webhooks wait: %s", error)
                await asyncio.sleep(limits.WEBHOOK_REST_SECONDS)
            except Exception:
                logger.exception("webhooks could not be looked at")
                await asyncio.sleep(limits.WEBHOOK_REST_SECONDS)
            await self._wait()

    async def _wait(self) -> None:
        """Until something was committed, a receiver has answered, or a while has passed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + limits.WEBHOOK_REST_SECONDS
        while self._commits() == self._seen and loop.time() < until:
            with contextlib.suppress(TimeoutError):
                # `wait_for` of Python 3.11 loses a cancellation that comes together with the event.
                async with asyncio.timeout(limits.WEBHOOK_LOOK_SECONDS):
                    await self._news.wait()
                return

    # From the log to deliveries

    async def _queue_news(self) -> None:
        for command in await self._reads.ask(FindNews()):
            if command.deliveries or command.up_to - command.after >= limits.WEBHOOK_LAZY:
                await self._write(command)

    async def _take_due(self) -> None:
        self._just_failed.clear()
        for due in await self._reads.ask(ListDueDeliveries()):
            if due.webhook_key in self._just_failed:  # its circuit may be open since it was read
                self._news.set()
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
        return deque(key for key in due.keys if key not in self._sending)

    async def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._counted_at >= limits.WEBHOOK_COUNT_SECONDS:
            self._counted_at = now
            found = await self._reads.ask(CountDeliveries())
            self._measures.webhook_deliveries = {state: found.get(state, 0) for state in ("pending", "dead")}

    # From deliveries to receivers

    def _fill(self) -> None:
        """Start as many attempts as may be on their way: the webhook that was served last is the last again."""
        started = True
        while started and len(self._sending) < limits.WEBHOOKS_AT_ONCE:
            started = sum(self._start_one(webhook) for webhook in list(self._queues)) > 0

    def _start_one(self, webhook: int) -> bool:
        queue = self._queues[webhook]
        if not queue:
            del self._queues[webhook]
            return False
        is_full = len(self._sending) >= limits.WEBHOOKS_AT_ONCE
        if is_full or self._on_their_way[webhook] >= self._at_once[webhook]:
            return False
        self._queues.move_to_end(webhook)
        self._start(webhook, queue.popleft())
        return True

    def _start(self, webhook: int, delivery: int) -> None:
        self._on_their_way[webhook] += 1
        task = asyncio.get_running_loop().create_task(self._deliver(webhook, delivery))
        self._sending[delivery] = task
        task.add_done_callback(lambda _: self._sent(webhook, delivery))

    def _sent(self, webhook: int, delivery: int) -> None:
        del self._sending[delivery]
        self._on_their_way[webhook] -= 1
        if not self._on_their_way[webhook]:
            del self._on_their_way[webhook]
        self._fill()
        if webhook not in self._queues:
            self._news.set()

    async def _deliver(self, webhook: int, delivery: int) -> None:
        try:
            await self._attempt(webhook, delivery)
        except XpError as error:
            logger.warning("a delivery is tried again: %s", error)
            await asyncio.sleep(limits.WEBHOOK_REST_SECONDS)
        except Exception:
            logger.exception("a delivery failed")
            await asyncio.sleep(limits.WEBHOOK_REST_SECONDS)

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
