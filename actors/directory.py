"""The directory: which threads are live, and the way to each. Confined to the event loop."""

from collections.abc import Sequence
from typing import Any

import pykka

from actors import limits
from actors.commands import ThreadCommand
from actors.errors import XpError
from actors.events import Event
from actors.journal import Committed, Journal
from actors.ports import Encode, Store, ThreadLoader
from actors.runtime import LoopFuture, Stage
from actors.thread import EventsCommitted, Recheck, RetireIfIdle, ThreadActor


class Directory:
    """Starts a thread's actor at its first message, hands it what was committed, retires it when it is idle."""

    def __init__(self, stage: Stage, store: Store, *, load: ThreadLoader, encode: Encode) -> None:
        self._stage = stage
        self._load = load
        self._encode = encode
        self._threads: dict[str, ThreadActor] = {}
        self.journal = Journal(stage, store, self._on_commit)
        self._sweep = stage.loop.call_later(limits.THREAD_IDLE_SECONDS, self._retire_idle)

    def thread(self, thread_id: str) -> "pykka.ActorRef[Any]":
        actor = self._threads.get(thread_id)
        if actor is None:
            actor = self._start(thread_id)
        return actor.actor_ref

    def _start(self, thread_id: str) -> ThreadActor:
        actor = ThreadActor(
            thread_id, load=self._load, journal=self.journal, encode=self._encode, on_retired=self._forget
        )
        self._threads[thread_id] = actor
        self._stage.start(actor)
        return actor

    def _forget(self, actor: ThreadActor) -> None:
        if self._threads.get(actor.thread_id) is actor:
            del self._threads[actor.thread_id]

    def ask(self, command: ThreadCommand) -> LoopFuture[Any]:
        """Send a command to its thread; the future is a `Done` once it is durable."""
        future: LoopFuture[Any] = self.thread(command.thread_id).ask(command, block=False)  # type: ignore[assignment]
        return future

    def tell_live(self, thread_id: str, message: object) -> None:
        """Tell a thread something that matters only while it is live."""
        actor = self._threads.get(thread_id)
        if actor is not None:
            actor.actor_ref.tell(message)

    def recheck(self, user_key: int) -> None:
        """A user's rights have changed: every live thread looks whether they may still read along."""
        for actor in self._threads.values():
            actor.actor_ref.tell(Recheck(user_key))

    @property
    def live_threads(self) -> int:
        return len(self._threads)

    def _on_commit(self, committed: Committed) -> None:
        """Acknowledge, then publish: both come after the commit, and the writer's reply need not wait for readers."""
        by_thread: dict[str, list[Event]] = {}
        for reply, outcome in committed:
            if isinstance(outcome, XpError):
                reply.set_exception(outcome)
                continue
            reply.set(outcome)
            for event in outcome.events:
                by_thread.setdefault(event.thread_id, []).append(event)
        for thread_id, events in by_thread.items():
            self._publish(thread_id, events)

    def _publish(self, thread_id: str, events: Sequence[Event]) -> None:
        actor = self._threads.get(thread_id)
        if actor is not None:
            # Not through the inbox: a thread that is still loading keeps these for its state.
            actor.urgent(EventsCommitted(events))

    def _retire_idle(self) -> None:
        before = self._stage.loop.time() - limits.THREAD_IDLE_SECONDS
        for actor in list(self._threads.values()):
            actor.actor_ref.tell(RetireIfIdle(before))
        self._sweep = self._stage.loop.call_later(limits.THREAD_IDLE_SECONDS, self._retire_idle)

    def stop(self) -> None:
        self._sweep.cancel()
