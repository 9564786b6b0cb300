"""One client's connection: aiohttp's protocol, with an eye on what a client sends and takes, and how long that takes.

What never reaches the middleware (what is not HTTP, headers that are too long or too slow) gets a problem, too.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

from aiohttp import HttpVersion10, HttpVersion11, web

from actors import limits
from actors.errors import Internal, Malformed, XpError
from server.http.aiohttp_internals import EMPTY_PAYLOAD, RequestProtocol, UnreadableRequest, refused_request
from server.http.connections.bounds import Bounds
from server.http.connections.incoming_body import IncomingBody
from server.http.connections.parse_errors import in_one_line
from server.http.connections.refusing import TooMuchUnfinished, refuse
from server.http.connections.request_timeouts import Queue, RequestTimeouts, TimeLimits
from server.http.headers import security_headers
from server.http.headers.peers import Proxies
from server.http.middleware import ADD_HEADERS, correlate, problem_response
from server.limits.sockets import SocketLimits
from server.realtime.protocol.frame_gate import FrameGate


class Connection(RequestProtocol):
    __slots__ = (
        "_address", "_body", "_bounds", "_frame_gate", "_head_bytes", "_is_dispensable", "_problem_base", "_queue",
        "_timeouts", "_unsent", "_wire", "user_key",
    )  # fmt: skip

    def __init__(
        self,
        server: web.Server,
        *,
        problem_base: str,
        timeouts: "RequestTimeouts[Connection]",
        bounds: "Bounds[Connection]",
        **options: Any,
    ) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._bounds = bounds
        self._address: str | None = None
        """The network of its client; None where that is a proxy, which speaks for many."""
        self.user_key: int | None = None
        """The user whose requests it carries, once one of them was authenticated."""
        self._problem_base = problem_base
        self._timeouts = timeouts
        self._queue: Queue[Connection] | None = None
        """In which it waits for its client to send."""
        self._is_dispensable = False
        """Whether it may be closed for another connection though it is not idle."""
        self._head_bytes = 0
        """Of a request whose headers are not complete."""
        self._body = IncomingBody()
        self._unsent = 0
        """Bytes that its client had not taken at the last look."""
        self._frame_gate: FrameGate | None = None
        """Of a WebSocket: in front of the parser of its frames."""
        self._wire: asyncio.Transport | None = None
        """`transport`, also after aiohttp has released it: until all is sent, or the peer stops reading."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._address = self._bounds.address_of(transport)
        if not self._bounds.sockets.enter(self, self._address):
            refuse(transport, self._problem_base)
            return
        super().connection_made(transport)
        self._wire = self.transport
        self._wait_in(self._timeouts.first)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._wire = self._frame_gate = None
        super().connection_lost(exc)
        self._timeouts.forget(self)
        self._bounds.forget(self)

    # Handing over to another process

    def release_socket(self) -> socket.socket | None:
        """Its socket, between two requests; this process forgets the connection, and what its client sends waits in
        the socket. None in the middle of a request."""
        wire = self._wire
        if wire is None or self.is_gone or wire.get_write_buffer_size() or not self._is_between_requests():
            return None
        if not self.end_parsing():  # a client that pipelines; HTTP lets it send again
            self.force_close()
            return None
        descriptor = os.dup(wire.get_extra_info("socket").fileno())
        wire.abort()
        found = socket.socket(fileno=descriptor)
        found.setblocking(False)
        return found

    @property
    def is_gone(self) -> bool:
        return self._wire is None or self._wire.is_closing()

    def _is_between_requests(self) -> bool:
        is_quiet = self.awaits_request and not self._head_bytes and not self._body
        return is_quiet and not (self.is_upgraded or self.is_closing or self.is_force_closed)

    # What it holds of the server's memory

    @property
    def _owner(self) -> int | str | None:
        return self._address if self.user_key is None else self.user_key

    @property
    def idle_since(self) -> float | None:
        if self._is_dispensable:
            return 0.0
        if self.is_handling or self.pending or self.is_upgraded or self._body:
            return None
        return self.keepalive_ends_at

    def close_idle(self) -> None:
        self.force_close()

    def cut(self) -> None:
        """At once, also where something is to be sent."""
        if self._wire is not None:
            self._wire.abort()

    def drop_body(self) -> None:
        """Too much is held of bodies that have not ended."""
        self._wait_in(None)
        self._body.fail(TooMuchUnfinished())
        self.close()

    # Requests

    def data_received(self, data: bytes) -> None:
        while self._head_bytes + len(data) > limits.HEAD_BYTES and self._may_be_headers():
            room = limits.HEAD_BYTES - self._head_bytes  # no more than that is ever read as headers
            self._take(data[:room])
            data = data[room:]
        self._take(data)

    def _may_be_headers(self) -> bool:
        return not self._body and not self.is_upgraded and not self.is_closing

    def _take(self, data: bytes) -> None:
        before = self.requests_parsed
        super().data_received(data)
        if begun := self.requests_parsed - before:
            self._has_begun(begun)
        elif self._body:
            if self._body.payload.is_eof():
                self._body.clear()
                self._bounds.unfinished.free(self)
                self._wait_in(None)
            elif self._body.is_enough:
                self.stop_reading()
            elif self._queue is self._timeouts.bodies:
                self._bounds.unfinished.hold(self, self._owner, self._body.received)
        elif data and not (self.is_upgraded or self.is_queue_full or self.is_closing or self.is_force_closed):
            self._is_in_its_headers(len(data))

    def _has_begun(self, requests: int = 1) -> None:
        """So many requests have their headers; the last one's body may still come."""
        self._head_bytes = 0
        for index in range(-requests, 0):
            message = self.pending[index][0]
            if isinstance(message, UnreadableRequest):
                self._break_body(message)
                continue
            if message.version is not HttpVersion11 and message.version is not HttpVersion10:
                self._replace(index, "HTTP/1.1 and HTTP/1.0 are spoken here")
            elif message.chunked and message.headers["Transfer-Encoding"].strip().lower() != "chunked":
                self._replace(index, "Transfer-Encoding may be `chunked`, nothing else")
        body = self.pending[-1][1]
        if body.is_eof():
            self._body.clear()
            if self._queue is not None:
                self._wait_in(None)
        else:
            self._body.begin(body, self.loop_time())
            self._wait_in(self._timeouts.bodies)
            self._bounds.unfinished.hold(self, self._owner, body.total_bytes)

    def _replace(self, index: int, sentence: str) -> None:
        self.pending[index] = (refused_request(sentence), EMPTY_PAYLOAD)

    def _break_body(self, error: UnreadableRequest) -> None:
        """Bytes after an incomplete body are not HTTP: a reader of that body would wait for its end."""
        payload = self._body.payload
        if self._body and not payload.is_eof() and payload.exception() is None:
            payload.set_exception(web.RequestPayloadError(in_one_line(error.exc)))

    def _is_in_its_headers(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes >= limits.HEAD_BYTES:
            self._refuse(f"the headers may be at most {limits.HEAD_BYTES} bytes")
        elif self._queue is not self._timeouts.heads:
            self._wait_in(self._timeouts.heads)

    def _wait_in(self, queue: "Queue[Connection] | None") -> None:
        if self._queue is not None:
            self._queue.leave(self)
        self._queue = queue
        if queue is not None:
            queue.enter(self)

    def _refuse(self, sentence: str) -> None:
        """Answer what cannot become a request, as if it had been one, and read no further."""
        self._wait_in(None)
        self.add_unreadable(sentence)
        self.close()

    def guard_frames(self, gate: FrameGate) -> None:
        """Before an upgrade: what comes after it goes through this gate."""
        self._frame_gate = gate

    def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
        guarded: Any = parser if self._frame_gate is None else self._frame_gate.in_front_of(parser)
        super().set_parser(guarded, data_received_cb)

    def let_flow(self, body: object) -> None:
        """A body that is read as it arrives, like a streamed message, has the limits of its reader."""
        if body is self._body.payload:
            self._bounds.unfinished.free(self)
            self._wait_in(None)

    # Answers

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_answer()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._wire is not None and not self._wire.is_closing():
            self._timeouts.answers.leave(self)
            self._bounds.unsent.free(self)

    def force_close(self) -> None:
        if self.transport is not None:  # what is still to be sent keeps a closed connection alive
            self._watch_answer()
        super().force_close()

    def _watch_answer(self) -> None:
        if self._wire is not None:
            self._unsent = self._wire.get_write_buffer_size()
            self._timeouts.answers.enter(self)
            if self._unsent:
                self._bounds.unsent.hold(self, self._owner, self._unsent)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPExpectationFailed):  # aiohttp answers it before any middleware
            resp = self._problem(Malformed("Expect may be `100-continue`, nothing else."), request)
            if isinstance(request, web.Request):
                request.app[ADD_HEADERS](request, resp)
        if self.is_closing:
            resp.force_close()
        if resp.status >= 400 and self.user_key is None:
            await self._wait_for_its_turn()
        finished = await super().finish_response(request, resp, start_time)
        self._look_behind_an_upgrade()
        if self._body and self._body.payload is request.content:
            self._body.needs_no_more()
        if self.writing_paused:  # the next request waits, or a client that takes nothing could have answers pile up
            try:
                await request.writer.drain()
            except ConnectionError:
                return resp, True
        if not resp.keep_alive and self.transport is not None:
            self._watch_answer()
        return finished

    async def _wait_for_its_turn(self) -> None:
        """With a refusal: one of too many from its address. Meanwhile it gives way to others."""
        if waits := self._bounds.refusals.refused(self._address):
            self._is_dispensable = True
            await asyncio.sleep(waits)
            self._is_dispensable = False

    def _look_behind_an_upgrade(self) -> None:
        """What followed one that was declined has been read only with its answer."""
        body = self.pending[-1][1] if self.pending else EMPTY_PAYLOAD
        if body is not self._body.payload and not body.is_eof():
            self._has_begun()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        super().handle_error(request, status, exc, message)  # logs it; raises where an answer has begun already
        malformed = exc is not None and status < 500
        answer = self._problem(
            Malformed(f"This cannot be read as HTTP: {in_one_line(exc)}") if malformed else Internal(), request
        )
        answer.force_close()
        return answer

    def _problem(self, error: XpError, request: web.BaseRequest) -> web.StreamResponse:
        answer = problem_response(error, self._problem_base, correlate(request))
        security_headers.protect(answer)
        return answer

    # Timeouts

    def nothing_came(self) -> None:
        self.force_close()

    def head_is_late(self) -> None:
        self._queue = None
        self._refuse(f"the headers must come within {self._timeouts.times.head:g} s")

    def body_step_is_over(self) -> None:
        now, times = self.loop_time(), self._timeouts.times
        if self.is_reading_paused:
            self._body.excuse(times.body_step)
        elif not self._body.keeps_up(now, times):
            self._queue = None
            late = f"it did not come in time: {self._body.received} bytes in {self._body.took(now):.0f} s"
            self._body.fail(web.RequestPayloadError(late))
            self._bounds.unfinished.free(self)
            self.close()
            return
        self._timeouts.bodies.enter(self)

    def answer_step_is_over(self) -> None:
        """A client that takes next to nothing of its answer gets no more of it."""
        if self._wire is None:
            return
        unsent = self._wire.get_write_buffer_size()
        if unsent and self._unsent - unsent >= limits.ANSWER_STEP_BYTES:
            self._unsent = unsent
            self._timeouts.answers.enter(self)
            self._bounds.unsent.hold(self, self._owner, unsent)
        else:
            self._wire.abort()


def request_timeouts(times: TimeLimits) -> RequestTimeouts[Connection]:
    return RequestTimeouts(
        times, not_begun=Connection.nothing_came, head_late=Connection.head_is_late,
        body_step=Connection.body_step_is_over, answer_step=Connection.answer_step_is_over,
    )  # fmt: skip


def bounds(most: SocketLimits, proxies: Proxies, *, is_limited: bool) -> Bounds[Connection]:
    return Bounds(most, proxies, end_untaken=Connection.cut, end_unfinished=Connection.drop_body, is_limited=is_limited)
