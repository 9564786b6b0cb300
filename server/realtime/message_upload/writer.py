"""One message that is written in one request: a client of the hub, so that its access ends as that of all others."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import orjson
from aiohttp import web

from actors import limits
from actors.auth.identity import Identity
from actors.errors import (
    Conflict,
    Internal,
    Invalid,
    Malformed,
    ShuttingDown,
    TokenExpired,
    Unauthenticated,
    ValidationFailed,
    XpError,
)
from actors.identifiers import new_id
from actors.resources.message_streams import AppendToMessage, AwaitEnd, EndMessage, FinishMessage, MayOpen
from actors.resources.messages import GetMessage, Message
from actors.resources.users import User
from actors.runtime.loop_actor import LoopFuture, Ref
from actors.text.normal import is_blank
from actors.threads.message_stream import whole
from server.api import operations, render
from server.api.registry import Call
from server.api.services import Services
from server.http import problems
from server.http.headers.peers import Peer
from server.http.middleware import HEADER, begin, correlation_id
from server.realtime.message_upload.body import ConnectionLost, Wait, pieces
from server.realtime.message_upload.model_formats import CUT_OFF, Outcome
from server.realtime.message_upload.pieces import NDJSON, End, Open, Piece, PieceReader, Text
from server.realtime.protocol import codes as protocol
from server.resources.messages.operations import post

logger = logging.getLogger("server.realtime")

OPENED_BY = frozenset({"id", "parent_id", "type", "metadata", "blocks", "content"})


class Answer:
    transport = "messages_stream"
    channels: Sequence[str] = ()
    """It only writes."""

    def __init__(self, services: Services, call: Call, peer: Peer, thread_id: str) -> None:
        self.client_id = new_id()
        self.peer = peer
        self._services = services
        self._call = call
        self._thread_id = thread_id
        self._cut: asyncio.Future[XpError] = asyncio.get_running_loop().create_future()
        """Why it may not go on, once the hub has said so."""
        self._opened: dict[str, Any] = {}
        self._is_begun = False
        """The first piece went out with the message."""
        self._has_said = False
        """Something that can be seen: without it no message is complete."""
        self._response = web.StreamResponse(
            status=201, headers={"Content-Type": NDJSON, HEADER: correlation_id.get(), "Cache-Control": "no-store"}
        )

    @property
    def _thread(self) -> Ref:
        """Asked for each time: while nothing is written yet, the actor of a thread may retire."""
        return self._services.directory.thread(self._thread_id)

    # For the hub

    @property
    def identity(self) -> Identity:
        return self._call.identity

    def ping(self) -> float | None:
        """Its author says by pieces that it is still there."""
        return limits.STREAM_SILENT_SECONDS

    def renew(self, user: User) -> None:
        self._call.who = self.identity.of_user(user)

    def close(self, code: int, reason: str) -> None:
        if not self._cut.done():
            self._cut.set_result(_why(code))

    @contextlib.contextmanager
    def listed(self) -> Iterator[None]:
        """Meanwhile it is one of the connections, for as long as its token is good."""
        hub = self._services.hub
        seconds = max(0.0, min(self.identity.expires_at - self._services.clock(), limits.TIMER_SECONDS))
        expiry = asyncio.get_running_loop().call_later(seconds, self.close, *protocol.EXPIRED)
        hub.join(self)
        try:
            yield
        finally:
            expiry.cancel()
            hub.leave(self)

    # The request

    async def must_be_allowed(self) -> None:
        """Raises what opening the message would raise, before anything of the body is read."""
        await self._thread.ask(MayOpen(self.identity))

    async def serve(self, request: web.Request, wait: Wait | None) -> web.StreamResponse:
        """What is refused before the message is opened is a problem; later the answer itself tells."""
        reader = PieceReader(request.content_type)
        source = pieces(request, reader, wait)
        first = await self._first(source)
        message_id = await self._open_for_sure(request, first)
        try:
            answer = await self._follow(request, source, first, message_id)
        except (asyncio.CancelledError, ConnectionLost) as lost:
            self._lose(message_id, reader.outcome)
            if isinstance(lost, asyncio.CancelledError):
                raise
            return self._response
        await self._tell(answer)
        if not request.content.is_eof():
            self._response.force_close()
        return self._response

    async def _first(self, source: AsyncIterator[Piece]) -> Piece | None:
        reading = asyncio.ensure_future(anext(source, None))
        either: set[asyncio.Future[Any]] = {reading, self._cut}
        try:
            await asyncio.wait(either, timeout=limits.STREAM_FIRST_PIECE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if self._cut.done():
                raise self._cut.result()
            if not reading.done():
                raise Malformed(f"The first piece must arrive within {limits.STREAM_FIRST_PIECE_SECONDS:g} s.")
            return reading.result()
        finally:
            if not reading.done():
                reading.cancel()
            elif not reading.cancelled():
                reading.exception()  # known, also where this request was cut in the same moment

    async def _open_for_sure(self, request: web.Request, first: Piece | None) -> str:
        """A client that goes away meanwhile leaves no message behind that is never finished."""
        opening = asyncio.ensure_future(self._open(request, first))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._lose_opened)
            raise

    def _lose_opened(self, opening: "asyncio.Future[str]") -> None:
        if not (opening.cancelled() or opening.exception()):
            self._lose(opening.result(), None)

    async def _open(self, request: web.Request, first: Piece | None) -> str:
        fields: dict[str, Any] = dict(request.query)
        if isinstance(first, Open):
            fields |= first.fields
        unknown = fields.keys() - OPENED_BY
        if unknown:
            raise ValidationFailed({name: ["This field is not known here."] for name in unknown})
        parameters = {**fields, "thread_id": self._thread_id, "status": "STREAMING"}
        is_small = isinstance(first, Text) and len(first.text) <= limits.STREAM_PIECE_CHARS and "content" not in fields
        piece = first.text if isinstance(first, Text) and is_small else ""
        result = await self._run("create_message", parameters, partial(post, piece=piece))
        self._opened = result.data
        self._is_begun = bool(piece)
        self._has_said = _is_seen(piece) or _is_seen(self._opened["content"]) or bool(self._opened["blocks"])
        return str(result.data["id"])

    async def _follow(
        self, request: web.Request, source: AsyncIterator[Piece], first: Piece | None, message_id: str
    ) -> dict[str, Any]:
        """Answers what the client is sent about the end."""
        await asyncio.sleep(0)  # deltas reach viewers before the reply reaches the author, who does not read them
        ended = self._thread.ask(AwaitEnd(message_id))
        stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ended.when_done(lambda _: None if stopped.done() else stopped.set_result(None))
        try:
            await begin(request, self._response)
        except ConnectionError:
            raise ConnectionLost from None
        await self._tell({"opened": self._opened})
        is_written = isinstance(first, Open) or self._is_begun
        writing = asyncio.ensure_future(self._write(source, message_id, None if is_written else first))
        try:
            any_of: set[asyncio.Future[Any]] = {writing, stopped, self._cut}
            await asyncio.wait(any_of, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                return await self._as_ended(ended, message_id)
            if self._cut.done():
                raise self._cut.result()
            return await self._finish(writing.result(), ended, message_id)
        except ConnectionLost:
            raise
        except Exception as error:  # noqa: BLE001 - it ends the message, and is answered
            return await self._give_up(error, ended, message_id)
        finally:
            writing.cancel()

    # Pieces

    async def _write(self, source: AsyncIterator[Piece], message_id: str, first: Piece | None) -> End:
        """Answers how its author ends it. `first` was not written yet."""
        if first is not None and (end := await self._take(first, message_id)):
            return end
        async for piece in source:
            if end := await self._take(piece, message_id):
                return end
        return End("COMPLETE")

    async def _take(self, piece: Piece, message_id: str) -> End | None:
        match piece:
            case Text(text):
                command = AppendToMessage(
                    identity=self.identity, thread_id=self._thread_id, message_id=message_id, text=text
                )
                await self._thread.ask(command)
                self._has_said = self._has_said or _is_seen(text)
                return None
            case End():
                return piece
        raise Malformed("`open` must be the first piece, and only once.")

    async def _run(self, name: str, parameters: dict[str, Any], handler: Any = None) -> Any:
        operation = operations.BY_NAME[name]
        operation.must_allow(self.identity)
        return await (handler or operation.handler)(self._call, operation.parse(parameters, typed=True))

    # The end

    async def _finish(self, end: End, ended: LoopFuture[Any], message_id: str) -> dict[str, Any]:
        if not self._has_said and not end.fields and (end.status == "COMPLETE" or end.reason == CUT_OFF.reason):
            end = End("FAILED", reason=end.reason or "nothing_said")  # a message that is complete says something
        if end.status == "COMPLETE" or not end.reason:
            name = "complete_message" if end.status == "COMPLETE" else "fail_message"
            return {"message": (await self._run(name, {**end.fields, "id": message_id})).data}
        self._thread.tell(EndMessage(message_id, end.status, end.reason))
        return await self._as_ended(ended, message_id)

    async def _give_up(self, error: Exception, ended: LoopFuture[Any], message_id: str) -> dict[str, Any]:
        if isinstance(error, Conflict) and error.code == "not_streaming":
            return await self._as_ended(ended, message_id)
        if not isinstance(error, XpError):
            logger.error("a streamed message failed", exc_info=error)
            error = Internal()
        status: Literal["FAILED", "INTERRUPTED"] = "INTERRUPTED"
        if isinstance(error, Invalid | Internal):
            status = "FAILED"
        self._thread.tell(EndMessage(message_id, status, error.code))
        problem = problems.problem(error, base=self._services.problem_base, correlation_id=correlation_id.get())
        if isinstance(error, Unauthenticated):
            await self._until(ended)
            return {"error": problem}
        return {"error": problem, **await self._as_ended(ended, message_id)}

    async def _as_ended(self, ended: LoopFuture[Any], message_id: str) -> dict[str, Any]:
        """As the journal has it; nothing where its author may not see it any more."""
        found = await self._until(ended)
        with contextlib.suppress(XpError):
            if isinstance(found, Message):
                message = found
            else:  # it ended before anything awaited it
                message = await self._services.ask(GetMessage(self.identity, message_id))
            return {"message": render.message(message)}
        return {"message": None}

    async def _until(self, ended: LoopFuture[Any]) -> object:
        with contextlib.suppress(XpError, TimeoutError):
            async with asyncio.timeout(limits.STREAM_END_SECONDS):
                return await ended
        return None

    def _lose(self, message_id: str, outcome: Outcome | None) -> None:
        """The connection is gone. An answer whose model had ended before is what the model said."""
        if outcome is not None and outcome.status == "COMPLETE" and self._has_said:
            command = FinishMessage(
                identity=self.identity, thread_id=self._thread_id, message_id=message_id, status="COMPLETE"
            )
            self._services.directory.ask(command)
            return
        if outcome is None or outcome.status == "COMPLETE":
            outcome = Outcome("INTERRUPTED", "connection_lost")
        self._thread.tell(EndMessage(message_id, outcome.status, outcome.reason))  # type: ignore[arg-type]

    async def _tell(self, answer: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):
            await self._response.write(orjson.dumps(answer) + b"\n")


def _is_seen(text: str) -> bool:
    return not is_blank(whole(text))


def _why(code: int) -> XpError:
    """The close code of the hub as the error of a request."""
    if code == protocol.SHUTDOWN[0]:
        return ShuttingDown("The server is shutting down; the message ends with what there is of it.")
    if code == protocol.EXPIRED[0]:
        return TokenExpired("The token expired, or what it stands for has changed: sign in again.")
    return Unauthenticated("The access by which this message was written has ended.")
