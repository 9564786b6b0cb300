"""The thread actor: serializes the commands of one conversation and publishes its committed events."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.commands import UNSET, AnswerRetry, Command, Makes, ThreadCommand, Unset
from actors.delivery.channel import ListPresent, Renew, Subscribe, Subscribed, Unsubscribe
from actors.delivery.ephemeral import Ephemeral
from actors.delivery.in_order import InOrder
from actors.delivery.publication import EphemeralPublications
from actors.errors import Conflict, NotFound, Overloaded, XpError
from actors.events import Event
from actors.journal.actor import Journal
from actors.ports import Encode, ThreadLoader
from actors.rehearsal import MayWrite
from actors.resources.message_streams import (
    Appended,
    AppendToMessage,
    AuthorsChanged,
    AwaitEnd,
    EndMessage,
    FinishMessage,
    MayOpen,
)
from actors.resources.messages import MESSAGE_CREATED, DeleteMessage, PostMessage
from actors.resources.presence import Status
from actors.runtime.loop_actor import LoopActor, LoopFuture, Ref, handles
from actors.threads.artifact_audiences import ArtifactAudiences
from actors.threads.audience import ThreadAudience
from actors.threads.deletion import notify_members
from actors.threads.inbox import EventsCommitted, RetireIfIdle, SetTyping, StatusChanged, TellEphemeral
from actors.threads.loading import Loaded, load_state
from actors.threads.message_streams import SendEphemeralState, ThreadStreams, begins_stream
from actors.threads.state import ThreadState, changes_access

logger = logging.getLogger("actors.thread")


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
        status: Callable[[int], Status],
        had_lists: bool,
        began: int,
    ) -> None:
        """`had_lists`: clients may have lists of present or typing users from before this actor; so may clients of a
        thread that is older than this process, which `began` at that time (milliseconds since 1970)."""
        super().__init__()
        self.thread_id = thread_id
        self.last_used = 0.0
        self._load = load
        self._journal = journal
        self._on_retired = on_retired
        self._state: ThreadState | None = None
        self._missing: XpError | None = None
        self._missed: list[Event] = []
        self._audience = ThreadAudience(thread_id, encode, status)
        self._audience.had_lists = had_lists
        self._artifacts = ArtifactAudiences(encode)
        self._began = began
        self._in_flight = 0
        self._order: InOrder[Event] = InOrder()
        self._streams: ThreadStreams | None = None
        self._loading: asyncio.Task[None] | None = None

    @property
    def is_low_priority(self) -> bool:
        """Writers then wait for readers (backpressure), so that publications do not pile up."""
        return self._audience.is_crowd

    # Loading and retiring

    def on_start(self) -> None:
        self.hold()
        self._loading = self.stage.loop.create_task(self._load_state())

    async def _load_state(self) -> None:
        self.urgent(await load_state(self._load, self.thread_id))

    @handles(Loaded)
    def _take_state(self, loaded: Loaded) -> None:
        if isinstance(loaded.state, ThreadState):
            self._state = loaded.state
            self._audience.had_lists |= loaded.state.created_at < self._began
            if self._state.streams:
                self._writing()  # its clock ends streams to which nothing is appended
            missed, self._missed = self._missed, []
            self.publish(missed)
        else:
            # Not found, or not readable now: answer the waiting callers; the next one starts a new actor.
            self._missing = loaded.state or NotFound("thread", self.thread_id)
            self._retire()
        self.release()

    def _retire(self) -> None:
        self._on_retired(self)
        self.stop()

    @handles(RetireIfIdle)
    def _retire_if_idle(self, message: RetireIfIdle) -> None:
        busy = (
            self._audience or self._artifacts or self._in_flight or self._inbox or (self._state and self._state.streams)
        )
        if not busy and self.last_used < message.before:
            self._retire()

    @property
    def state(self) -> ThreadState:
        if self._state is None or self._state.deleted:
            raise self._missing or NotFound("thread", self.thread_id)
        return self._state

    @property
    def is_loaded(self) -> bool:
        return self._state is not None

    @property
    def is_written_into(self) -> bool:
        """Whether a message is being streamed into it."""
        return bool(self._streams)

    @property
    def member_keys(self) -> Mapping[int, object]:
        return self._state.roles if self._state is not None else {}

    @property
    def followers(self) -> Mapping[Ref, object]:
        return self._audience.connections

    @property
    def has_lists(self) -> bool:
        return self._audience.has_lists

    # Writing

    @handles(PostMessage)
    def _post(self, command: PostMessage) -> LoopFuture[Any]:
        try:
            self._must_take_message(command)
        except Conflict as refusal:  # it is not its turn; a retry takes none
            if command.once is None:
                raise
            return self._append(AnswerRetry(identity=command.identity, once=command.once, refusal=refusal))
        identity, opens = command.identity, command.status == "STREAMING"
        if self._streams and self.state.while_streaming == "interrupt" and identity.user.kind == "HUMAN":
            command.interrupts = self._streams.interruptions(identity.author)
        reply = self._append(command)
        if opens:
            self._writing().open(command, reply)
        elif self._streams and command.interrupts:
            self._streams.may_end([stop.message_id for stop in command.interrupts], reply)
        return reply

    def _must_take_message(self, command: PostMessage) -> None:
        state, identity = self.state, command.identity
        if command.once is None:
            state.must_write(identity)
        else:  # a retry gets the result of the first try, also in a thread closed since; the store checks again
            state.must_see(identity)
        permissions.must_post_as(identity, command.type)
        opens = command.status == "STREAMING"
        if opens or self._streams or state.control == "human":
            self._check_turn_taking(identity, opens=opens)

    def _check_turn_taking(self, identity: Identity, *, opens: bool) -> None:
        """Here, where all open streams are known."""
        self.state.check_turn_taking(identity, streams=len(self._streams or ()), opens=opens)

    @handles(MayOpen)
    def _may_open(self, message: MayOpen) -> None:
        self.state.must_write(message.identity)
        self._check_turn_taking(message.identity, opens=True)

    @handles(ThreadCommand)
    def _change(self, command: ThreadCommand[Any]) -> LoopFuture[Any]:
        """A command without a handler of its own looks before it writes, inside the journal's transaction; here only
        strangers are turned away."""
        self.state.must_see(command.identity)
        return self._append(command)

    @handles(MayWrite)
    def _may_write(self, message: MayWrite) -> None:
        command = message.command
        if isinstance(command, PostMessage):
            self._must_take_message(command)
        elif isinstance(command, AppendToMessage):
            self.state.must_go_on(command.identity)
        elif isinstance(command, ThreadCommand):
            self.state.must_see(command.identity)
        self._must_have_room()

    def _must_have_room(self) -> None:
        if self._in_flight >= limits.COMMANDS_PER_THREAD:
            raise Overloaded(
                f"{self._in_flight} writes to this thread are in flight, "
                f"the limit is {limits.COMMANDS_PER_THREAD}; retry."
            )

    def _append(self, command: Command[Any]) -> LoopFuture[Any]:
        self._must_have_room()
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

    def _writing(self) -> ThreadStreams:
        """Most threads never have one."""
        if self._streams is None:
            self._streams = ThreadStreams(
                self.stage.loop,
                self.state,
                tell=self._audience.tell_ephemeral,
                append=self._journal_later,
                measures=self.stage.measures,
            )
        return self._streams

    @handles(AppendToMessage)
    def _append_text(self, command: AppendToMessage) -> "Appended | LoopFuture[Any]":
        """A piece waits while the message may be ending."""
        self.state.must_go_on(command.identity)
        return self._writing().append(command, self.defer)

    @handles(FinishMessage)
    def _finish_message(self, command: FinishMessage) -> LoopFuture[Any]:
        if isinstance(command.content, Unset) and self._streams is not None:
            text = self._streams.text_of(command.message_id)
            command.content = UNSET if text is None else text
        return self._end_by(command)

    @handles(DeleteMessage)
    def _delete_message(self, command: DeleteMessage) -> LoopFuture[Any]:
        return self._end_by(command)

    def _end_by(self, command: FinishMessage | DeleteMessage) -> LoopFuture[Any]:
        reply: LoopFuture[Any] = self._change(command)
        if self._streams is not None:
            self._streams.may_end([command.message_id], reply)
        return reply

    @handles(EndMessage)
    def _end_message(self, message: EndMessage) -> None:
        if self._streams is not None:
            self._streams.end(message)

    @handles(AuthorsChanged)
    def _authors_changed(self, message: AuthorsChanged) -> None:
        if self._streams is not None:
            self._streams.authors_changed(message)

    def save_progress(self) -> None:
        """Of open streams, before the process ends."""
        if self._streams is not None:
            self._streams.save()

    @handles(AwaitEnd)
    def _await_end(self, message: AwaitEnd) -> LoopFuture[Any]:
        reply = self.defer()
        self._writing().await_end(message.message_id, reply)
        return reply

    @handles(SendEphemeralState)
    def _tell_streams(self, message: SendEphemeralState) -> None:
        state = self._ephemeral_state(returning=True)
        if state is not None:
            self._audience.tell_one(message.connection, state)

    def _journal_later(self, command: Makes[Any]) -> LoopFuture[Any] | None:
        """Without a caller who waits: a command that the journal refuses now is sent again soon."""
        try:
            return self._journal.append(command)
        except XpError:
            return None

    # Reading along

    @handles(Subscribe)
    def _subscribe(self, message: Subscribe) -> Subscribed:
        self.state.must_see(message.identity)
        if message.artifact_id is not None:
            self._artifacts.join(message.artifact_id, message)
            return Subscribed(self.state.offset, None)
        self._audience.join(message)
        return Subscribed(self.state.offset, self._ephemeral_state(returning=message.returning))

    @handles(Unsubscribe)
    def _unsubscribe(self, message: Unsubscribe) -> None:
        if message.artifact_id is not None:
            self._artifacts.leave(message.artifact_id, message.connection)
        else:
            self._audience.leave(message.connection)
        self.last_used = self.stage.loop.time()

    @handles(Renew)
    def _renew(self, message: Renew) -> None:
        if message.artifact_id is not None:
            self._artifacts.renew(message.artifact_id, message)
        else:
            self._audience.renew(message)

    @handles(EventsCommitted)
    def _publish(self, message: EventsCommitted) -> None:
        self.publish(message.events)

    def publish(self, events: Sequence[Event]) -> None:
        """Apply the events and publish them; one that ends the access of a user is the last for that user."""
        if self._state is None:
            self._missed += events
            return
        self.last_used = self.stage.loop.time()
        run: list[Event] = []
        for event in self._order.following(self._state.offset, events):
            if self._streams is not None or begins_stream(event):
                self._writing().follow(event)
            if event.type == MESSAGE_CREATED.name:
                self._audience.has_written(event.actor)
            self._state.apply(event)
            self._audience.moved(event)
            self._audience.ends_writing(event)
            run.append(event)
            if changes_access(event):
                self._tell(run)
                run = []
                self._end_access()
            if self._state.deleted:
                notify_members(self._journal, self.thread_id)
        self._tell(run)
        if self._streams is not None:
            self._streams.begin(events[-1].actor if events else None)

    def _tell(self, events: Sequence[Event]) -> None:
        self._audience.tell_events(events)
        if self._artifacts:
            self._artifacts.tell_events(events)

    @handles(ListPresent)
    def _list_present(self, message: ListPresent) -> list[tuple[str, Identity]]:
        self.state.must_see(message.identity)
        if message.artifact_id is not None:
            return self._artifacts.present(message.artifact_id)
        return self._audience.present()

    @handles(SetTyping)
    def _set_typing(self, message: SetTyping) -> None:
        self.state.must_write(message.identity)
        self._audience.types(message.identity.author, typing=message.typing)

    @handles(TellEphemeral)
    def _tell_ephemeral(self, message: TellEphemeral) -> None:
        self._audience.tell_ephemeral([Ephemeral(self.thread_id, message.kind, message.data)])

    @handles(StatusChanged)
    def _status_changed(self, message: StatusChanged) -> None:
        self._audience.status_changed(message.author, message.status)

    def _ephemeral_state(self, *, returning: bool) -> EphemeralPublications | None:
        """Ephemeral events that began before: open streams, presence, typing."""
        written = self._streams.snapshot() if self._streams is not None else []
        return self._audience.ephemeral([*written, *self._audience.lists(returning=returning)])

    def on_stop(self) -> None:
        if self._streams is not None:
            self._streams.stop()
        self._audience.stop()

    def _end_access(self) -> None:
        assert self._state is not None
        self._audience.end_access(self._state.may_see)
        self._artifacts.end_access(self._state.may_see)
