"""The thread actor: serializes what is written into one conversation and tells its subscribers what was committed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pykka

from actors import limits, rules
from actors.commands import (
    AddMember,
    DeleteMessage,
    DeleteThread,
    EditMessage,
    HandOver,
    MarkRead,
    PostMessage,
    React,
    RemoveMember,
    ReplaceMemory,
    ThreadCommand,
    Unset,
    UpdateMember,
    UpdateMemory,
    UpdateThread,
)
from actors.errors import Conflict, Internal, NotFound, Overloaded, ShuttingDown, XpError
from actors.events import MESSAGE_CREATED, Ephemeral, Event
from actors.journal import Journal
from actors.notification_commands import MarkUnread
from actors.ports import Encode, ThreadLoader
from actors.presence import Presence, Typing
from actors.publication import Passing, Publication, Publications
from actors.records import Identity, Message
from actors.runtime import LoopActor, LoopFuture, handles
from actors.stream_commands import Appended, AppendToMessage, AwaitEnd, FinishMessage
from actors.streams import StreamClock
from actors.thread_state import ThreadState, changes_access

logger = logging.getLogger("actors.thread")


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Let a connection see the thread from now on. Answers `Subscribed`; raises where the identity may not see it."""

    identity: Identity
    connection: "pykka.ActorRef[Any]"
    watches: bool = False
    """Whether it is told who joins and leaves, connection by connection."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    offset: int
    """Head of the log: every later event reaches the connection."""
    state: Passing | None
    """What is being written now, as far as it has been told; the rest reaches the connection."""
    epoch: str = ""
    """Of a channel that has one of its own; a thread has its log's."""


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


@dataclass(frozen=True, slots=True)
class Attendance:
    """Told to connections that watch: somebody has joined or left."""

    channel: str
    client_id: str
    identity: Identity
    joined: bool


@dataclass(frozen=True, slots=True)
class ListPresent:
    """Answers (client id, identity) of everyone who listens; raises where the identity may not see the thread."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class SetTyping:
    identity: Identity
    typing: bool


@dataclass(frozen=True, slots=True)
class TellStreams:
    """Told to a live thread: this connection has missed pieces of what is being written."""

    connection: "pykka.ActorRef[Any]"


_OTHER_COMMANDS = (
    UpdateThread, DeleteThread, AddMember, UpdateMember, RemoveMember, MarkRead, EditMessage, DeleteMessage, React,
    HandOver, ReplaceMemory, UpdateMemory, MarkUnread,
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
        self._position = 0
        """Of the newest event told, in the log of all threads."""
        self._opening: set[str] = set()
        """Messages to be streamed that are not committed yet."""
        self._clock: StreamClock | None = None
        self._presence: Presence | None = None
        self._typing: Typing | None = None
        self._watchers: set[pykka.ActorRef[Any]] | None = None
        self._awaiting_end: dict[str, list[LoopFuture[Any]]] = {}
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
            if self._state.streams:
                self._streams_clock().watch()
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
        busy = self._subscribers or self._in_flight or self._inbox or (self._state and self._state.streams)
        if not busy and self.last_used < message.before:
            self._retire()

    @property
    def state(self) -> ThreadState:
        if self._state is None or self._state.deleted:
            raise self._missing or NotFound("thread", self.thread_id)
        return self._state

    @property
    def member_keys(self) -> Mapping[int, object]:
        return self._state.roles if self._state is not None else {}

    @property
    def followers(self) -> Mapping["pykka.ActorRef[Any]", object]:
        return self._subscribers

    # Writing

    @handles(PostMessage)
    def _post(self, command: PostMessage) -> LoopFuture[Any]:
        state, identity = self.state, command.identity
        if command.once is None:
            rules.must_write(identity, state.role_of(identity.user.key), self.thread_id, state.status)
        else:  # a retry is answered with what the first one did, also in a thread closed since; the store looks again
            rules.must_see(identity, state.role_of(identity.user.key), self.thread_id)
        rules.must_post_as(identity, command.type)
        opens = command.status == "STREAMING"
        if opens or state.streams or state.control == "human":
            self._take_turn(command, opens=opens)
        reply = self._append(command)
        if opens:
            self._opening.add(command.message_id)
            reply.when_done(lambda outcome: self._opened(command.message_id, outcome))
        return reply

    def _opened(self, message_id: str, outcome: LoopFuture[Any]) -> None:
        """Where it came to nothing there will be no event to tell."""
        if outcome.error is not None or outcome.result().replayed:
            self._opening.discard(message_id)

    def _take_turn(self, command: PostMessage, *, opens: bool) -> None:
        """By what the actor knows: who else writes, it knows best."""
        state, streams = self.state, len(self.state.streams) + len(self._opening)
        rules.must_be_ones_turn(
            command.identity, state.control, state.while_streaming, streams=streams, opens_stream=opens
        )
        if state.while_streaming == "interrupt" and command.identity.user.kind == "HUMAN":
            for stream in state.streams.values():  # in the same transaction, before what interrupts them
                stop = FinishMessage(
                    identity=command.identity, thread_id=self.thread_id, message_id=stream.message_id,
                    status="INTERRUPTED", content=stream.text,
                )  # fmt: skip
                self._journal_later(stop)

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

    # Streamed messages

    @handles(AppendToMessage)
    def _append_text(self, command: AppendToMessage) -> Appended:
        state, identity = self.state, command.identity
        rules.must_see(identity, state.role_of(identity.user.key), self.thread_id)
        stream = state.streams.get(command.message_id)
        if stream is None or stream.author_key != identity.user.key:
            raise Conflict(
                "There is no message of yours with this id that is being written here: it was completed or stopped.",
                code="not_streaming",
            )
        stream.append(command.text, command.index, self.stage.loop.time())
        self.last_used = stream.touched_at
        self._streams_clock().appended()
        return Appended(stream.length)

    @handles(FinishMessage)
    def _finish_message(self, command: FinishMessage) -> LoopFuture[Any]:
        stream = self.state.streams.get(command.message_id)
        if stream is not None and isinstance(command.content, Unset):
            command.content = stream.text
        reply: LoopFuture[Any] = self._change(command)
        return reply

    @handles(AwaitEnd)
    def _await_end(self, message: AwaitEnd) -> LoopFuture[Any] | None:
        if message.message_id not in self.state.streams:
            return None
        reply = self.defer()
        self._awaiting_end.setdefault(message.message_id, []).append(reply)
        return reply

    @handles(TellStreams)
    def _tell_streams(self, message: TellStreams) -> None:
        state = self._passing(self._clock.snapshot()) if self._clock else None
        if state is not None and message.connection in self._subscribers:
            with contextlib.suppress(pykka.ActorDeadError):
                message.connection.tell(state)

    def _end_stream(self, event: Event) -> None:
        """Before an event that ends a stream its last piece is told."""
        message = event.data
        if not isinstance(message, Message):
            return
        if message.status == "STREAMING" and message.deleted_at is None:
            self._opening.discard(message.id)
            self.stage.loop.call_soon(self._streams_clock().watch)
            return
        stream = self.state.streams.get(message.id) if self.state.streams else None
        if stream is None:
            return
        if message.deleted_at is None and message.content.startswith(stream.text):
            self._streams_clock().flush(stream)
        for waiting in self._awaiting_end.pop(message.id, ()):
            waiting.set(message)

    def _streams_clock(self) -> StreamClock:
        if self._clock is None:
            self._clock = StreamClock(
                self.stage.loop, self.thread_id, self.state.streams, tell=self._tell_passing, append=self._journal_later
            )
        return self._clock

    def _journal_later(self, command: object) -> None:
        """Nobody waits for it: what cannot be written now is tried again in a moment."""
        with contextlib.suppress(XpError):
            self._journal.append(command)

    # Reading along

    @handles(Subscribe)
    def _subscribe(self, message: Subscribe) -> Subscribed:
        self._must_see(message.identity)
        self._subscribers[message.connection] = message.identity
        if message.watches:
            self._watchers = (self._watchers or set()) | {message.connection}
        self._came_or_went(message.connection, message.identity, joined=True)
        return Subscribed(self.state.offset, self._passing(self._clock.snapshot()) if self._clock else None)

    def _must_see(self, identity: Identity) -> None:
        rules.must_see(identity, self.state.role_of(identity.user.key), self.thread_id)

    @handles(Unsubscribe)
    def _unsubscribe(self, message: Unsubscribe) -> None:
        self._drop(message.connection)
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
            self._end_stream(event)
            if self._typing is not None and event.type == MESSAGE_CREATED:
                self._typing.stop(event.actor.key)
            self._state.apply(event)
            self._position = event.position
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

    # Presence

    def _drop(self, connection: "pykka.ActorRef[Any]") -> None:
        identity = self._subscribers.pop(connection, None)
        if identity is None:
            return
        if self._watchers is not None:
            self._watchers = self._watchers - {connection} or None
        self._came_or_went(connection, identity, joined=False)

    def _came_or_went(self, connection: "pykka.ActorRef[Any]", identity: Identity, *, joined: bool) -> None:
        """Somebody alone is told of nobody: most threads are never more than that."""
        if len(self._subscribers) > 1 and self._presence is None:
            self._presence = Presence(
                self.stage.loop, self.thread_id, present=self._subscribers.values, tell=self._tell_passing
            )
        if self._presence is not None:
            self._presence.changed()
        if self._watchers is not None and len(self._subscribers) <= limits.PRESENCE_USERS:
            attendance = Attendance(self.channel, connection.actor_urn, identity, joined)
            for watcher in self._watchers:
                with contextlib.suppress(pykka.ActorDeadError):
                    watcher.tell(attendance)

    @handles(ListPresent)
    def _list_present(self, message: ListPresent) -> list[tuple[str, Identity]]:
        self._must_see(message.identity)
        return [(connection.actor_urn, identity) for connection, identity in self._subscribers.items()]

    @handles(SetTyping)
    def _set_typing(self, message: SetTyping) -> None:
        identity = message.identity
        rules.must_write(identity, self.state.role_of(identity.user.key), self.thread_id, self.state.status)
        if self._typing is None:
            self._typing = Typing(self.stage.loop, self.thread_id, tell=self._tell_passing)
        if message.typing:
            self._typing.start(identity.author)
        else:
            self._typing.stop(identity.user.key)

    def _passing(self, ephemerals: Sequence[Ephemeral]) -> Passing | None:
        items = [Publication(0, self._position, ephemeral.type, self._encode(ephemeral)) for ephemeral in ephemerals]
        return Passing(self.channel, items) if items else None

    def _tell_passing(self, ephemerals: Sequence[Ephemeral]) -> None:
        if not (ephemerals and self._subscribers):
            return
        passing = self._passing(ephemerals)
        for connection in self._subscribers:
            with contextlib.suppress(pykka.ActorDeadError):
                connection.tell(passing)

    def on_stop(self) -> None:
        if self._clock is not None:
            self._clock.stop()
        if self._presence is not None:
            self._presence.stop()
        if self._typing is not None:
            self._typing.close()
        for waiting in [reply for replies in self._awaiting_end.values() for reply in replies]:
            waiting.set_exception(ShuttingDown("The server is shutting down; retry in a moment."))

    def _end_access(self) -> None:
        for connection, identity in list(self._subscribers.items()):
            try:
                self._must_see(identity)
            except NotFound:
                self._drop(connection)
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
