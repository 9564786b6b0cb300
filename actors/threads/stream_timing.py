"""Streamed messages of one live thread, in time: deltas gathered for its viewers, progress saved, silence ended.

One timer a thread, and only while a message is streamed. The first delta is published at once, pieces within the next
`STREAM_DELTA_SECONDS` together: words at reading speed for the viewers, and a bounded number of writes for the server.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from actors import limits
from actors.delivery.ephemeral import Ephemeral, Publish
from actors.resources.message_streams import MESSAGE_DELTA, MessageDelta, SaveProgress
from actors.runtime.loop_actor import LoopFuture
from actors.threads.message_stream import Ending, Stream


class StreamClock:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: str,
        streams: dict[str, Stream],
        *,
        tell: Publish,
        append: Callable[[SaveProgress], LoopFuture[Any] | None],
        end: Callable[[Stream, Ending], None],
    ) -> None:
        """`streams` is the thread's own; `append` gives a command to the journal; `end` ends a message."""
        self._loop = loop
        self._thread_id = thread_id
        self._streams = streams
        self._tell = tell
        self._append = append
        self._end = end
        self._telling: asyncio.TimerHandle | None = None
        self._minding: asyncio.TimerHandle | None = None

    def appended(self) -> None:
        """There is text to publish."""
        if self._telling is None:
            self._tell_deltas()
        self.watch()

    def watch(self) -> None:
        """Save progress, and end silent streams."""
        if self._minding is None and self._streams:
            self._minding = self._loop.call_later(limits.STREAM_SAVE_SECONDS, self._mind)

    def flush(self, stream: Stream) -> None:
        """Its last delta is published before its end."""
        self._tell(list(self._deltas([stream])))

    def snapshot(self) -> list[Ephemeral]:
        """All streams from their beginning, as far as published: for a new subscriber, or one that has missed a delta.

        A stream that was loaded from the disk is included even if it is empty: its viewers may have seen words that
        were not saved when the earlier process ended.
        """
        return [
            self._delta(stream.message_id, 0, stream.text[: stream.sent])
            for stream in self._streams.values()
            if stream.sent or stream.is_resumed
        ]

    def save(self) -> None:
        """All text that is not saved yet."""
        for stream in self._streams.values():
            if stream.length != stream.saved:
                self._save(stream)

    def _tell_deltas(self) -> None:
        deltas = list(self._deltas(self._streams.values()))
        self._tell(deltas)
        self._telling = self._loop.call_later(limits.STREAM_DELTA_SECONDS, self._tell_deltas) if deltas else None

    def _deltas(self, streams: Iterable[Stream]) -> Iterable[Ephemeral]:
        for stream in streams:
            delta = stream.take_delta()
            if delta is not None:
                yield self._delta(stream.message_id, *delta)

    def _delta(self, message_id: str, index: int, text: str) -> Ephemeral:
        return Ephemeral(self._thread_id, MESSAGE_DELTA, MessageDelta(message_id, index, text))

    def _mind(self) -> None:
        self._minding = None
        for stream in list(self._streams.values()):
            self._mind_one(stream, self._loop.time())
        self.watch()

    def _mind_one(self, stream: Stream, now: float) -> None:
        if not stream.touched_at:  # it was begun by a process that is gone: from now on it has its time
            stream.touched_at = now
        if stream.ending is not None:
            if not stream.finishing:  # the journal could not take it
                self._end(stream, stream.ending)
        elif now - stream.touched_at > _patience(stream):
            self._end(stream, Ending("server_restarted" if stream.is_unclaimed else "silent"))
        elif stream.length != stream.saved or stream.touched_at - stream.saved_at > limits.STREAM_SILENT_SECONDS / 3:
            self._save(stream, now)

    def _save(self, stream: Stream, now: float = 0.0) -> None:
        reply = self._append(SaveProgress(self._thread_id, stream.message_id, stream.text))
        if reply is None:
            return
        stream.saved, stream.saved_at = stream.length, now
        reply.when_done(lambda outcome: None if outcome.error is None else stream.is_not_saved())

    def stop(self) -> None:
        for timer in (self._telling, self._minding):
            if timer is not None:
                timer.cancel()


def _patience(stream: Stream) -> float:
    return limits.STREAM_RESUME_SECONDS if stream.is_unclaimed else limits.STREAM_SILENT_SECONDS
