"""How long a client may take: to begin, to send its headers and its body, to take its answer.

No timer runs for a request. A connection stands in a queue only while it is in the middle of something, and one sweep
looks at the front of each queue. A request that comes in one piece never stands in any.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from actors import limits

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """In seconds. Why they are what they are stands in `actors.limits`."""

    first_byte: float = limits.FIRST_BYTE_SECONDS
    head: float = limits.HEAD_SECONDS
    body: float = limits.BODY_SECONDS
    body_step: float = limits.BODY_STEP_SECONDS
    answer: float = limits.ANSWER_SECONDS
    lingering: float = limits.LINGERING_SECONDS
    sweep: float = 1.0
    """How late the end of any of them may be noticed."""


class Queue(Generic[C]):
    """Connections that wait for the same, the first to enter first; each for as long as all others."""

    def __init__(self, seconds: float, when_over: Callable[[C], None], wake: Callable[[], None]) -> None:
        self._seconds = seconds
        self._when_over = when_over
        self._wake = wake
        self._until: dict[C, float] = {}

    def enter(self, connection: C) -> None:
        """At the end, also where it stood in it already."""
        self._until.pop(connection, None)
        self._until[connection] = asyncio.get_running_loop().time() + self._seconds
        self._wake()

    def leave(self, connection: C) -> None:
        self._until.pop(connection, None)

    def sweep(self, now: float) -> None:
        """Let those go whose time is over; `when_over` may let them enter again."""
        over = []
        for connection, until in self._until.items():
            if until > now:
                break
            over.append(connection)
        for connection in over:
            del self._until[connection]
            self._when_over(connection)

    def __len__(self) -> int:
        return len(self._until)


class RequestTimeouts(Generic[C]):
    """The queues, and the one timer that runs while one of them is not empty. Confined to the event loop."""

    def __init__(
        self,
        times: TimeLimits,
        *,
        not_begun: Callable[[C], None],
        head_late: Callable[[C], None],
        body_step: Callable[[C], None],
        answer_step: Callable[[C], None],
    ) -> None:
        self.times = times
        self.first = Queue(times.first_byte, not_begun, self._wake)
        self.heads = Queue(times.head, head_late, self._wake)
        self.bodies = Queue(times.body_step, body_step, self._wake)
        self.answers = Queue(times.answer, answer_step, self._wake)
        self._queues = (self.first, self.heads, self.bodies, self.answers)
        self._timer: asyncio.TimerHandle | None = None

    def forget(self, connection: C) -> None:
        for queue in self._queues:
            queue.leave(connection)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.times.sweep, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for queue in self._queues:
            queue.sweep(now)
        if any(self._queues):  # a queue is true while it is not empty
            self._wake()
