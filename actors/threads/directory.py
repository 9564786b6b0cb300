"""The directory: which threads are live, and the way to each. Confined to the event loop."""

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from actors import limits
from actors.commands import ThreadCommand
from actors.delivery.channel import Unsubscribe
from actors.errors import XpError
from actors.events import Event
from actors.journal.actor import Committed, Journal
from actors.journal.follower import Follower
from actors.outcomes import Done
from actors.ports import Encode, Store, ThreadLoader
from actors.queries import Reads
from actors.resources.log import GetLogHead, ReadLogBetween
from actors.resources.messages import MESSAGE_CREATED
from actors.resources.presence import Status
from actors.resources.user_events import UserEvent
from actors.runtime.loop_actor import LoopFuture, Ref, Stage
from actors.threads.actor import ThreadActor
from actors.threads.inbox import EventsCommitted, RetireIfIdle
from actors.users.directory import Users

T = TypeVar("T")


def _is_new_message(event: Event) -> bool:
    return event.type == MESSAGE_CREATED.name


def _offline(user_key: int) -> Status:
    return "offline"


class Directory:
    """Starts the actor of a thread with the first message for it, delivers committed events to it, retires it when
    idle."""

    def __init__(
        self, stage: Stage, store: Store, *, load: ThreadLoader, encode: Encode, reads: Reads | None = None
    ) -> None:
        """With `reads`, events that other processes commit are published too."""
        self._stage = stage
        self._load = load
        self._encode = encode
        self._threads: dict[str, ThreadActor] = {}
        self._artifacts: dict[str, dict[str, None]] = {}
        """Live thread → those of its artifacts whose channels were subscribed to."""
        self._thread_of: dict[str, str] = {}
        """The same, from the artifact to its thread."""
        self._began = time.time_ns() // 1_000_000
        self._had_lists: dict[str, None] = {}
        """Retired threads whose clients may have lists of present or typing users; the newest last."""
        self.status: Callable[[int], Status] = _offline
        """Of a user, by key; set by the composition root."""
        self.users: Users | None = None
        """Delivers events of users; set by the composition root."""
        self.journal = Journal(stage, store, self._on_commit)
        self.changes = 0
        """Grows with each transaction that did more than add messages of which no user is notified: only then may
        something be due that was not before."""
        self._follower = self._make_follower(reads) if reads is not None else None
        self._sweep: asyncio.TimerHandle | None = None

    def _make_follower(self, reads: Reads) -> Follower:
        return Follower(
            read_head=lambda: reads.ask(GetLogHead()),
            read_range=lambda after, up_to: reads.ask(ReadLogBetween(list(self._threads), after, up_to)),
            is_busy=lambda: self.journal.in_flight > 0,
            publish=self._publish_followed,
        )

    async def open(self) -> None:
        """Open the store and follow its log; raises the error of the store. The caller calls `stop` and `journal.close`
        also after an error."""
        await self.journal.open()
        if self._follower is not None:
            await self._follower.start()
        self._sweep = self._stage.loop.call_later(limits.THREAD_IDLE_SECONDS, self._retire_idle)

    def thread(self, thread_id: str) -> Ref:
        actor = self._threads.get(thread_id)
        if actor is None:
            actor = self._start(thread_id)
        return actor.actor_ref

    def thread_of_artifact(self, artifact_id: str, thread_id: str) -> Ref:
        """Answers `Subscribe` to the channel of an artifact; which thread it is in never changes."""
        thread = self.thread(thread_id)
        self._artifacts.setdefault(thread_id, {})[artifact_id] = None
        self._thread_of[artifact_id] = thread_id
        return thread

    def leave_artifact(self, artifact_id: str, connection: Ref) -> None:
        """Unsubscribe a connection from the channel of an artifact; without effect a second time."""
        self.tell_if_artifact_is_live(artifact_id, Unsubscribe(connection, artifact_id))

    def tell_if_artifact_is_live(self, artifact_id: str, message: object) -> None:
        """Send a message to its thread that matters only to subscribers of the artifact's channel."""
        thread_id = self._thread_of.get(artifact_id)
        if thread_id is not None:
            self.tell_if_live(thread_id, message)

    def _start(self, thread_id: str) -> ThreadActor:
        actor = ThreadActor(
            thread_id,
            load=self._load,
            journal=self.journal,
            encode=self._encode,
            on_retired=self._forget,
            status=self.status,
            had_lists=thread_id in self._had_lists,
            began=self._began,
        )
        if len(self._threads) >= limits.THREADS_LIVE:
            self._make_room()
        self._threads[thread_id] = actor
        self._stage.start(actor)
        return actor

    def _make_room(self) -> None:
        """Asking about a thread starts its actor, too: beyond the limit two that are idle go for each that comes. Those
        that are needed stay, however many they are, and are looked at last the next time."""
        for thread_id in list(itertools.islice(self._threads, limits.THREADS_RETIRED_PER_START)):
            actor = self._threads[thread_id] = self._threads.pop(thread_id)
            actor.actor_ref.tell(RetireIfIdle(math.inf))

    def _forget(self, actor: ThreadActor) -> None:
        if self._threads.get(actor.thread_id) is actor:
            del self._threads[actor.thread_id]
            for artifact_id in self._artifacts.pop(actor.thread_id, ()):
                del self._thread_of[artifact_id]
        if actor.has_lists:
            self._had_lists[actor.thread_id] = None
            if len(self._had_lists) > limits.LISTS_REMEMBERED:
                del self._had_lists[next(iter(self._had_lists))]

    def ask(self, command: ThreadCommand[T]) -> LoopFuture[Done[T]]:
        """Send a command to its thread; the future is a `Done` once it is durable."""
        reply = self.thread(command.thread_id).ask(command)
        if self._stage.tracer is not None:
            self._stage.tracer.asked(reply)
        return reply

    def tell_if_live(self, thread_id: str, message: object) -> None:
        """Send a message that matters only while the thread is live."""
        actor = self._threads.get(thread_id)
        if actor is not None and not actor.actor_stopped.is_set():  # when all stop, threads go before connections
            actor.actor_ref.tell(message)

    def tell_writing(self, message: object) -> None:
        """Send to every live thread with open streams."""
        for actor in list(self._threads.values()):
            if actor.is_written_into and not actor.actor_stopped.is_set():
                actor.actor_ref.tell(message)

    def live_thread(self, thread_id: str) -> ThreadActor | None:
        return self._threads.get(thread_id)

    def is_live(self, thread_id: str) -> bool:
        """Whether a thread's actor is in memory."""
        return thread_id in self._threads

    @property
    def stage(self) -> Stage:
        return self._stage

    @property
    def live_threads(self) -> int:
        return len(self._threads)

    def _on_commit(self, committed: Committed) -> None:
        """Acknowledge, then publish: both come after the commit, and the writer's reply need not wait for readers."""
        events: list[Event] = []
        user_events: list[UserEvent] = []
        for reply, outcome in committed:
            if isinstance(outcome, XpError):
                reply.set_exception(outcome)
            else:
                reply.set(outcome)
                events += outcome.events
                user_events += outcome.user_events
        if user_events or len(events) < len(committed) or not all(map(_is_new_message, events)):
            self.changes += 1
        if self._stage.tracer is None:
            self._publish_committed(events, user_events)
        else:
            with self._stage.tracer.publishing(committed):
                self._publish_committed(events, user_events)

    def _publish_committed(self, events: Sequence[Event], user_events: Sequence[UserEvent]) -> None:
        if events and (self._follower is None or self._follower.committed(events[0].position, events[-1].position)):
            self._publish_all(events)
        if user_events and self.users is not None:
            self.users.publish(user_events)

    def _publish_followed(self, events: Sequence[Event]) -> None:
        """Others have written: into users' logs, too, perhaps."""
        self._publish_all(events)
        if self.users is not None:
            self.users.look()

    def _publish_all(self, events: Sequence[Event]) -> None:
        self._stage.measures.events += len(events)
        by_thread: dict[str, list[Event]] = {}
        for event in events:
            by_thread.setdefault(event.thread_id, []).append(event)
        for thread_id, its_events in by_thread.items():
            self._publish(thread_id, its_events)

    def _publish(self, thread_id: str, events: Sequence[Event]) -> None:
        if self._stage.watcher is not None:
            self._stage.watcher.published(thread_id, events)
        actor = self._threads.get(thread_id)
        if actor is not None:
            # Not through the inbox: a thread that is still loading keeps these for its state.
            actor.urgent(EventsCommitted(events))
        if self.users is not None:
            self.users.moved(thread_id, events)

    def _retire_idle(self) -> None:
        before = self._stage.loop.time() - limits.THREAD_IDLE_SECONDS
        for actor in list(self._threads.values()):
            actor.actor_ref.tell(RetireIfIdle(before))
        self._sweep = self._stage.loop.call_later(limits.THREAD_IDLE_SECONDS, self._retire_idle)

    def stop(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for actor in self._threads.values():
            actor.save_progress()
        if self.users is not None:
            self.users.stop()
        if self._follower is not None:
            self._follower.stop()
