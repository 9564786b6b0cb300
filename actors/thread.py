"""The thread actor: serializes what is written into one conversation and tells its subscribers what was committed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pykka

from actors import limits, rules
from actors.commands import (
    AddMember,
    DeleteMessage,
    DeleteThread,
    EditMessage,
    MarkRead,
    PostMessage,
    React,
    RemoveMember,
    ThreadCommand,
    UpdateMember,
    UpdateThread,
)
from actors.errors import Internal, NotFound, Overloaded, XpError
from actors.events import Event
from actors.journal import Journal
from actors.ports import Encode, ThreadLoader
from actors.publication import Publication, Publications
from actors.records import Identity
from actors.runtime import LoopActor, LoopFuture, handles
from actors.thread_state import ThreadState, changes_access

logger = logging.getLogger("actors.thread")


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Let a connection see the thread from now on. Answers `Subscribed`; raises where the identity may not see it."""

    identity: Identity
    connection: "pykka.ActorRef[Any]"


@dataclass(frozen=True, slots=True)
class Subscribed:
    offset: int
    """Head of the log: every later event reaches the connection."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    connection: "pykka.ActorRef[Any]"


@dataclass(frozen=True, slots=True)
class AccessEnded:
    """Told to a connection: it may no longer see this channel, and was unsubscribed from it."""

    channel: str


@dataclass(frozen=True, slots=True)
class EventsCommitted:
    """Told to a live thread: these entries of its log are durable, in order."""

    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class _Loaded:
    state: ThreadState | XpError | None


@dataclass(frozen=True, slots=True)
class RetireIfIdle:
    before: float
    """Time of the event loop: only what was last used before it."""


_OTHER_COMMANDS = (
    UpdateThread, DeleteThread, AddMember, UpdateMember, RemoveMember, MarkRead, EditMessage, DeleteMessage, React,
)  # fmt: skip


class ThreadActor(LoopActor):
    """Loads its state first; its inbox waits meanwhile. All handlers run to completion on the event loop."""

    def __init__(
        self,
        thread_id: str,
        *,
        load: ThreadLoader,
        journal: Journal,
        encode: Encode,
        on_retired: Callable[["ThreadActor"], None],
    ) -> None:
        super().__init__()
        self.thread_id = thread_id
        self.channel = f"thread:{thread_id}"
        self.last_used = 0.0
        self._load = load
        self._journal = journal
        self._encode = encode
        self._on_retired = on_retired
        self._state: ThreadState | None = None
        self._missing: XpError | None = None
        self._missed: list[Event] = []
        self._subscribers: dict[pykka.ActorRef[Any], Identity] = {}
        self._in_flight = 0
        self._loading: asyncio.Task[None] | None = None
        self._early: list[Event] = []
        """What arrived before an entry that another process wrote; the follower brings that."""

    # Loading and retiring

    def on_start(self) -> None:
        self.hold()
        self._loading = self.stage.loop.create_task(self._load_state())

    async def _load_state(self) -> None:
        try:
            loaded = _Loaded(await self._load(self.thread_id))
        except XpError as error:
            loaded = _Loaded(error)
        except Exception:  # whoever waits must be answered, whatever it was
            logger.exception("the state of thread %s could not be read", self.thread_id)
            loaded = _Loaded(Internal())
        self.urgent(loaded)

    @handles(_Loaded)
    def _take_state(self, loaded: _Loaded) -> None:
        if isinstance(loaded.state, ThreadState):
            self._state = loaded.state
            missed, self._missed = self._missed, []
            self.publish(missed)
        else:
            # A thread that is not there, or cannot be read now, answers what waits and is tried anew next time.
            self._missing = loaded.state or NotFound("thread", self.thread_id)
            self._retire()
        self.release()

    def _retire(self) -> None:
        self._on_retired(self)
        self.stop()

    @handles(RetireIfIdle)
    def _retire_if_idle(self, message: RetireIfIdle) -> None:
        if not (self._subscribers or self._in_flight or self._inbox) and self.last_used < message.before:
            self._retire()

    @property
    def state(self) -> ThreadState:
        if self._state is None or self._state.deleted:
            raise self._missing or NotFound("thread", self.thread_id)
        return self._state

    # Writing

    @handles(PostMessage)
    def _post(self, command: PostMessage) -> LoopFuture[Any]:
        state, identity = self.state, command.identity
        if command.once is None:
            rules.must_write(identity, state.role_of(identity.user.key), self.thread_id, state.status)
        else:  # a retry is answered with what the first one did, also in a thread closed since; the store looks again
            rules.must_see(identity, state.role_of(identity.user.key), self.thread_id)
        rules.must_post_as(identity, command.type)
        return self._append(command)

    @handles(*_OTHER_COMMANDS)
    def _change(self, command: ThreadCommand) -> LoopFuture[Any]:
        """Looks before it writes, inside the journal's transaction; here only strangers are turned away."""
        state = self.state
        rules.must_see(command.identity, state.role_of(command.identity.user.key), self.thread_id)
        return self._append(command)

    def _append(self, command: ThreadCommand) -> LoopFuture[Any]:
        if self._in_flight >= limits.COMMANDS_PER_THREAD:
            raise Overloaded(
                f"{self._in_flight} writes to this thread are in flight, "
                f"the limit is {limits.COMMANDS_PER_THREAD}; retry."
            )
        reply = self.defer()
        try:
            self._journal.append(command, reply)
        except XpError as error:
            reply.set_exception(error)
            return reply
        self._in_flight += 1
        reply.when_done(self._landed)
        return reply

    def _landed(self, _: LoopFuture[Any]) -> None:
        self._in_flight -= 1

    # Reading along

    @handles(Subscribe)
    def _subscribe(self, message: Subscribe) -> Subscribed:
        self._must_see(message.identity)
        self._subscribers[message.connection] = message.identity
        return Subscribed(self.state.offset)

    def _must_see(self, identity: Identity) -> None:
        rules.must_see(identity, self.state.role_of(identity.user.key), self.thread_id)

    @handles(Unsubscribe)
    def _unsubscribe(self, message: Unsubscribe) -> None:
        self._subscribers.pop(message.connection, None)
        self.last_used = self.stage.loop.time()

    @handles(EventsCommitted)
    def _publish(self, message: EventsCommitted) -> None:
        self.publish(message.events)

    def publish(self, events: Sequence[Event]) -> None:
        """Move the state on and tell the subscribers; an event that ends somebody's access is their last."""
        if self._state is None:
            self._missed += events
            return
        self.last_used = self.stage.loop.time()
        run: list[Event] = []
        for event in self._in_order(events):
            self._state.apply(event)
            run.append(event)
            if changes_access(event):
                self._tell(run)
                run = []
                self._end_access()
        self._tell(run)

    def _in_order(self, events: Sequence[Event]) -> Iterator[Event]:
        """Those that come next, without repeats; what is ahead of a hole waits for what is missing."""
        assert self._state is not None
        if self._early:
            events = sorted((*self._early, *events), key=lambda event: event.offset)
            self._early = []
        for event in events:
            if event.offset == self._state.offset + 1:
                yield event
            elif event.offset > self._state.offset:
                self._early.append(event)

    def _tell(self, events: list[Event]) -> None:
        if not (events and self._subscribers):
            return
        items = [Publication(e.offset, e.position, e.type, self._encode(e)) for e in events]
        for chunk in _chunks(items):
            publications = Publications(self.channel, chunk)
            for connection in self._subscribers:
                try:  # noqa: SIM105 - suppress() costs as much as the tell
                    connection.tell(publications)
                except pykka.ActorDeadError:
                    pass  # it has just closed; its Unsubscribe is on the way

    def _end_access(self) -> None:
        for connection, identity in list(self._subscribers.items()):
            try:
                self._must_see(identity)
            except NotFound:
                del self._subscribers[connection]
                with contextlib.suppress(pykka.ActorDeadError):
                    connection.tell(AccessEnded(self.channel))


def _chunks(items: list[Publication]) -> Iterator[list[Publication]]:
    """Pieces that one frame can carry, however much was committed at once."""
    if sum(len(item.data) for item in items) <= limits.PUBLICATIONS_BYTES:
        yield items
        return
    chunk: list[Publication] = []
    size = 0
    for item in items:
        if chunk and size + len(item.data) > limits.PUBLICATIONS_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += len(item.data)
    yield chunk
