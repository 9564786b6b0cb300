"""The journal: the only one who writes to the database, on an OS thread of its own.

Group commit without a timer: what arrives while a transaction runs is the next transaction. Commands cross to the OS
thread through a deque; one `tell` wakes the actor when it sleeps; one `call_soon_threadsafe` brings back a whole batch.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import pykka

from actors import limits
from actors.commands import Done
from actors.errors import Internal, Overloaded, ShuttingDown, XpError
from actors.ports import Store
from actors.runtime import LoopFuture, Stage

logger = logging.getLogger("actors.journal")

Reply = LoopFuture[Any]
Outcome = Done | XpError
Item = tuple[Any, Reply]
"""A command and who waits for its outcome."""
Committed = Sequence[tuple[Reply, Outcome]]

_OPEN, _WAKE, _CLOSE = object(), object(), object()


class _JournalActor(pykka.ThreadingActor):
    """Owns the store. Takes what is pending, makes it one transaction, delivers, until nothing is pending."""

    use_daemon_thread = True

    def __init__(self, store: Store, pending: deque[Item], deliver: Callable[[Committed], None]) -> None:
        super().__init__()
        self._store = store
        self._pending = pending
        self._deliver = deliver

    def on_receive(self, message: Any) -> Any:
        if message is _WAKE:
            self._commit_all()
            self._catch_up()
        elif message is _OPEN:
            self._store.open()
            self.actor_ref.tell(_WAKE)
        elif message is _CLOSE:
            self._commit_all()
            self._store.close()
        return None

    def _commit_all(self) -> None:
        while batch := self._take():
            outcomes = self._apply([command for command, _ in batch])
            self._deliver([(reply, outcome) for (_, reply), outcome in zip(batch, outcomes, strict=True)])
            self._store.catch_up(idle=False)

    def _catch_up(self) -> None:
        """One step, then what has come meanwhile: commands, or the end."""
        if self._store.catch_up(idle=True):
            self.actor_ref.tell(_WAKE)

    def _take(self) -> list[Item]:
        count = min(len(self._pending), limits.JOURNAL_BATCH)
        return [self._pending.popleft() for _ in range(count)]

    def _apply(self, commands: Sequence[Any]) -> Sequence[Outcome]:
        try:
            outcomes = self._store.apply(commands)
            if len(outcomes) != len(commands):
                raise RuntimeError(f"the store answered {len(outcomes)} outcomes")
        except XpError as error:
            return [error] * len(commands)
        except Exception:
            logger.exception("a batch of %d commands failed", len(commands))
            return [Internal()] * len(commands)
        return outcomes


class Journal:
    """The event loop's side of the journal."""

    def __init__(self, stage: Stage, store: Store, on_commit: Callable[[Committed], None]) -> None:
        """`on_commit` is called on the event loop with each batch, in commit order; it gives the replies."""
        self._stage = stage
        self._pending: deque[Item] = deque()
        self._on_commit = on_commit
        self._in_flight = 0
        self._wake_scheduled = False
        self._closing = False
        self.batches = 0
        self.failure: XpError | None = None
        """Why the newest batch could not be written; None when it was. For readiness."""
        self._actor = _JournalActor.start(store, self._pending, self._deliver_from_os_thread)

    async def open(self) -> None:
        """Open the store; raises what the store raises."""
        await self._stage.loop.run_in_executor(None, self._ask, _OPEN)

    def _ask(self, message: object) -> None:
        self._actor.ask(message)

    def append(self, command: Any, reply: Reply | None = None) -> Reply:
        """Enqueue a command. The reply (the given one, or a new one) is a `Done` once it is durable, or an error.

        Raises `Overloaded` before anything is enqueued when too much is in flight.
        """
        if self._in_flight >= limits.COMMANDS_IN_ALL:
            raise Overloaded(f"{self._in_flight} writes are in flight, the limit is {limits.COMMANDS_IN_ALL}; retry.")
        if self._closing:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        if reply is None:
            reply = LoopFuture()
        self._pending.append((command, reply))
        self._in_flight += 1
        if not self._wake_scheduled:
            # At the end of this turn of the loop: what else arrives in it is the same transaction.
            self._wake_scheduled = True
            self._stage.loop.call_soon(self._wake)
        return reply

    def _wake(self) -> None:
        self._wake_scheduled = False
        if not self._closing:  # then it commits what is pending anyway, and may have ended by now
            self._actor.tell(_WAKE)

    def _deliver_from_os_thread(self, committed: Committed) -> None:
        self._stage.loop.call_soon_threadsafe(self._deliver, committed)

    def _deliver(self, committed: Committed) -> None:
        self._in_flight -= len(committed)
        self.batches += 1
        last = committed[-1][1]
        self.failure = last if isinstance(last, XpError) and last.code == "storage_unavailable" else None
        self._on_commit(committed)

    @property
    def in_flight(self) -> int:
        return self._in_flight

    async def close(self) -> None:
        """Commit what is pending, close the store, end the OS thread; a second time nothing is left to do."""
        self._closing = True
        await self._stage.loop.run_in_executor(None, self._close)

    def _close(self) -> None:
        if self._actor.is_alive():
            self._ask(_CLOSE)
            self._actor.stop()
