"""One clock for all scheduled messages and reminders: it sends what is due, each once.

All that is due stands in the database: what came due while the server was down is sent at its start, in order. A
message is posted as its author would, through the thread's actor, by an id that was chosen before.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Set
from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.errors import XpError
from actors.ports import Write
from actors.queries import Reads
from actors.resources.messages import PostMessage
from actors.resources.schedules import DueSchedule, EndSchedule, ListDueSchedules, Schedule, TakeSchedule
from actors.resources.users import User
from actors.runtime.periodic import Periodic

logger = logging.getLogger("server.schedules")

PASSING = frozenset({"answer_streaming"})
"""Refusals that end by themselves, besides those that say so."""


class Scheduler:
    """Confined to the event loop."""

    def __init__(
        self, reads: Reads, write: Write, post: Callable[[PostMessage], Awaitable[Any]], *,
        must_come_in: Callable[[User], object], commits: Callable[[], int],
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:  # fmt: skip
        """`post` asks the thread; `must_come_in` raises `Forbidden` for a user who may not sign in; `commits`: a number
        that changes with each transaction; `now`: in milliseconds since 1970."""
        self._reads = reads
        self._write = write
        self._post = post
        self._must_come_in = must_come_in
        self._commits = commits
        self._now = now
        self._seen: int | None = None
        """Commits at the last look; None: it did not come to its end."""
        self._next_at: int | None = None
        self._retries: dict[int, float] = {}
        """Schedule that could not be sent → when it is tried again, by the clock of the event loop."""
        self._periodic = Periodic(
            self._look, every_seconds=limits.SCHEDULE_LOOK_SECONDS, logger=logger, name="sending what is scheduled"
        )

    def start(self) -> None:
        self._periodic.start()

    async def stop(self) -> None:
        await self._periodic.stop()

    async def _look(self) -> None:
        if self.may_be_due():
            await self.send_due()

    def may_be_due(self) -> bool:
        """Nothing is read while nothing was written and the next one is not due yet."""
        has_news = self._commits() != self._seen
        return has_news or bool(self._retries) or (self._next_at is not None and self._next_at <= self._now())

    async def send_due(self) -> None:
        """What cannot be read or written now is looked at again soon."""
        seen, self._seen = self._commits(), None
        await self._send_all()
        self._seen = seen

    async def _send_all(self) -> None:
        while True:
            most = limits.SCHEDULES_DUE + len(self._retries)  # those that wait for a retry hold up no others
            due = await self._reads.ask(ListDueSchedules(self._now(), most))
            self._next_at = due.next_at
            ready = [each for each in due.schedules if self._is_ready(each.schedule)]
            for each in ready:
                await self._send(each)
            if len(due.schedules) < most:
                self._forget_ended({each.schedule.key for each in due.schedules})
            if len(due.schedules) < most or not ready:
                return

    def _forget_ended(self, due: Set[int]) -> None:
        """Those that went with their user or thread are not due any more, and nothing is tried again."""
        self._retries = {key: at for key, at in self._retries.items() if key in due}

    def _is_ready(self, schedule: Schedule) -> bool:
        return self._retries.get(schedule.key, 0.0) <= asyncio.get_running_loop().time()

    async def _send(self, due: DueSchedule) -> None:
        schedule = due.schedule
        self._retries.pop(schedule.key, None)
        taken = (await self._write(TakeSchedule(schedule.key))).result
        if not taken or schedule.kind == "reminder":
            return
        reason = await self._posted(schedule, due.user)
        if reason is not None:
            await self._write(EndSchedule(schedule.key, "failed" if reason else "sent", reason))

    async def _posted(self, schedule: Schedule, user: User) -> str | None:
        """Empty where it was; why it never will be; None: it is tried again."""
        if user.status != "ACTIVE":
            return f"The account is {user.status}."
        try:
            self._must_come_in(user)
            await self._post(_message(schedule, user))
        except XpError as refusal:
            if not (refusal.retryable or refusal.code in PASSING) or self._is_too_late(schedule):
                return refusal.detail
            self._retries[schedule.key] = asyncio.get_running_loop().time() + limits.SCHEDULE_RETRY_SECONDS
            return None
        return ""

    def _is_too_late(self, schedule: Schedule) -> bool:
        return self._now() > schedule.at.due_at + limits.SCHEDULE_GIVE_UP_SECONDS * 1000


def _message(schedule: Schedule, user: User) -> PostMessage:
    assert schedule.thread_id is not None, "a message is scheduled in a thread"
    assert schedule.message_id is not None, "its id was chosen with it"
    return PostMessage(
        identity=Identity(user, user.author, _NO_END), thread_id=schedule.thread_id, message_id=schedule.message_id,
        content=schedule.content, type="ASSISTANT" if user.kind == "ASSISTANT" else "USER", blocks=schedule.blocks,
        metadata=schedule.metadata,
    )  # fmt: skip


_NO_END = 2**40
"""Seconds since 1970: what was scheduled rests on the account, not on the token it was scheduled with."""
