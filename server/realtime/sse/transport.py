"""An HTTP response that does not end, as a transport."""

import asyncio
from collections.abc import Callable, Sequence

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from actors import limits
from server.http.aiohttp_internals import writes_chunks


def in_pieces(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """A response that does not end: in chunks, or to HTTP/1.0 (nginx speaks that to us by default) until it closes."""
    if request.version >= HttpVersion11:
        response.enable_chunked_encoding()
    response.force_close()  # the headers announce that the connection closes after this response


class StreamTransport:
    """Implements `actors.ports.Transport`."""

    def __init__(self, writer: AbstractStreamWriter, ended: asyncio.Event) -> None:
        self._writer = writer
        self._ended = ended
        self._is_chunked = writes_chunks(writer)
        assert writer.transport is not None
        self._transport = writer.transport
        self._transport.set_write_buffer_limits(high=limits.SOCKET_BUFFER_BYTES)
        self._task: asyncio.Task[None] | None = None

    def write(self, chunks: Sequence[bytes]) -> None:
        if self._transport.is_closing():
            self._ended.set()
            return
        body = b"".join(chunks)
        self._transport.write(b"%x\r\n%b\r\n" % (len(body), body) if self._is_chunked else body)

    def buffered(self) -> int:
        return int(self._transport.get_write_buffer_size())

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._drain(callback))

    async def _drain(self, callback: Callable[[], None]) -> None:
        try:
            await self._writer.drain()
        except ConnectionError:
            self._ended.set()
        else:
            callback()

    def close(self, code: int, reason: str) -> None:
        """An orderly end waits for the peer, but not forever."""
        asyncio.get_running_loop().call_later(limits.SSE_GOODBYE_SECONDS, self._transport.abort)
        self._ended.set()

    def close_slow(self) -> None:
        self._transport.abort()
        self._ended.set()
