"""Scheduling of reads, and of computing: fair turns between users, by the cost of what they ask for.

A read of one user runs for microseconds or for half a second, and OS threads that read are few. So each user has a
budget of reading time that refills; a user who has used much of it lately is heavy. Heavy users together never take all
threads, one user never takes all threads, and waiting users take turns, independent of the number of their waiting
reads. Reads of the server itself go first.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from actors import limits

Owner = int | str | None
"""A user's key, or who else asks; None for the server itself."""
Start = Callable[[bool], None]
"""Called with whether the read is a heavy one, which `done` wants to know."""


@dataclass(slots=True, eq=False)
class _Account:
    left: float
    """Seconds of reading, as of `at`; below nothing where the last read took more."""
    at: float
    running: int = 0
    is_queued: bool = False
    waiting: deque[Start] = field(default_factory=deque)


class Turns:
    """Confined to the event loop. Starts a read at once where a thread is free for it, or later."""

    def __init__(self, size: int, *, clock: Callable[[], float], budget: bool = True) -> None:
        """`size` reads run at once; without a `budget` no user has to wait for a refill."""
        self._size = size
        self._each = max(1, size - 1)
        self._clock = clock
        self._rate = limits.READ_SECONDS_PER_SECOND if budget else float("inf")
        self._running = self._heavy_running = 0
        self._own: deque[Start] = deque()
        self._accounts: OrderedDict[Owner, _Account] = OrderedDict()
        self._light: deque[Owner] = deque()
        self._heavy: deque[Owner] = deque()
        self._resting: set[Owner] = set()

    def enter(self, owner: Owner, start: Start) -> bool:
        """Whether it may wait: not where too many of the same owner do."""
        if owner is None:
            self._own.append(start)
        else:
            account = self._account(owner)
            if len(account.waiting) >= limits.READS_WAITING:
                return False
            account.waiting.append(start)
            self._queue(owner, account)
        self.go_on()
        return True

    def leave(self, owner: Owner, start: Start) -> None:
        """Who waited waits no more."""
        waiting = self._own if owner is None else self._account(owner).waiting
        if start in waiting:
            waiting.remove(start)

    def done(self, owner: Owner, seconds: float, *, was_heavy: bool) -> None:
        self._running -= 1
        self._heavy_running -= was_heavy
        if owner is not None:
            account = self._account(owner)
            account.running -= 1
            account.left -= seconds
            self._queue(owner, account)
        self.go_on()

    def rest(self) -> float | None:
        """Seconds until a user with a used-up budget may read again; None where none waits for that."""
        waits = [
            (limits.READ_SECONDS_LEAST - account.left) / self._rate
            for owner in self._resting
            if (account := self._account(owner)).waiting
        ]
        return max(0.001, min(waits)) if waits else None

    def stop(self) -> None:
        """Nothing starts any more."""
        self._size = 0

    def go_on(self) -> None:
        """Start what may start."""
        for owner in list(self._resting):
            self._queue(owner, self._account(owner))
        while self._running < self._size and self._start_next():
            pass

    def _start_next(self) -> bool:
        is_heavy = False
        start = self._own.popleft() if self._own else self._take(self._light)
        if start is None and self._heavy_running < self._each:
            start, is_heavy = self._take(self._heavy), True
        if start is None:
            return False
        self._running += 1
        self._heavy_running += is_heavy
        start(is_heavy)
        return True

    def _take(self, queue: deque[Owner]) -> Start | None:
        while queue:
            owner = queue.popleft()
            account = self._account(owner)
            account.is_queued = False
            if not account.waiting:
                continue  # it has gone meanwhile
            account.running += 1
            start = account.waiting.popleft()
            self._queue(owner, account)
            return start
        return None

    def _queue(self, owner: Owner, account: _Account) -> None:
        self._resting.discard(owner)
        if account.is_queued or not account.waiting or account.running >= self._each:
            return
        if account.left < limits.READ_SECONDS_LEAST:
            self._resting.add(owner)
            return
        account.is_queued = True
        is_heavy = account.left < limits.READ_SECONDS_BURST - limits.READ_HEAVY_SECONDS
        (self._heavy if is_heavy else self._light).append(owner)

    def _account(self, owner: Owner) -> _Account:
        now = self._clock()
        account = self._accounts.get(owner)
        if account is None:
            account = self._accounts[owner] = _Account(limits.READ_SECONDS_BURST, now)
            self._forget_idle()
        elif now > account.at:
            filled = account.left + (now - account.at) * self._rate
            account.left, account.at = min(limits.READ_SECONDS_BURST, filled), now
        return account

    def _forget_idle(self) -> None:
        """Who has asked longest ago is forgotten, as if their budget were full."""
        if len(self._accounts) > limits.RATE_SUBJECTS:
            owner, account = next(iter(self._accounts.items()))
            if account.running or account.waiting:
                self._accounts.move_to_end(owner)
            else:
                del self._accounts[owner]
