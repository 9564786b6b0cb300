"""The messages that are being written in one live thread: opened, appended to, awaited, ended."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pykka

from actors.commands import PostMessage
from actors.errors import Conflict, ShuttingDown
from actors.events import Ephemeral, Event
from actors.records import Identity, Message
from actors.runtime import LoopFuture
from actors.stream_commands import Appended, AppendToMessage, FinishMessage
from actors.streams import StreamClock
from actors.thread_state import ThreadState


@dataclass(frozen=True, slots=True)
class TellStreams:
    """Told to a live thread: this connection has missed pieces of what is being written."""

    connection: "pykka.ActorRef[Any]"


class ThreadStreams:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        state: ThreadState,
        *,
        tell: Callable[[list[Ephemeral]], None],
        append: Callable[[Any], None],
    ) -> None:
        """`append` gives a command to the journal that nobody waits for."""
        self._loop = loop
        self._thread_id = state.id
        self._streams = state.streams
        self._clock = StreamClock(loop, state.id, state.streams, tell=tell, append=append)
        self._opening: dict[str, str] = {}
        """Messages to be streamed that are not committed yet, and their first piece."""
        self._begun: list[tuple[str, str]] = []
        self._awaiting_end: dict[str, list[LoopFuture[Any]]] = {}
        self._clock.watch()

    def __len__(self) -> int:
        return len(self._streams) + len(self._opening)

    def open(self, command: PostMessage, reply: LoopFuture[Any]) -> None:
        """`reply` is that of the journal. Where it comes to nothing there will be no event to tell."""
        message_id = command.message_id
        self._opening[message_id] = command.piece

        def look(outcome: LoopFuture[Any]) -> None:
            if outcome.error is not None or outcome.result().replayed:
                self._opening.pop(message_id, None)

        reply.when_done(look)

    def append(self, command: AppendToMessage) -> Appended:
        """Raises `Conflict` (code `not_streaming`) for what is not being written, or not by the caller."""
        stream = self._streams.get(command.message_id)
        if stream is None or stream.author_key != command.identity.user.key:
            raise Conflict(
                "There is no message of yours with this id that is being written here: it was completed or stopped.",
                code="not_streaming",
            )
        stream.append(command.text, command.index, self._loop.time())
        self._clock.appended()
        return Appended(stream.length)

    def text_of(self, message_id: str) -> str | None:
        """What was written so far; None where it is not being written."""
        stream = self._streams.get(message_id)
        return stream.text if stream is not None else None

    def stops(self, identity: Identity) -> Iterator[FinishMessage]:
        """What ends all of them, in somebody's name."""
        for stream in self._streams.values():
            yield FinishMessage(
                identity=identity, thread_id=self._thread_id, message_id=stream.message_id,
                status="INTERRUPTED", content=stream.text,
            )  # fmt: skip

    def await_end(self, message_id: str, reply: LoopFuture[Any]) -> None:
        """`reply` is the message as it ended, or None where it is not being written."""
        if message_id in self._streams:
            self._awaiting_end.setdefault(message_id, []).append(reply)
        else:
            reply.set(None)

    def follow(self, event: Event) -> None:
        """Called before the state moves on: the last piece of a message is told before its end."""
        message = event.data
        if not isinstance(message, Message):
            return
        if begins_stream(event):
            self._begun.append((message.id, self._opening.pop(message.id, "")))
            return
        stream = self._streams.get(message.id)
        if stream is None:
            return
        if message.deleted_at is None and message.content.startswith(stream.text):
            self._clock.flush(stream)
        for waiting in self._awaiting_end.pop(message.id, ()):
            waiting.set(message)

    def begin(self) -> None:
        """Called after the state has moved on, and its events were told: what has begun has its first piece."""
        begun, self._begun = self._begun, []
        for message_id, piece in begun:
            stream = self._streams.get(message_id)
            if stream is not None and piece:
                stream.append(piece, None, self._loop.time())
                self._clock.appended()
        if begun:
            self._clock.watch()

    def snapshot(self) -> list[Ephemeral]:
        return self._clock.snapshot()

    def stop(self) -> None:
        self._clock.stop()
        for waiting in [reply for replies in self._awaiting_end.values() for reply in replies]:
            waiting.set_exception(ShuttingDown("The server is shutting down; retry in a moment."))


def begins_stream(event: Event) -> bool:
    message = event.data
    return isinstance(message, Message) and message.status == "STREAMING" and message.deleted_at is None
