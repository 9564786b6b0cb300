"""Streamed messages of one live thread, in time: deltas gathered for its viewers, progress saved, silence ended.

One timer a thread, and only while something is being written. The first piece is told at once, what follows within
`DELTA_SECONDS` together: words at reading speed for the viewers, and a bounded number of writes for the server.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from actors import limits
from actors.events import Ephemeral
from actors.stream_commands import InterruptMessage, SaveProgress
from actors.streaming import Stream


class StreamClock:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: str,
        streams: dict[str, Stream],
        *,
        tell: Callable[[list[Ephemeral]], None],
        append: Callable[[SaveProgress | InterruptMessage], Any],
    ) -> None:
        """`streams` is the thread's own; `append` gives a command to the journal."""
        self._loop = loop
        self._thread_id = thread_id
        self._streams = streams
        self._tell = tell
        self._append = append
        self._telling: asyncio.TimerHandle | None = None
        self._minding: asyncio.TimerHandle | None = None

    def appended(self) -> None:
        """Something is to be told."""
        if self._telling is None:
            self._tell_deltas()
        self.watch()

    def watch(self) -> None:
        """Save what is written, and end what goes silent."""
        if self._minding is None and self._streams:
            self._minding = self._loop.call_later(limits.STREAM_SAVE_SECONDS, self._mind)

    def flush(self, stream: Stream) -> None:
        """Its last piece goes before its end."""
        self._tell(list(self._deltas([stream])))

    def snapshot(self) -> list[Ephemeral]:
        """All streams from their beginning, up to what has been told: for whoever joins now, or has missed a piece."""
        return [self._delta(s.message_id, 0, s.text[: s.told]) for s in self._streams.values() if s.told]

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
        return Ephemeral(self._thread_id, "message.delta", {"message_id": message_id, "index": index, "text": text})

    def _mind(self) -> None:
        self._minding = None
        now = self._loop.time()
        for stream in self._streams.values():
            if not stream.touched_at:  # it was begun by a process that is gone: from now on it has its time
                stream.touched_at = now
            if now - stream.touched_at > limits.STREAM_SILENT_SECONDS:
                self._append(InterruptMessage(self._thread_id, stream.message_id, stream.text))
                stream.touched_at = now  # once is enough, unless that fails
            elif (
                stream.length != stream.saved or stream.touched_at - stream.saved_at > limits.STREAM_SILENT_SECONDS / 3
            ):
                self._append(SaveProgress(self._thread_id, stream.message_id, stream.text))
                stream.saved, stream.saved_at = stream.length, now
        self.watch()

    def stop(self) -> None:
        for timer in (self._telling, self._minding):
            if timer is not None:
                timer.cancel()
