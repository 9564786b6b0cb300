"""WebSockets: frames in by aiohttp, frames out straight to the socket.

What goes out is built here: a header of two to ten bytes and the chunks joined, one system call a turn.
aiohttp's own sender costs twice as much, for compression and masking that a server's frames do not have.
"""

import asyncio
import struct
import sys
from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractStreamWriter

from actors import limits
from actors.errors import Malformed
from actors.runtime.loop_actor import Stage
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http.aiohttp_internals import NegotiatedWebSocket
from server.http.connections.carrier import carrier_of
from server.http.connections.connection import Connection
from server.http.headers.peers import rate_limit_network
from server.http.middleware import begin
from server.realtime.protobuf import codec as protobuf_codec
from server.realtime.protocol import codes as protocol
from server.realtime.protocol import json_codec
from server.realtime.protocol.codec import Codec
from server.realtime.protocol.frame_gate import FrameGate
from server.realtime.protocol.intake import Intake
from server.realtime.session.session import Session

JSON_FORM = "centrifuge-json"
PROTOBUF_FORM = "centrifuge-protobuf"
WRITELINES_PAUSES = not ((3, 12) <= sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2))
"""Whether asyncio's `writelines` says that its buffer is full. Where it does not (CVE-2024-12254), a slow reader would
look as if it had taken everything, and what waits for it would grow without a limit."""
TEXT, BINARY = 0x81, 0x82
"""First byte of a frame: FIN and what it holds (RFC 6455, 5.2)."""
_PING = bytes((0x89, 0))
"""A whole frame (RFC 6455, 5.5.2)."""


class WebSocketTransport:
    """Implements `actors.ports.Transport`."""

    def __init__(self, writer: AbstractStreamWriter, codec: Codec) -> None:
        self._writer = writer
        self._separator = codec.separator
        self._first_byte = BINARY if codec.is_binary else TEXT
        assert writer.transport is not None
        self._transport = writer.transport
        self._transport.set_write_buffer_limits(high=limits.SOCKET_BUFFER_BYTES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._cut: asyncio.TimerHandle | None = None
        self.said_goodbye = False

    def write(self, chunks: Sequence[bytes]) -> None:
        if self._transport.is_closing():
            return
        separator = self._separator
        frame: list[bytes] = []
        size = 0
        for chunk in chunks:
            if frame and size + len(chunk) > limits.JOINED_BYTES:
                self._write_frame(frame, size)
                frame, size = [], 0
            if frame and separator:
                frame.append(separator)
                size += len(separator)
            frame.append(chunk)
            size += len(chunk)
        self._write_frame(frame, size)

    def _write_frame(self, parts: list[bytes], size: int) -> None:
        parts.insert(0, _frame_header(self._first_byte, size))
        if size < limits.COPIED_BYTES or not WRITELINES_PAUSES:
            self._transport.write(b"".join(parts))
        else:
            self._transport.writelines(parts)  # large parts are shared by all subscribers: not copied for each

    def buffered(self) -> int:
        return int(self._transport.get_write_buffer_size())

    def when_drained(self, callback: Callable[[], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._drain(callback))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, callback: Callable[[], None]) -> None:
        try:
            await self._writer.drain()
        except ConnectionError:
            return
        callback()

    def ping(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_PING)

    def close(self, code: int, reason: str) -> None:
        """Ask the peer to close, after all that is on its way to it; cut the socket of one that does not answer.

        aiohttp's own `close`, called from elsewhere than the task that reads, does not wait for that answer: the socket
        is reset under the peer, and some clients then take the code for 1006.
        """
        self._cut_in(limits.WEBSOCKET_GOODBYE_SECONDS)
        if not self._transport.is_closing() and not self.said_goodbye:
            self._transport.write(_close_frame(code, reason))
        self.said_goodbye = True

    def close_slow(self) -> None:
        self.close(*protocol.SLOW)

    def cut_soon(self) -> None:
        self._cut_in(limits.FLOODED_SECONDS)

    def _cut_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._cut is None or at < self._cut.when():
            if self._cut is not None:
                self._cut.cancel()
            self._cut = loop.call_at(at, self._transport.abort)

    def end(self) -> None:
        """Nobody reads the socket any more: no timer keeps what belonged to it, where all has been sent."""
        if self._cut is not None and not self.buffered():
            self._cut.cancel()
            self._cut = None


_MEDIUM = struct.Struct("!BBH").pack
_LARGE = struct.Struct("!BBQ").pack


def _frame_header(first_byte: int, size: int) -> bytes:
    """Unmasked (RFC 6455, 5.2)."""
    if size < 126:
        return bytes((first_byte, size))
    if size < 1 << 16:
        return _MEDIUM(first_byte, 126, size)
    return _LARGE(first_byte, 127, size)


def _close_frame(code: int, reason: str) -> bytes:
    """FIN, close, unmasked; a control frame carries at most 125 bytes (RFC 6455, 5.5)."""
    payload = code.to_bytes(2, "big") + reason.encode()[:120].decode(errors="ignore").encode()
    return bytes((0x88, len(payload))) + payload


_NO_UPGRADE = (
    "Expected a WebSocket: `Upgrade: websocket`, `Connection: Upgrade`, `Sec-WebSocket-Version: 13` and a "
    "`Sec-WebSocket-Key`. A proxy in between has to pass them on; see docs/proxies.md."
)


class WebSockets:
    """The handler of `/connection/websocket`."""

    def __init__(self, services: Services, stage: Stage, authentication: Authentication) -> None:
        self._services = services
        self._stage = stage
        self._authentication = authentication

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = _new_socket()
        if not socket.can_prepare(request):
            raise Malformed(_NO_UPGRADE)
        token = self._authentication.token_of(request)
        peer = self._authentication.peer(request).at_rest()
        seats, place = self._services.hub.addresses, rate_limit_network(peer.address)
        has_seat = seats.take(place)
        session, transport, intake = None, None, Intake()
        gate = FrameGate(intake)
        if isinstance(request.protocol, Connection):
            request.protocol.guard_frames(gate)
        try:
            writer = await begin(request, socket)
            assert writer is not None
            socket.headers.clear()  # they are sent: a KiB less for as long as it is open
            codec = codec_of(request, socket)
            transport = WebSocketTransport(writer, codec)
            session = Session(
                self._services, self._stage, transport, peer, token, codec, intake=intake, carrier=carrier_of(request)
            )  # fmt: skip
            session.admit(has_seat=has_seat)
            gate.when_shut(partial(_shut_out, session, transport, request.protocol))
            await self._read(socket, session)
            if not transport.said_goodbye:
                await socket.close()
        except ConnectionError:  # the client has disconnected meanwhile
            return web.Response()
        finally:
            if session is not None:
                session.end()
            if transport is not None:
                transport.end()
            if has_seat:
                seats.free(place)
        return socket

    async def _read(self, socket: web.WebSocketResponse, session: Session) -> None:
        wanted = WSMsgType.BINARY if session.codec.is_binary else WSMsgType.TEXT
        while True:
            for _ in range(limits.FRAMES_IN_A_TURN):
                message = await socket.receive()
                if message.type is wanted:
                    _take(message.data, session)
                    if not session.has_room:
                        await session.room()
                elif message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    session.close(protocol.BAD_REQUEST[0], "bad request: text is for JSON, binary for Protobuf")
                elif message.type is not WSMsgType.PONG:
                    return
            await asyncio.sleep(0)  # as long as frames wait, `receive` does not


def _take(frame: str | bytes, session: Session) -> None:
    size = _size(frame)
    if size > limits.FRAME_BYTES:
        session.refuse_frame(frame, size)
    else:
        session.receive(frame)


def _shut_out(session: Session, transport: WebSocketTransport, connection: web.RequestHandler) -> None:
    """Too much has arrived: the client gets an error and a moment to read it; the server reads no more from it."""
    session.refuse_more()
    transport.cut_soon()
    if isinstance(connection, Connection):
        connection.stop_reading()


def subprotocol(lines: Sequence[str]) -> str | None:
    """The first of ours that a client names (RFC 6455, 4.2.2); None where it names none, and is answered with none."""
    offered = (name.strip() for line in lines for name in line.split(","))
    return next((name for name in offered if name in (JSON_FORM, PROTOBUF_FORM)), None)


def _new_socket() -> web.WebSocketResponse:
    return NegotiatedWebSocket(
        subprotocol,
        timeout=limits.WEBSOCKET_GOODBYE_SECONDS,
        autoclose=False,
        autoping=False,
        compress=False,
        max_msg_size=limits.WEBSOCKET_MESSAGE_BYTES,
    )


def codec_of(request: web.Request, socket: web.WebSocketResponse) -> Codec:
    """The form that was agreed on, or that the address asks for where a client cannot name subprotocols."""
    query = request.query
    asked = query.get("format") == "protobuf" or query.get("cf_protocol") == "protobuf"
    return protobuf_codec if asked or socket.ws_protocol == PROTOBUF_FORM else json_codec


def _size(data: str | bytes) -> int:
    """In bytes of UTF-8; most frames are ASCII, and Python knows that of a text without looking through it."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
