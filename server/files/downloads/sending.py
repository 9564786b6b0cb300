"""Bytes of a file on their way to a client: from the disk to the socket without passing through memory where they can.

uvloop has no `sendfile`. The socket's file descriptor is duplicated, so that the event loop can be asked when it takes
more, and the kernel copies in a thread: neither a slow disk nor a slow client delays other clients.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web

from actors import limits
from actors.blobs import BlobDamaged, BlobMissing, BlobStore
from actors.errors import XpError
from server.files.downloads.ranges import Slice
from server.files.uploads.staging import Staging
from server.files.watch import Allowed, Watch


class Ended(Exception):
    """The transfer was ended in the middle: its connection is cut, and nobody reads an answer."""


class Sender:
    """One answer whose headers have gone out: its content follows, as long as its reader may have it."""

    def __init__(
        self, request: web.Request, response: web.StreamResponse, blobs: BlobStore, threads: Staging,
        allowed: Allowed, *, draining: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._request = request
        self._response = response
        self._blobs = blobs
        self._threads = threads
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watch = Watch(allowed, lambda: self.sent, self._end, draining=draining)
        self.sent = 0

    def _end(self, reason: XpError) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
        if self._request.transport is not None:
            self._request.transport.abort()

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        async with self._watch.running():
            yield

    async def write(self, data: bytes) -> None:
        """Raises `Ended`, also where the client has gone."""
        self._must_go_on()
        if not data:
            return
        try:
            await self._response.write(data)
        except ConnectionError:
            raise Ended from None
        self.sent += len(data)

    async def must_be_there(self, digest: str, size: int) -> None:
        """Before anything is promised: raises `BlobMissing` or `BlobDamaged`, and what the store raises."""
        found = await self._blobs.size(digest)
        if found is None:
            raise BlobMissing("blob", digest)
        if found != size:
            raise BlobDamaged(digest, f"{found} bytes instead of {size}")

    async def send(self, digest: str, part: Slice) -> None:
        """Raises `Ended`, and what the store raises."""
        path = self._blobs.local_path(digest)
        if path is not None and hasattr(os, "sendfile"):
            await self._send_file(path, part)
            return
        async with contextlib.aclosing(self._blobs.open(digest, part.start, part.end)) as pieces:
            async for piece in pieces:
                await self.write(piece)

    async def _send_file(self, path: Path, part: Slice) -> None:
        source = await self._threads.run(os.open, path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            await self._until_written()
            socket = self._socket()
            try:
                await self._copy(socket, source, part)
            finally:
                os.close(socket)
        finally:
            os.close(source)

    async def _until_written(self) -> None:
        """Until the socket has all that was written before: what follows goes past the transport."""
        transport = self._request.transport
        self._must_go_on()
        assert transport is not None
        transport.set_write_buffer_limits(high=0)
        try:
            while transport.get_write_buffer_size():
                await asyncio.sleep(0)
                await self._request.writer.drain()
                self._must_go_on()
        except ConnectionError:
            raise Ended from None
        finally:
            transport.set_write_buffer_limits()

    def _socket(self) -> int:
        self._must_go_on()
        assert self._request.transport is not None
        return os.dup(self._request.transport.get_extra_info("socket").fileno())

    async def _copy(self, socket: int, source: int, part: Slice) -> None:
        at = part.start
        while at < part.end:
            try:
                count = await self._threads.run(_copy_some, socket, source, at, part.end - at)
            except OSError:
                raise Ended from None
            at += count
            self.sent += count
            if at < part.end:
                await self._until_writable(socket)

    async def _until_writable(self, socket: int) -> None:
        loop = asyncio.get_running_loop()
        writable: asyncio.Future[None] = loop.create_future()
        loop.add_writer(socket, lambda: None if writable.done() else writable.set_result(None))
        try:
            await asyncio.wait([writable, self._ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_writer(socket)
        self._must_go_on()

    def _must_go_on(self) -> None:
        transport = self._request.transport
        if self._ended.done() or transport is None or transport.is_closing():
            raise Ended


def _copy_some(socket: int, source: int, start: int, size: int) -> int:
    """As much as the socket takes, and no more than others can wait for."""
    done, most = 0, min(size, limits.TRANSFER_VISIT_BYTES)
    while done < most:
        try:
            count = os.sendfile(socket, source, start + done, most - done)
        except BlockingIOError:
            break
        if not count:
            raise OSError("the file is shorter than it should be")
        done += count
    return done
