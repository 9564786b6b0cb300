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
        "_body", "_body_began", "_body_enough", "_body_seen", "_bounds", "_frame_gate", "_gives_way", "_head_bytes",
        "_patience", "_place", "_problem_base", "_queue", "_unsent", "_wire", "user_key",
    )  # fmt: skip

    def __init__(
        self,
        server: web.Server,
        *,
        problem_base: str,
        patience: "RequestTimeouts[Connection]",
        bounds: "Bounds[Connection]",
        **options: Any,
    ) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._bounds = bounds
        self._place: str | None = None
        """Where its other end is; None where that is a proxy, which speaks for many."""
        self.user_key: int | None = None
        """Whose requests come by it, as far as they have said."""
        self._problem_base = problem_base
        self._patience = patience
        self._queue: Queue[Connection] | None = None
        """In which it stands with what it has to send."""
        self._gives_way = False
        """Whether it may be closed for another one though it is not idle."""
        self._head_bytes = 0
        """Of a request whose headers are not complete."""
        self._body = EMPTY_PAYLOAD
        """Of the newest request, while it comes in."""
        self._body_began = 0.0
        self._body_seen = 0
        self._body_enough = _NO_END
        """How much of it is read: once the request is answered no more than its sender needs to see that."""
        self._unsent = 0
        """What its client had not taken when that was looked at last."""
        self._frame_gate: FrameGate | None = None
        """Of a WebSocket: in front of what parses its frames."""
        self._wire: asyncio.Transport | None = None
        """`transport`, also after aiohttp has released it: until all is sent, or the peer stops reading."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._place = self._bounds.place_of(transport)
        if not self._bounds.sockets.enter(self, self._place):
            refuse(transport, self._problem_base)
            return
        super().connection_made(transport)
        self._wire = self.transport
        self._wait_in(self._patience.first)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._wire = self._frame_gate = None
        super().connection_lost(exc)
        self._patience.forget(self)
        self._bounds.forget(self)

    # What goes to another process

    def let_go(self) -> socket.socket | None:
        """Its socket, where it is between two requests: this process knows nothing of it any more. What its client
        sends waits in the socket. None where it is in the middle of something."""
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
        is_quiet = self.awaits_request and not self._head_bytes and self._body is EMPTY_PAYLOAD
        return is_quiet and not (self.is_upgraded or self.is_closing or self.is_force_closed)

    # What is held for it

    @property
    def _owner(self) -> int | str | None:
        return self._place if self.user_key is None else self.user_key

    @property
    def idle_since(self) -> float | None:
        if self._gives_way:
            return 0.0
        if self.is_handling or self.pending or self.is_upgraded or self._body is not EMPTY_PAYLOAD:
            return None
        return self.keepalive_ends_at

    def close_idle(self) -> None:
        self.force_close()

    def end_untaken(self) -> None:
        """Its user has asked for more than they take."""
        if self._wire is not None:
            self._wire.abort()

    def end_unfinished(self) -> None:
        self._wait_in(None)
        self._body.set_exception(TooMuchUnfinished())
        self._body = EMPTY_PAYLOAD
        self.close()

    # What comes in

    def data_received(self, data: bytes) -> None:
        while self._head_bytes + len(data) > limits.HEAD_BYTES and self._may_be_headers():
            room = limits.HEAD_BYTES - self._head_bytes  # no more than that is ever read as headers
            self._take(data[:room])
            data = data[room:]
        self._take(data)

    def _may_be_headers(self) -> bool:
        return self._body is EMPTY_PAYLOAD and not self.is_upgraded and not self.is_closing

    def _take(self, data: bytes) -> None:
        requests = self.requests_parsed
        super().data_received(data)
        if self.requests_parsed != requests:
            self._has_begun(self.requests_parsed - requests)
        elif self._body is not EMPTY_PAYLOAD:
            if self._body.is_eof():
                self._body = EMPTY_PAYLOAD
                self._bounds.unfinished.free(self)
                self._wait_in(None)
            elif self._body.total_bytes >= self._body_enough:
                self.stop_reading()
            elif self._queue is self._patience.bodies:
                self._bounds.unfinished.hold(self, self._owner, self._body.total_bytes)
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
                self.pending[index] = (
                    refused_request("Transfer-Encoding may be `chunked`, nothing else"),
                    EMPTY_PAYLOAD,
                )
        body = self.pending[-1][1]
        if body.is_eof():
            self._body = EMPTY_PAYLOAD
            if self._queue is not None:
                self._wait_in(None)
        else:
            self._body, self._body_seen, self._body_began = body, 0, self.loop_time()
            self._body_enough = _NO_END
            self._wait_in(self._patience.bodies)
            self._bounds.unfinished.hold(self, self._owner, body.total_bytes)

    def _replace(self, index: int, sentence: str) -> None:
        self.pending[index] = (refused_request(sentence), EMPTY_PAYLOAD)

    def _break_body(self, error: UnreadableRequest) -> None:
        """Bytes after an incomplete body are not HTTP: a reader of that body would wait for its end."""
        if self._body is not EMPTY_PAYLOAD and not self._body.is_eof() and self._body.exception() is None:
            self._body.set_exception(web.RequestPayloadError(in_one_line(error.exc)))

    def _is_in_its_headers(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes >= limits.HEAD_BYTES:
            self._refuse(f"the headers may be at most {limits.HEAD_BYTES} bytes")
        elif self._queue is not self._patience.heads:
            self._wait_in(self._patience.heads)

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
        if body is self._body:
            self._bounds.unfinished.free(self)
            self._wait_in(None)

    # What goes out

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_answer()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._wire is not None and not self._wire.is_closing():
            self._patience.answers.leave(self)
            self._bounds.unsent.free(self)

    def force_close(self) -> None:
        if self.transport is not None:  # what is still to be sent keeps a closed connection alive
            self._watch_answer()
        super().force_close()

    def _watch_answer(self) -> None:
        if self._wire is not None:
            self._unsent = self._wire.get_write_buffer_size()
            self._patience.answers.enter(self)
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
        if self._body is not EMPTY_PAYLOAD and self._body is request.content:
            self._body_enough = self._body.total_bytes + limits.LINGERING_BYTES
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
        if waits := self._bounds.refusals.refused(self._place):
            self._gives_way = True
            await asyncio.sleep(waits)
            self._gives_way = False

    def _look_behind_an_upgrade(self) -> None:
        """What followed one that was declined has been read only with its answer."""
        body = self.pending[-1][1] if self.pending else EMPTY_PAYLOAD
        if body is not self._body and not body.is_eof():
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

    # When patience is over

    def begin_or_go(self) -> None:
        self.force_close()

    def head_is_late(self) -> None:
        self._queue = None
        self._refuse(f"the headers must come within {self._patience.times.head:g} s")

    def body_step_is_over(self) -> None:
        """Something must have come since the last look, and all of it in its time."""
        came, self._body_seen = self._body.total_bytes - self._body_seen, self._body.total_bytes
        if self.is_reading_paused:  # it is us who are slow
            self._body_began += self._patience.times.body_step
        elif came < limits.BODY_STEP_BYTES or self.loop_time() >= self._body_ends():
            self._queue = None
            late = f"it did not come in time: {self._body.total_bytes} bytes in {self._body_took():.0f} s"
            self._body.set_exception(web.RequestPayloadError(late))
            self._body = EMPTY_PAYLOAD
            self._bounds.unfinished.free(self)
            self.close()
            return
        self._patience.bodies.enter(self)

    def _body_took(self) -> float:
        return self.loop_time() - self._body_began

    def _body_ends(self) -> float:
        """The largest JSON body has its time; what is larger goes on for as long as it keeps up that pace."""
        beyond = max(0, self._body.total_bytes - limits.BODY_BYTES)
        return self._body_began + self._patience.times.body * (1 + beyond / limits.BODY_BYTES)

    def answer_step_is_over(self) -> None:
        """A client that takes next to nothing of its answer gets no more of it."""
        if self._wire is None:
            return
        unsent = self._wire.get_write_buffer_size()
        if unsent and self._unsent - unsent >= limits.ANSWER_STEP_BYTES:
            self._unsent = unsent
            self._patience.answers.enter(self)
            self._bounds.unsent.hold(self, self._owner, unsent)
        else:
            self._wire.abort()


_NO_END = 1 << 62


def patience(times: TimeLimits) -> RequestTimeouts[Connection]:
    return RequestTimeouts(
        times, not_begun=Connection.begin_or_go, head_late=Connection.head_is_late,
        body_step=Connection.body_step_is_over, answer_step=Connection.answer_step_is_over,
    )  # fmt: skip


def bounds(most: SocketLimits, proxies: Proxies, *, is_limited: bool) -> Bounds[Connection]:
    return Bounds(
        most, proxies, end_untaken=Connection.end_untaken, end_unfinished=Connection.end_unfinished,
        is_limited=is_limited,
    )  # fmt: skip
