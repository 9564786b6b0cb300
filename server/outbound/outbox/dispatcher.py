"""Takes what is due from the outbox, and sends it in its way: one user and way at a time, many of them at once.

What was sent but not recorded, because the process was killed, is sent again: each way says itself what that means for
its user.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from actors import limits
from actors.errors import Forbidden
from actors.ports import Write
from actors.queries import Reads
from actors.resources.outbox import CountRows, DueRows, ListDueRows, RecordFailed, Way
from actors.resources.users import User
from actors.runtime.due_loop import DueLoop
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
        self._must_come_in = must_come_in
        self._is_active = is_active
        self._now = now
        self._loop: DueLoop[tuple[int, Way]] = DueLoop(
            self._take_due, self._count, at_once=limits.OUTBOX_AT_ONCE, commits=commits, logger=logger
        )

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """Attempts on their way have a moment to be recorded."""
        await self._loop.stop()
        for way in self._ways.values():
            await way.close()

    async def _take_due(self) -> bool:
        for name in self._ways:
            await self._take_due_by(name)
        return False

    async def _take_due_by(self, way: Way) -> None:
        """Rows that wait for their user hold up no others, however many they are."""
        seen = [user_key for user_key, of in self._loop.items if of == way]
        while self._loop.has_room:
            found = await self._reads.ask(ListDueRows(way, self._ways[way].gathered, tuple(seen)))
            for due in found:
                if self._loop.has_room and not self._waits_for_its_user(due):
                    self._loop.begin((due.user.key, due.way), partial(self._send, due), self._loop.look_soon)
            seen += [due.user.key for due in found]
            if sum(len(due.keys) for due in found) < limits.OUTBOX_DUE:
                return

    def _waits_for_its_user(self, due: DueRows) -> bool:
        """Someone who is active may read it in the application at any moment."""
        age = self._now() - due.created_at / 1000
        return 0 <= age < limits.PUSH_WHILE_ACTIVE_SECONDS and self._is_active(due.user.key)

    async def _send(self, due: DueRows) -> None:
        for outcome in await self._outcomes(due):
            self._measures.outbox_sent[due.way, outcome] += 1

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
        found = await self._reads.ask(CountRows())
        self._measures.outbox_rows = {
            (way, state): found.get((way, state), 0) for way in self._ways for state in ("pending", "failed")
        }
