"""A message written in one request: the body is its text, piece by piece, as a model yields it.

`POST /threads/{id}/messages:stream` reads newline-delimited JSON, or the server-sent events of a model's own API, and
answers newline-delimited JSON: the message as it was opened, and as it ended. Who stops the message ends the request.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import orjson
from aiohttp import web

from actors import limits
from actors.errors import Malformed, NotFound, TooLarge, UnsupportedMedia, ValidationFailed, XpError
from actors.identifiers import is_id
from actors.records import Identity, Message
from actors.runtime import LoopFuture
from actors.stream_commands import AppendToMessage, AwaitEnd
from actors.text import is_blank
from server import operations, problems, render
from server.authentication import Authentication
from server.connection import let_flow
from server.middleware import HEADER, begin, correlation_id
from server.operations.messages import post
from server.rate_limits import draw, owner
from server.registry import Call
from server.services import Services

GATHER_SECONDS = limits.STREAM_DELTA_SECONDS / 2
"""Between two looks at a body: what came meanwhile is appended together. A hundred answers at 150 tokens a second took
a whole core without it, for viewers who are told every 40 ms."""
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"
OPENED_BY = frozenset({"id", "parent_id", "type", "metadata", "blocks", "content"})


@dataclass(frozen=True, slots=True)
class Open:
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class End:
    operation: Literal["complete_message", "fail_message"]
    fields: dict[str, Any]


Piece = Open | Text | End
_CHARS_OF_A_PIECE = limits.CONTENT_BYTES // 4
"""In UTF-8 they fit into a message for sure."""
_DONE = End("complete_message", {})
_NOTHING_SAID = End("fail_message", {})
"""A model that says nothing has failed: a message that is complete says something."""


def piece_of_line(line: bytes) -> Piece | None:
    """One line of newline-delimited JSON: `{"open": {…}}` first, where wanted; `{"text": "…"}`; `{"complete": {…}}` or
    `{"fail": {…}}`. Raises `Malformed`."""
    if not line.strip():
        return None
    match _json(line):
        case {"text": str(text)}:
            return Text(text)
        case {"open": dict(fields)}:
            return Open(fields)
        case {"complete": dict(fields)}:
            return End("complete_message", fields)
        case {"fail": dict(fields)}:
            return End("fail_message", fields)
    raise Malformed('Expected lines such as {"text": "…"}, {"open": {…}}, {"complete": {…}} or {"fail": {…}}.')


def piece_of_event(line: bytes) -> Piece | None:
    """One line of an event stream: what the APIs of models send, or `data: {"text": "…"}`. What holds no text is
    passed over. Raises `Malformed`."""
    if not line.startswith(b"data:"):
        return None
    data = line[5:].strip()
    if data == b"[DONE]":
        return _DONE
    match _json(data) if data else None:
        case {"text": str(text)}:
            return Text(text)
        case {"choices": [{"delta": {"content": str(text)}}, *_]}:  # chat completions
            return Text(text)
        case {"type": "response.output_text.delta", "delta": str(text)}:  # responses
            return Text(text)
        case {"type": "content_block_delta", "delta": {"text": str(text)}}:  # messages
            return Text(text)
        case {"type": "message_stop" | "response.completed"}:
            return _DONE
        case {"type": "error" | "response.failed"} | {"error": {}}:
            return End("fail_message", {})
    return None


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"Expected JSON in each line: {error.msg} at character {error.pos}.") from None


async def pieces(request: web.Request) -> AsyncIterator[Piece]:
    """Neighbouring texts of one chunk come as one."""
    read = piece_of_line if request.content_type == NDJSON else piece_of_event
    rest = b""
    async for chunk in request.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > limits.BODY_BYTES:
            raise TooLarge("A line", limits.BODY_BYTES, len(rest))
        for piece in _joined(filter(None, map(read, lines))):
            yield piece
        if not request.content.is_eof():
            await asyncio.sleep(GATHER_SECONDS)
    if (last := read(rest)) is not None:
        yield last


def _joined(found: Iterator[Piece]) -> Iterator[Piece]:
    """What came before something that is not understood counts."""
    texts: list[str] = []
    wrong: XpError | None = None
    while True:
        try:
            piece = next(found, None)
        except XpError as error:
            piece, wrong = None, error
        if isinstance(piece, Text):
            texts.append(piece.text)
            continue
        if texts:
            yield Text("".join(texts))
            texts = []
        if wrong is not None:
            raise wrong
        if piece is None:
            return
        yield piece


class Answers:
    """The handler of `/threads/{id}/messages:stream`."""

    def __init__(self, services: Services, authentication: Authentication) -> None:
        self._services = services
        self._authentication = authentication

    async def handle(self, request: web.Request) -> web.StreamResponse:
        identity = await self._authentication.of(request)
        thread_id = request.match_info["thread_id"]
        if not is_id(thread_id):
            raise NotFound("resource", request.path[:200])
        if request.content_type not in (NDJSON, EVENTS):
            raise UnsupportedMedia(f"Send {NDJSON} or {EVENTS}; {request.content_type} came.")
        if self._services.limiter is not None:
            draw(self._services.limiter.policy("write"), request, owner(identity))
        let_flow(request)  # the message itself ends where nothing comes for a while
        call = Call(self._services, identity, partial(self._authentication.peer, request))
        return await _Answer(self._services, call, identity, thread_id).serve(request)


class _Answer:
    def __init__(self, services: Services, call: Call, identity: Identity, thread_id: str) -> None:
        self._services = services
        self._call = call
        self._identity = identity
        self._thread_id = thread_id
        self._opened: dict[str, Any] = {}
        self._said = False
        self._is_blank = True
        """Nothing that can be seen was said yet."""
        self._response = web.StreamResponse(
            status=201, headers={"Content-Type": NDJSON, HEADER: correlation_id.get(), "Cache-Control": "no-store"}
        )

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """What is refused before the message is opened is a problem; later the answer itself tells."""
        source = pieces(request)
        first = await anext(source, None)
        message_id = await self._open(request, first)
        await asyncio.sleep(0)  # viewers are told before the author is: they read along, it only goes on writing
        ended: LoopFuture[Any] = self._services.directory.thread(self._thread_id).ask(  # type: ignore[assignment]
            AwaitEnd(message_id), block=False
        )
        await begin(request, self._response)
        rest = None if self._said or isinstance(first, Open) else first
        writing = asyncio.ensure_future(self._write(source, message_id, rest))
        stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ended.when_done(lambda _: None if stopped.done() else stopped.set_result(None))
        either: set[asyncio.Future[Any]] = {writing, stopped}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await self._tell(writing.result() if writing.done() else _as_ended(ended.result()))
        except XpError as error:
            await self._tell_problem(error)
        finally:
            writing.cancel()
        if not request.content.is_eof():
            self._response.force_close()
        return self._response

    async def _open(self, request: web.Request, first: Piece | None) -> str:
        fields: dict[str, Any] = dict(request.query)
        if isinstance(first, Open):
            fields |= first.fields
        unknown = fields.keys() - OPENED_BY
        if unknown:
            raise ValidationFailed({name: ["This field is not known here."] for name in unknown})
        parameters = {**fields, "thread_id": self._thread_id, "status": "STREAMING"}
        is_small = isinstance(first, Text) and len(first.text) <= _CHARS_OF_A_PIECE and "content" not in fields
        piece = first.text if isinstance(first, Text) and is_small else ""
        result = await self._run("create_message", parameters, partial(post, piece=piece))
        self._opened, self._said, self._is_blank = result.data, bool(piece), is_blank(piece)
        return str(result.data["id"])

    async def _run(self, name: str, parameters: dict[str, Any], handler: Any = None) -> Any:
        operation = operations.BY_NAME[name]
        operation.must_allow(self._identity)
        return await (handler or operation.handler)(self._call, operation.parse(parameters, typed=True))

    async def _write(self, source: AsyncIterator[Piece], message_id: str, first: Piece | None) -> dict[str, Any]:
        """Answers the message as it ended. A body that simply ends completes it. `first` was not written yet."""
        await self._tell({"opened": self._opened})
        if first is not None:
            end = await self._take(first, message_id)
            if end is not None:
                return end
        async for piece in source:
            end = await self._take(piece, message_id)
            if end is not None:
                return end
        return await self._finish(_DONE, message_id)

    async def _take(self, piece: Piece, message_id: str) -> dict[str, Any] | None:
        match piece:
            case Text(text):
                command = AppendToMessage(
                    identity=self._identity, thread_id=self._thread_id, message_id=message_id, text=text
                )
                await self._services.directory.ask(command)
                self._said = self._said or bool(text)
                self._is_blank = self._is_blank and is_blank(text)
                return None
            case End():
                return await self._finish(piece, message_id)
            case Open():
                raise Malformed("`open` comes first, and once.")

    async def _finish(self, end: End, message_id: str) -> dict[str, Any]:
        if end == _DONE and self._is_blank:
            end = _NOTHING_SAID
        result = await self._run(end.operation, {**end.fields, "id": message_id})
        return {"message": result.data}

    async def _tell(self, told: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):
            await self._response.write(orjson.dumps(told) + b"\n")

    async def _tell_problem(self, error: XpError) -> None:
        problem = problems.problem(error, base=self._services.problem_base, correlation_id=correlation_id.get())
        await self._tell({"error": problem})


def _as_ended(message: Message | None) -> dict[str, Any]:
    """By somebody else."""
    return {"message": render.message(message) if isinstance(message, Message) else None}
