"""The body of a request in which a message is written, piece by piece, no faster than its user may send them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from actors import limits
from actors.errors import Malformed
from server.http.connections.parse_errors import in_one_line
from server.realtime.message_upload.pieces import Piece, PieceReader

Wait = Callable[[int], float]
"""Takes a number of lines; answers the seconds until they may be read."""


class ConnectionLost(Exception):
    """The body broke off with its connection."""


class Pace:
    """How fast the lines of each user are read, over all of their requests. Nothing is refused: the rest waits."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[int, float] = {}
        """User key → when what was taken is paid for."""

    def of(self, user_key: int) -> Wait:
        return lambda lines: self._take(user_key, lines)

    def _take(self, user_key: int, lines: int) -> float:
        now, rate = self._clock(), limits.STREAM_LINES_PER_SECOND
        full = now - limits.STREAM_LINES_BURST / rate
        due = max(self._due.get(user_key, full), full) + lines / rate
        self._due[user_key] = due
        return max(0.0, due - now)

    def forget(self, user_key: int) -> None:
        """Once they write nothing: a bucket that is full says nothing."""
        full = self._clock() - limits.STREAM_LINES_BURST / limits.STREAM_LINES_PER_SECOND
        if self._due.get(user_key, full) <= full:
            self._due.pop(user_key, None)


async def pieces(request: web.Request, reader: PieceReader, wait: Wait | None) -> AsyncIterator[Piece]:
    """Raises `ConnectionLost`, and `Malformed` or `TooLarge`."""
    body = request.content
    try:
        async for chunk in body.iter_any():
            for piece in _slices(chunk):
                if wait is not None and (seconds := wait(_lines(piece))) > 0:
                    await asyncio.sleep(seconds)
                for found in reader.feed(piece):
                    yield found
                if len(chunk) > limits.STREAM_SLICE_BYTES:
                    await asyncio.sleep(0)
            if not body.is_eof():
                await asyncio.sleep(limits.STREAM_GATHER_SECONDS)
    except (ConnectionError, web.RequestPayloadError, HttpProcessingError) as error:
        if isinstance(error, ConnectionError) or request.transport is None or request.transport.is_closing():
            raise ConnectionLost from None
        raise Malformed(f"The body could not be read: {in_one_line(error)}") from None
    for found in reader.finish():
        yield found


def _slices(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), limits.STREAM_SLICE_BYTES):
        yield chunk[start : start + limits.STREAM_SLICE_BYTES]


def _lines(part: bytes) -> int:
    return part.count(b"\n") + len(part) // limits.STREAM_LINE_BYTES
