"""The messages that are being written in one live thread: opened, appended to, awaited, ended.

A piece that was acknowledged is in the message. So what is appended while something that may end the message is in the
journal waits for what becomes of that, and is refused where the message has ended.
"""

import asyncio
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from actors import permissions
from actors.delivery.ephemeral import Ephemeral, Publish
from actors.errors import CODES, NotFound, ShuttingDown, XpError
from actors.events import Event
from actors.measures import Measures
from actors.resources.members import Member, MemberGone
from actors.resources.message_streams import Appended, AppendToMessage, AuthorsChanged, EndMessage
from actors.resources.messages import MESSAGE_CREATED, InterruptMessage, Message, PostMessage
from actors.resources.threads import ControlChange, Thread
from actors.resources.users import Author
from actors.runtime.loop_actor import LoopFuture, Ref
from actors.threads.message_stream import Ending, Stream, not_streaming, whole
from actors.threads.state import ThreadState
from actors.threads.stream_timing import StreamClock


@dataclass(frozen=True, slots=True)
class SendEphemeralState:
    """To a live thread: this connection has missed deltas and needs the current state."""

    connection: Ref


@dataclass(slots=True)
class _Opening:
    """A message to be streamed that has not begun: its commit is not published yet."""

    command: PostMessage
    ending: Ending | None = None
    ends: list[LoopFuture[Any]] = field(default_factory=list)
    """The journal's replies to commands that end it."""
    held: list[tuple[AppendToMessage, LoopFuture[Any]]] = field(default_factory=list)
    """Pieces that came meanwhile."""

    @property
    def text(self) -> str:
        return whole(self.command.content + self.command.piece)


class ThreadStreams:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        state: ThreadState,
        *,
        tell: Publish,
        append: Callable[[Any], LoopFuture[Any] | None],
        measures: Measures | None = None,
    ) -> None:
        """`append` sends a command to the journal without a caller who waits; None where the journal is overloaded."""
        self._loop = loop
        self._measures = measures or Measures()
        self._state = state
        self._streams = state.streams
        self._append = append
        self._clock = StreamClock(loop, state.id, state.streams, tell=tell, append=append, end=self._end)
        self._opening: dict[str, _Opening] = {}
        self._begun: list[tuple[str, _Opening | None]] = []
        self._rights_changed = False
        self._awaiting_end: dict[str, list[LoopFuture[Any]]] = {}
        self._clock.watch()

    def __len__(self) -> int:
        return len(self._streams) + len(self._opening)

    # Begin

    def open(self, command: PostMessage, reply: LoopFuture[Any]) -> None:
        """`reply` is that of the journal. Where it comes to nothing there will be no event to tell."""
        opening = _Opening(command)
        if self._opening.setdefault(command.message_id, opening) is not opening:
            return  # a retry of one that has not begun yet

        def look(outcome: LoopFuture[Any]) -> None:
            if outcome.error is not None or outcome.result().replayed:
                self._give_up(opening)

        reply.when_done(look)

    def _give_up(self, opening: _Opening) -> None:
        """It came to nothing, or had begun before."""
        message_id = opening.command.message_id
        if self._opening.get(message_id) is opening:
            del self._opening[message_id]
            self._append_held(opening)
        if message_id not in self._streams:
            for waiting in self._awaiting_end.pop(message_id, ()):
                waiting.set(None)

    # More

    def append(self, command: AppendToMessage, defer: Callable[[], LoopFuture[Any]]) -> "Appended | LoopFuture[Any]":
        """`defer` takes over the reply. Raises `Conflict` (code `not_streaming`) for a message that is not streamed, or
        not by the caller."""
        stream, opening = self._streams.get(command.message_id), self._opening.get(command.message_id)
        user_key = command.identity.user.key
        if stream is None and opening is not None and opening.command.identity.user.key == user_key:
            reply = defer()
            opening.held.append((command, reply))
            return reply
        if stream is None or stream.author_key != user_key:
            raise not_streaming()
        if not stream.finishing:
            return self._take(stream, command)
        reply = defer()
        stream.held.append(partial(self._answer, stream, command, reply))
        return reply

    def _append_held(self, opening: _Opening) -> None:
        """The message has begun, or comes to nothing."""
        for command, reply in opening.held:
            self._append_after_all(command, reply)

    def _append_after_all(self, command: AppendToMessage, reply: LoopFuture[Any]) -> None:
        try:
            answer = self.append(command, lambda: reply)
        except XpError as error:
            reply.set_exception(error)
        else:
            if answer is not reply:  # else it waits again
                reply.set(answer)

    def _take(self, stream: Stream, command: AppendToMessage) -> Appended:
        stream.must_take_more()
        if stream.length == 0:
            self._measures.first_piece_seconds.observe(self._loop.time() - stream.touched_at)
        stream.append(command.text, command.index, self._loop.time())
        stream.identity = command.identity
        self._clock.appended()
        return Appended(stream.length)

    def _answer(self, stream: Stream, command: AppendToMessage, reply: LoopFuture[Any]) -> None:
        try:
            reply.set(self._take(stream, command))
        except XpError as error:
            reply.set_exception(error)

    # The end, by a command

    def text_of(self, message_id: str) -> str | None:
        """What was written so far; None where it is not being written."""
        stream, opening = self._streams.get(message_id), self._opening.get(message_id)
        if stream is not None:
            return stream.final_text
        return opening.text if opening is not None else None

    def may_end(self, message_ids: Collection[str], reply: LoopFuture[Any]) -> None:
        """`reply` is that of the journal to the command which, unless it is refused, ends these messages."""
        for message_id in message_ids:
            if message_id in self._opening:
                self._opening[message_id].ends.append(reply)
        streams = [self._streams[message_id] for message_id in message_ids if message_id in self._streams]
        for stream in streams:
            stream.finishing += 1

        def settle(outcome: LoopFuture[Any]) -> None:
            for stream in streams:
                self._settle(stream, outcome)

        reply.when_done(settle)

    def _settle(self, stream: Stream, outcome: LoopFuture[Any]) -> None:
        stream.finishing -= 1
        if outcome.error is None and not outcome.result().replayed:
            stream.is_over = True
        if stream.is_over or not stream.finishing:
            held, stream.held = stream.held, []
            for answer in held:
                answer()

    def interruptions(self, actor: Author) -> tuple[InterruptMessage, ...]:
        """Commands that interrupt all streams for a message of a user, including streams that are being created."""
        texts = {message_id: opening.text for message_id, opening in self._opening.items()}
        texts |= {stream.message_id: stream.final_text for stream in self._streams.values() if not stream.is_over}
        return tuple(
            InterruptMessage(self._state.id, message_id, text, reason="interrupted", actor=actor)
            for message_id, text in texts.items()
        )

    # Ended by events

    def end(self, message: EndMessage) -> None:
        ending = Ending(message.reason, message.status)
        stream, opening = self._streams.get(message.message_id), self._opening.get(message.message_id)
        if stream is not None:
            self._end(stream, ending)
        elif opening is not None:
            opening.ending = ending

    def authors_changed(self, message: AuthorsChanged) -> None:
        """A credential has ended, or a user may not come in any more."""
        users = {change.user.key: change.user for change in message.changes if change.user is not None}
        for stream in list(self._streams.values()):
            user = users.get(stream.author_key)
            concerned = message.changes.concerning(stream.identity) if stream.identity is not None else None
            has_ended = concerned is not None and concerned.kind != "user"
            if has_ended or (user is not None and user.status != "ACTIVE"):
                self._end(stream, Ending("access_ended"))

    def _end(self, stream: Stream, ending: Ending) -> None:
        """Decided once; asked of the journal again by the clock, until it is done."""
        if stream.is_over or (stream.ending is not None and stream.finishing):
            return
        if stream.ending is None:
            stream.ending = ending
            held, stream.held = stream.held, []
            for answer in held:
                answer()
        ending = stream.ending
        reply = self._append(
            InterruptMessage(
                self._state.id, stream.message_id, stream.final_text, ending.status, ending.reason, ending.actor
            )
        )
        if reply is not None:
            stream.finishing += 1
            reply.when_done(partial(self._settle, stream))

    def await_end(self, message_id: str, reply: LoopFuture[Any]) -> None:
        """`reply` is the message as it ended, or None where it is not being written."""
        if message_id in self._streams or message_id in self._opening:
            self._awaiting_end.setdefault(message_id, []).append(reply)
        else:
            reply.set(None)

    # Following the log

    def follow(self, event: Event) -> None:
        """Called before the state applies the event: the last delta of a message is published before its end."""
        message = event.data
        if isinstance(message, Member | MemberGone | Thread | ControlChange):
            self._rights_changed = True
        if not isinstance(message, Message):
            return
        if event.type == MESSAGE_CREATED.name and self._interrupts(message):
            for stream in list(self._streams.values()):  # written by another process
                self._end(stream, Ending("interrupted", actor=event.actor))
        if begins_stream(event):
            self._begun.append((message.id, self._opening.pop(message.id, None)))
            return
        ended, opening = self._streams.get(message.id), self._opening.pop(message.id, None)
        if opening is not None:  # by the follower: it had ended before anyone was told that it began
            self._append_held(opening)
        elif ended is None:
            return
        if ended is not None and message.deleted_at is None and message.content.startswith(ended.text):
            self._clock.flush(ended)
        self._measures.streams_ended[_reason_of(message)] += 1
        for waiting in self._awaiting_end.pop(message.id, ()):
            waiting.set(message)

    def _interrupts(self, message: Message) -> bool:
        return self._state.while_streaming == "interrupt" and message.author.kind == "HUMAN"

    def begin(self, actor: Author | None) -> None:
        """Called after the state has applied the events and they were published: new streams publish their first delta,
        and streams that lost their rights end. `actor`: of the last of these events."""
        begun, self._begun = self._begun, []
        if self._state.deleted:
            self._drop([opening for _, opening in begun if opening is not None])
            return
        for message_id, opening in begun:
            stream = self._streams.get(message_id)
            if stream is not None and opening is not None:
                self._begin(stream, opening)
            if opening is not None:
                self._append_held(opening)
        if begun or self._rights_changed:
            self._rights_changed = False
            self._look_at_rights(actor)
            self._clock.watch()

    def _begin(self, stream: Stream, opening: _Opening) -> None:
        self._measures.streams_begun += 1
        stream.identity = opening.command.identity
        stream.touched_at = self._loop.time()
        if opening.command.piece:
            stream.append(opening.command.piece, None, self._loop.time())
            self._clock.appended()
        if opening.ending is not None:
            self._end(stream, opening.ending)
        for reply in opening.ends:
            self.may_end([stream.message_id], reply)

    def _look_at_rights(self, actor: Author | None) -> None:
        state = self._state
        for stream in list(self._streams.values()):
            try:
                permissions.must_go_on(
                    stream.author_kind, state.role_of(stream.author_key), state.status, state.control
                )
            except XpError as error:
                self._end(stream, Ending(error.code, actor=actor))

    def _drop(self, begun: list[_Opening]) -> None:
        """With the thread."""
        for message_id in {*self._streams, *self._awaiting_end}:
            for waiting in self._awaiting_end.pop(message_id, ()):
                waiting.set_exception(NotFound("thread", self._state.id))
        for stream in self._streams.values():
            stream.is_over = True
        self._streams.clear()
        openings, self._opening = [*begun, *self._opening.values()], {}
        for opening in openings:
            self._append_held(opening)

    def snapshot(self) -> list[Ephemeral]:
        return self._clock.snapshot()

    def save(self) -> None:
        self._clock.save()

    def stop(self) -> None:
        self._clock.stop()
        waiting_for_pieces = [reply for opening in self._opening.values() for _, reply in opening.held]
        for waiting in [*waiting_for_pieces, *(reply for replies in self._awaiting_end.values() for reply in replies)]:
            waiting.set_exception(ShuttingDown("The server is shutting down; retry in a moment."))


def _reason_of(message: Message) -> str:
    """One of ours: what an author writes into the metadata is no label."""
    if message.deleted_at is not None:
        return "deleted"
    reason = json.loads(message.metadata).get("end_reason")
    return reason if isinstance(reason, str) and (reason in _REASONS or reason in CODES) else message.status.lower()


_REASONS = frozenset({"interrupted", "stopped", "silent", "server_restarted", "access_ended", "client_gone"})


def begins_stream(event: Event) -> bool:
    message = event.data
    return isinstance(message, Message) and message.status == "STREAMING" and message.deleted_at is None
