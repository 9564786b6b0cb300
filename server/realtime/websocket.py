"""WebSockets: frames in by aiohttp, frames out straight to the socket.

What goes out is built here: a header of two to ten bytes and the chunks joined by newlines, one system call a turn.
aiohttp's own sender costs twice as much, for compression and masking that a server's frames do not have.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from actors import limits
from actors.runtime import Stage
from server.authentication import Authentication
from server.realtime import protocol
from server.realtime.session import Session
from server.services import Services

MAX_MESSAGE_BYTES = 4 * limits.FRAME_BYTES
"""Beyond a frame's limit but below this a client is told so in words; beyond it aiohttp closes with 1009."""
JOINED_BYTES = 256 * 1024
"""Chunks are joined into one frame up to this: the official SDKs take frames of up to 1 MiB."""
COPIED_BYTES = 8 * 1024
"""Below this one copy is cheaper than a vector of pieces."""
GOODBYE_SECONDS = 2.0
"""How long a peer has to answer a close frame before the socket is cut."""


class WebSocketTransport:
    """Implements `actors.ports.Transport`."""

    def __init__(self, socket: web.WebSocketResponse, writer: AbstractStreamWriter) -> None:
        self._socket = socket
        self._writer = writer
        assert writer.transport is not None
        self._transport = writer.transport
        self._transport.set_write_buffer_limits(high=limits.SOCKET_BUFFER_BYTES)
        self._tasks: set[asyncio.Task[None]] = set()

    def write(self, chunks: Sequence[bytes]) -> None:
        if self._transport.is_closing():
            return
        frame: list[bytes] = []
        size = 0
        for chunk in chunks:
            if frame and size + len(chunk) > JOINED_BYTES:
                self._write_frame(frame, size)
                frame, size = [], 0
            if frame:
                frame.append(b"\n")
                size += 1
            frame.append(chunk)
            size += len(chunk)
        self._write_frame(frame, size)

    def _write_frame(self, parts: list[bytes], size: int) -> None:
        parts.insert(0, _frame_header(size))
        if size < COPIED_BYTES:
            self._transport.write(b"".join(parts))
        else:
            self._transport.writelines(parts)  # large parts are shared by all subscribers: not copied for each

    def buffered(self) -> int:
        return int(self._transport.get_write_buffer_size())

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._spawn(self._drain(callback))

    async def _drain(self, callback: Callable[[], None]) -> None:
        try:
            await self._writer.drain()
        except ConnectionError:
            return
        callback()

    def close(self, code: int, reason: str) -> None:
        self._spawn(self._say_goodbye(code, reason))

    async def _say_goodbye(self, code: int, reason: str) -> None:
        """Ask the peer to close, after all that is on its way to it; cut the socket of one that does not read it."""
        asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._transport.abort)
        with contextlib.suppress(ConnectionError):
            await self._socket.close(code=code, message=reason.encode()[:120])

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _frame_header(size: int) -> bytes:
    """FIN, text, unmasked (RFC 6455, 5.2)."""
    if size < 126:
        return bytes((0x81, size))
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


class WebSockets:
    """The handler of `/connection/websocket`."""

    def __init__(self, services: Services, stage: Stage, authentication: Authentication) -> None:
        self._services = services
        self._stage = stage
        self._authentication = authentication

    async def handle(self, request: web.Request) -> web.StreamResponse:
        token = self._authentication.token_of(request)
        socket = web.WebSocketResponse(
            timeout=GOODBYE_SECONDS, compress=False, max_msg_size=MAX_MESSAGE_BYTES, protocols=("centrifuge-json",)
        )
        try:
            writer = await socket.prepare(request)
        except ConnectionError:  # the client has gone meanwhile: nobody reads an answer
            return web.Response()
        assert writer is not None
        peer = self._authentication.peer(request)
        session = Session(self._services, self._stage, WebSocketTransport(socket, writer), peer.at_rest(), token)
        if self._services.hub.draining:
            session.close(*protocol.SHUTDOWN)
        elif "centrifuge-protobuf" in request.headers.get("Sec-WebSocket-Protocol", ""):
            session.close(*protocol.INAPPROPRIATE_PROTOCOL)
        try:
            await self._read(socket, session)
        finally:
            session.end()
        return socket

    async def _read(self, socket: web.WebSocketResponse, session: Session) -> None:
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                size = _size(message.data)
                if size > limits.FRAME_BYTES:
                    session.refuse_frame(message.data, size)
                else:
                    session.receive(message.data)
                if not session.has_room:
                    await session.room()
            elif message.type is WSMsgType.BINARY:
                session.close(protocol.BAD_REQUEST[0], "bad request: send text frames; these are for JSON")
            else:
                return


def _size(text: str) -> int:
    """In bytes of UTF-8; most frames are ASCII, and Python knows that of a text without looking through it."""
    return len(text) if text.isascii() else len(text.encode())
