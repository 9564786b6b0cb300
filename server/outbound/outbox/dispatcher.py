"""Takes what is due from the outbox, and sends it in its way: one user and way at a time, many of them at once.

All that is due stands in the database. What was sent but not recorded, because the process was killed, is sent again:
each way says itself what that means for its user.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from actors import limits
from actors.errors import Forbidden, XpError
from actors.ports import Write
from actors.queries import Reads
from actors.resources.outbox import CountRows, DueRows, ListDueRows, RecordFailed, Way
from actors.resources.users import User
from server.telemetry.measures import ServerMeasures

logger = logging.getLogger("server.outbox")


class Sending(Protocol):
    """A way out of the server."""

    gathered: int
    """Seconds in which notifications of one user gather to be sent together."""

    async def send(self, due: DueRows) -> Sequence[str]:
        """Answers what came of each: `sent`, `failed`, `pending` (it is tried again), `read` (there was no need)."""

    async def close(self) -> None: ...


class OutboxDispatcher:
    """Confined to the event loop."""

    def __init__(
        self, reads: Reads, write: Write, ways: Mapping[Way, Sending],
        measures: ServerMeasures, *, commits: Callable[[], int], must_come_in: Callable[[User], object],
        is_active: Callable[[int], bool], now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`commits`: a number that changes with each transaction; `must_come_in` raises `Forbidden` for a user who may
        not sign in; `is_active`: whether a user, by key, is using the application; `now`: seconds since 1970."""
        self._reads = reads
        self._write = write
        self._ways = ways
        self._measures = measures
        self._commits = commits
        self._must_come_in = must_come_in
        self._is_active = is_active
        self._now = now
        self._sending: dict[tuple[int, Way], asyncio.Task[None]] = {}
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
        if self._sending:
            await asyncio.wait(list(self._sending.values()), timeout=limits.OUTBOX_STOP_SECONDS)
        left = list(self._sending.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for way in self._ways.values():
            await way.close()

    async def _run(self) -> None:
        while True:
            seen = self._commits()
            self._news.clear()
            try:
                await self._take_due()
                await self._count()
            except XpError as error:
                logger.warning("the outbox waits: %s", error)
            except Exception:
                logger.exception("the outbox could not be looked at")
            await self._wait(seen)

    async def _wait(self, seen: int) -> None:
        """Until something was committed, something was sent, or a while has passed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + limits.OUTBOX_REST_SECONDS
        while loop.time() < until:
            with contextlib.suppress(TimeoutError):
                # `wait_for` of Python 3.11 loses a cancellation that comes together with the event.
                async with asyncio.timeout(limits.OUTBOX_LOOK_SECONDS):
                    await self._news.wait()
                return
            if self._commits() != seen:
                return

    async def _take_due(self) -> None:
        for name, way in self._ways.items():
            busy = tuple(user_key for user_key, of in self._sending if of == name)
            for due in await self._reads.ask(ListDueRows(name, way.gathered, busy)):
                if len(self._sending) >= limits.OUTBOX_AT_ONCE:
                    return
                if not self._waits_for_its_user(due):
                    self._start(due)

    def _start(self, due: DueRows) -> None:
        task = asyncio.get_running_loop().create_task(self._send(due))
        self._sending[due.user.key, due.way] = task
        task.add_done_callback(lambda _: self._sent(due))

    def _waits_for_its_user(self, due: DueRows) -> bool:
        """Someone who is active may read it in the application at any moment."""
        age = self._now() - due.created_at / 1000
        return 0 <= age < limits.PUSH_WHILE_ACTIVE_SECONDS and self._is_active(due.user.key)

    def _sent(self, due: DueRows) -> None:
        del self._sending[due.user.key, due.way]
        self._news.set()

    async def _send(self, due: DueRows) -> None:
        try:
            for outcome in await self._outcomes(due):
                self._measures.outbox_sent[due.way, outcome] += 1
        except XpError as error:
            logger.warning("notifications by %s are tried again: %s", due.way, error)
            await asyncio.sleep(limits.OUTBOX_REST_SECONDS)
        except Exception:
            logger.exception("notifications by %s are tried again", due.way)
            await asyncio.sleep(limits.OUTBOX_REST_SECONDS)

    async def _outcomes(self, due: DueRows) -> Sequence[str]:
        try:
            if due.user.status != "ACTIVE":
                raise Forbidden(f"The account is {due.user.status}.")
            self._must_come_in(due.user)
        except Forbidden:
            await self._write(RecordFailed(due.keys, "not_allowed", retry=False))
            return ["failed"] * len(due.keys)
        return await self._ways[due.way].send(due)

    async def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._counted_at >= limits.OUTBOX_COUNT_SECONDS:
            self._counted_at = now
            found = await self._reads.ask(CountRows())
            self._measures.outbox_rows = {
                (way, state): found.get((way, state), 0) for way in self._ways for state in ("pending", "failed")
            }
