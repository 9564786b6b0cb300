"""What a WebSocket sends is counted before it is parsed: each frame, also those that hold nothing and those that carry
a piece of a message, for parsing a frame costs more than sending it.
"""

from collections.abc import Callable
from typing import Any

from actors import limits
from server.http.aiohttp_internals import GO_ON, FrameParser
from server.realtime.protocol.intake import Intake


class FrameCounter:
    """Finds where frames begin (RFC 6455, 5.2), however the stream is cut into pieces."""

    __slots__ = ("_head", "_skip")

    def __init__(self) -> None:
        self._head = b""
        """The beginning of a frame, too short to say how long it is."""
        self._skip = 0
        """Bytes of the present frame that are still to come."""

    def count(self, data: bytes, most: int) -> int:
        """How many frames begin in it; it stops looking where there are more than `most`."""
        if self._head:
            data, self._head = self._head + data, b""
        found, start, size = 0, self._skip, len(data)
        while start < size and found <= most:
            frame = _frame_size(data, start)
            if frame == 0:
                self._head = data[start:]
                start = size
                break
            found += 1
            start += frame
        self._skip = start - size
        return found


def _frame_size(data: bytes, start: int) -> int:
    """With its header; 0 where there is too little of it to say."""
    if len(data) - start < 2:
        return 0
    second = data[start + 1]
    size = second & 0x7F
    head = 6 if second & 0x80 else 2
    if size < 126:
        return head + size
    width = 2 if size == 126 else 8
    if len(data) - start < 2 + width:
        return 0
    return head + width + int.from_bytes(data[start + 2 : start + 2 + width], "big")


class FrameGate:
    """In front of aiohttp's parser of frames: once too much has come, nothing passes any more."""

    __slots__ = ("_counter", "_intake", "_on_shut", "is_shut", "parser")

    parser: FrameParser

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._counter: FrameCounter | None = FrameCounter()
        self._on_shut: Callable[[], Any] | None = None
        self.is_shut = False

    def in_front_of(self, parser: FrameParser) -> "FrameGate":
        self.parser = parser
        return self

    def when_shut(self, callback: Callable[[], Any]) -> None:
        """Called once, or now where it has happened already: bytes may come with the handshake."""
        self._on_shut = callback
        if self.is_shut:
            callback()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if self.is_shut:
            return GO_ON
        if self._intake.take(self._frames(data), len(data)):
            return self.parser.feed_data(data)
        self.is_shut = True
        if self._on_shut is not None:
            self._on_shut()
        return GO_ON

    def _frames(self, data: bytes) -> int:
        """Where nothing is counted the place in the stream is lost; after that each piece counts as a frame."""
        if self._intake.is_free:
            self._counter = None
        if self._counter is None:
            return 1
        return self._counter.count(data, limits.INTAKE_ITEMS)

    def feed_eof(self) -> None:
        self.parser.feed_eof()
