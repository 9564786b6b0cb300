"""The journal: the only writer of the database, on an OS thread of its own.

Group commit without a timer: commands that arrive while a transaction runs are the next transaction. Commands cross to
the OS thread through a deque; one `tell` wakes the actor when it sleeps; one `call_soon_threadsafe` brings back a whole
batch.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pykka

from actors import limits
from actors.commands import Makes
from actors.errors import Internal, Overloaded, ShuttingDown, StorageUnavailable, XpError
from actors.measures import Measures
from actors.outcomes import Done
from actors.ports import Outcome, Store
from actors.runtime.loop_actor import LoopFuture, Stage
from actors.tracing import Tracer

logger = logging.getLogger("actors.journal")

T = TypeVar("T")
Reply = LoopFuture[Any]
Item = tuple[Any, Reply]
"""A command and the future of its outcome."""
Committed = Sequence[tuple[Reply, Outcome]]

_OPEN, _WAKE, _HEAL, _CLOSE = object(), object(), object(), object()


class _JournalActor(pykka.ThreadingActor):
    """Owns the store. Commits the pending commands as one transaction and delivers, until none is pending.

    Pykka stops an actor whose handler raises: a failure here is a reply or a log line, and raised only to the caller
    of `open` or `close`.
    """

    use_daemon_thread = True

    def __init__(
        self,
        store: Store,
        pending: deque[Item],
        deliver: Callable[[Committed], None],
        note: Callable[[XpError | None], None],
        measures: Measures,
        tracer: Tracer | None,
    ) -> None:
        super().__init__()
        self._tracer = tracer
        self._measures = measures
        self._store = store
        self._pending = pending
        self._deliver = deliver
        self._note = note
        self._failure: XpError | None = None
        self._taken: Sequence[Item] = ()
        """The batch that is being written."""

    def on_receive(self, message: Any) -> Any:
        if message is _OPEN:
            self._store.open()
            self.actor_ref.tell(_WAKE)
        elif message is _CLOSE:
            try:
                self._guarded(self._commit_all)
            finally:
                self._store.close()
        else:
            self._guarded(self._heal if message is _HEAL else self._work)
        return None

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            logger.exception("the journal failed; it goes on with what comes next")

    def _work(self) -> None:
        self._commit_all()
        if self._catch_up(idle=True):  # one step, then messages that arrived meanwhile: commands, or close
            self.actor_ref.tell(_WAKE)

    def _heal(self) -> None:
        """Check whether the database accepts writes again; there may be no command that would show it."""
        try:
            self._store.heal()
        except XpError as error:
            self._fail(error)
        except Exception:
            logger.exception("the store could not be healed")
            self._fail(Internal())
        else:
            self._failure = None
            self._note(None)
            self._work()

    def _commit_all(self) -> None:
        while batch := self._take():
            began, taken = time.perf_counter(), time.time_ns()
            outcomes = self._apply([command for command, _ in batch])
            self._measures.commit_seconds.observe(time.perf_counter() - began)
            self._measures.batch_sizes.observe(len(batch))
            self._taken = ()
            self._deliver([(reply, outcome) for (_, reply), outcome in zip(batch, outcomes, strict=True)])
            if self._tracer is not None:
                self._tracer.committed([reply for _, reply in batch], taken, time.time_ns())
            self._catch_up(idle=False)

    def _catch_up(self, *, idle: bool) -> bool:
        try:
            return self._store.catch_up(idle=idle)
        except XpError as error:
            self._fail(error)
        except Exception:
            logger.exception("what was put off could not be done")
        return False

    def _fail(self, failure: XpError | None) -> None:
        if failure is not None or self._failure is not None:
            self._failure = failure
            self._note(failure)

    def _take(self) -> Sequence[Item]:
        count = min(len(self._pending), limits.JOURNAL_BATCH)
        self._taken = [self._pending.popleft() for _ in range(count)]
        return self._taken

    def _apply(self, commands: Sequence[Any]) -> Sequence[Outcome]:
        try:
            outcomes = self._store.apply(commands)
            if len(outcomes) != len(commands):
                raise RuntimeError(f"the store answered {len(outcomes)} outcomes")
        except XpError as error:
            self._fail(error)
            return [error] * len(commands)
        except Exception:
            logger.exception("a batch of %d commands failed", len(commands))
            return [Internal()] * len(commands)
        self._fail(None)
        return outcomes

    def on_stop(self) -> None:
        """Also runs after a `BaseException` ended the OS thread: every caller gets a reply, and the store is closed."""
        left = [(reply, _ended()) for _, reply in (*self._taken, *self._pending)]
        self._pending.clear()
        if left:
            self._guarded(lambda: self._deliver(left))
        self._guarded(self._store.close)


def _ended() -> StorageUnavailable:
    return StorageUnavailable("The journal has ended; the server has to be started again.")


class Journal:
    """The event loop's side of the journal."""

    def __init__(self, stage: Stage, store: Store, on_commit: Callable[[Committed], None]) -> None:
        """`on_commit` is called on the event loop with each batch, in commit order; it gives the replies."""
        self._stage = stage
        self._store = store
        self._pending: deque[Item] = deque()
        self._on_commit = on_commit
        self._in_flight = 0
        self._moved_at = 0.0
        """Time of the event loop when a batch was answered last, or the first after a rest was asked for."""
        self._wake_scheduled = False
        self._closing = False
        self.batches = 0
        self._failure: XpError | None = None
        self._healing: asyncio.TimerHandle | None = None
        self._actor: pykka.ActorRef[_JournalActor] | None = None

    async def open(self) -> None:
        """Start the OS thread, and open the store there; raises the error of the store. The caller calls `close` also
        then."""
        self._actor = _JournalActor.start(
            self._store, self._pending, self._from_os_thread(self._deliver), self._from_os_thread(self._note),
            self._stage.measures, self._stage.tracer,
        )  # fmt: skip
        await self._stage.loop.run_in_executor(None, self._actor.ask, _OPEN)

    @property
    def failure(self) -> XpError | None:
        """Why nothing can be written now; None when it can. For readiness."""
        if self._has_died:
            return _ended()
        stalled = self._stage.loop.time() - self._moved_at if self._in_flight else 0.0
        if stalled > limits.JOURNAL_STALLED_SECONDS:
            return StorageUnavailable(f"Writes have waited for {stalled:.0f} s; the disk does not answer.")
        return self._failure

    @property
    def _has_died(self) -> bool:
        return self._actor is not None and not self._closing and not self._actor.is_alive()

    def append(self, command: Makes[T], reply: LoopFuture[Done[T]] | None = None) -> LoopFuture[Done[T]]:
        """Enqueue a command. The reply (the given one, or a new one) is a `Done` once it is durable, or an error.

        Raises `Overloaded` before anything is enqueued when too much is in flight.
        """
        if self._in_flight >= limits.COMMANDS_IN_ALL:
            self._stage.measures.writes_refused += 1
            raise Overloaded(f"{self._in_flight} writes are in flight, the limit is {limits.COMMANDS_IN_ALL}; retry.")
        if self._closing:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        if self._has_died:
            raise _ended()
        if reply is None:
            reply = LoopFuture()
        if self._in_flight == 0:
            self._moved_at = self._stage.loop.time()
        if self._stage.tracer is not None:
            self._stage.tracer.appended(reply)
        self._pending.append((command, reply))
        self._in_flight += 1
        if not self._wake_scheduled:
            # At the end of this turn of the loop: other commands of this turn join the same transaction.
            self._wake_scheduled = True
            self._stage.loop.call_soon(self._wake)
        return reply

    def _wake(self) -> None:
        self._wake_scheduled = False
        self._tell(_WAKE)

    def _tell(self, message: object) -> None:
        if self._actor is not None and not self._closing:  # a closing journal commits the pending commands anyway
            with contextlib.suppress(pykka.ActorDeadError):  # `on_stop` has answered the pending commands
                self._actor.tell(message)

    def _from_os_thread(self, call: Callable[[Any], None]) -> Callable[[Any], None]:
        loop = self._stage.loop

        def soon(argument: Any) -> None:
            loop.call_soon_threadsafe(call, argument)

        return soon

    def _deliver(self, committed: Committed) -> None:
        self._in_flight -= len(committed)
        self._moved_at = self._stage.loop.time()
        self.batches += 1
        self._on_commit(committed)

    def _note(self, failure: XpError | None) -> None:
        """While the database fails it is tried again and again: readiness keeps writers away until it works."""
        self._failure = failure
        if failure is not None and self._healing is None and not self._closing:
            self._healing = self._stage.loop.call_later(limits.HEAL_SECONDS, self._heal)

    def _heal(self) -> None:
        self._healing = None
        if self._failure is not None:
            self._tell(_HEAL)

    @property
    def in_flight(self) -> int:
        return self._in_flight

    async def close(self) -> None:
        """Commit the pending commands, close the store, end the OS thread; without effect a second time."""
        self._closing = True
        if self._healing is not None:
            self._healing.cancel()
        await self._stage.loop.run_in_executor(None, self._close)

    def _close(self) -> None:
        if self._actor is not None and self._actor.is_alive():
            try:
                self._actor.ask(_CLOSE)
            finally:
                self._actor.stop()
