"""A request's body on its way to the disk: no faster than that takes it, never much of it in memory."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError

from actors import limits
from actors.errors import Malformed, StorageFull, TooLarge, UnsupportedMedia, XpError
from server.files.uploads.staging import Hash, StagedFile, Staging
from server.files.watch import Allowed, Watch
from server.http.connections.carrier import let_flow
from server.http.connections.parse_errors import in_one_line


class LineLost(Exception):
    """The body broke off with its connection: nobody reads an answer."""


async def wait_with_body(request: web.Request) -> None:
    """Instead of aiohttp's handler for `Expect`: `go_on` answers it, once the request is known to be allowed."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed


async def go_on(request: web.Request) -> None:
    """Tell a client that waits for it to send its body."""
    if "Expect" in request.headers and request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


class Turns:
    """Each round of the event loop takes one piece of one upload, however many there are: what else waits for it,
    messages above all, waits for that piece and not for one of each. The others wait with the kernel."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def next(self) -> None:
        async with self._one:
            await asyncio.sleep(0)


class Body:
    """The body of one request. It ends with an `XpError` where its sender may no longer send, or hardly does."""

    def __init__(self, request: web.Request, allowed: Allowed, turns: Turns, *, draining: Callable[[], bool]) -> None:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMedia("Compressed bodies are not supported; send it without Content-Encoding.")
        self._request = request
        self._content = request.content
        self._turns = turns
        self._reason: XpError | None = None
        self._reading: asyncio.Timeout | None = None
        """While the next piece is waited for."""
        self._watch = Watch(allowed, lambda: self._content.total_bytes, self.end, draining=draining)

    def end(self, reason: XpError) -> None:
        self._reason = reason
        if self._reading is not None:
            self._reading.reschedule(0)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """As they come. Raises `LineLost`, `Malformed` or the reason for which it was ended."""
        let_flow(self._request)
        await go_on(self._request)
        async with self._watch.running():
            try:
                while piece := await self._next():
                    yield piece
            except (ConnectionError, web.RequestPayloadError, HttpProcessingError) as error:
                transport = self._request.transport
                if isinstance(error, ConnectionError) or transport is None or transport.is_closing():
                    raise LineLost from None
                raise Malformed(f"The body could not be read: {in_one_line(error)}") from None

    async def _next(self) -> bytes:
        await self._turns.next()
        self._must_go_on()
        try:
            async with asyncio.timeout(None) as self._reading:
                piece = await self._content.readany()
        except TimeoutError:
            piece = b""
        finally:
            self._reading = None
        self._must_go_on()
        return piece

    def _must_go_on(self) -> None:
        if self._reason is not None:
            raise self._reason


class Appender:
    """Writes to a staged file while the next pieces come in; at most two times TRANSFER_PIECE_BYTES are held.

    Each visit to another OS thread costs as much as hashing 100 KB. So pieces are gathered, for TRANSFER_GATHER_SECONDS
    at most: what a slow line brings is on the disk as soon as it would be noticed.
    """

    def __init__(
        self, staging: Staging, file: StagedFile, most: int, reached: Callable[[int], None] = lambda _: None
    ) -> None:
        """`reached` is called with the size after each piece."""
        self._staging = staging
        self._reached = reached
        self._file = file
        self._most = most
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._writing: asyncio.Future[None] | None = None
        self._soon: asyncio.TimerHandle | None = None
        self.size = file.size
        """With what is on its way to the disk."""

    async def add(self, piece: bytes) -> None:
        """Raises `TooLarge`, `StorageFull`, `OSError`."""
        self.size += len(piece)
        if self.size > self._most:
            raise TooLarge("This upload", self._most, None)
        self._gathered.append(piece)
        self._gathered_bytes += len(piece)
        if self._gathered_bytes >= limits.TRANSFER_PIECE_BYTES:
            await self._flush()
        elif self._soon is None:
            self._write_soon()
        self._reached(self.size)

    async def end(self) -> None:
        """Until all is written."""
        await self._flush()
        await self._written()

    async def save(self) -> None:
        """After a failure: what has come is kept as far as the disk takes it, and no write is on its way any more."""
        with contextlib.suppress(StorageFull, OSError):
            await self.end()

    async def _flush(self) -> None:
        """Until all but the newest piece is written; that is on its way."""
        await self._written()
        if self._gathered:
            self._write()

    async def _written(self) -> None:
        """Cancelled, it leaves the write for the next call to wait for."""
        while (writing := self._writing) is not None:
            await asyncio.wait([writing])
            if self._writing is writing:  # not followed by the next one meanwhile
                self._writing = None
            writing.result()

    def _write_soon(self) -> None:
        loop = asyncio.get_running_loop()
        self._soon = loop.call_later(limits.TRANSFER_GATHER_SECONDS, self._write_gathered)

    def _write_gathered(self) -> None:
        self._soon = None
        if self._writing is not None and not self._writing.done():
            self._write_soon()
        elif self._gathered and (self._writing is None or self._writing.exception() is None):
            self._write()

    def _write(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        pieces, self._gathered, self._gathered_bytes = self._gathered, [], 0
        self._writing = self._staging.append(self._file, pieces)


async def receive(pieces: AsyncIterator[bytes], appender: Appender, *checksums: Hash) -> None:
    """All of a body into a staged file; where it breaks off, what has come. Raises what `pieces` and `appender` do."""
    try:
        async for piece in pieces:
            for checksum in checksums:
                checksum.update(piece)
            await appender.add(piece)
        await appender.end()
    except BaseException:
        await appender.save()
        raise
