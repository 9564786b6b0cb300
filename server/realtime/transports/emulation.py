"""The protocol where WebSockets do not get through: replies and pushes in a response that does not end, further
commands by requests beside it.

`GET /connection/sse` (for `EventSource`) has the first commands in its query, `POST /connection/http_stream` in its
body; both go on as a session of their own. `POST /emulation` brings it more: the session's id, named in the answer to
connect, is all that such a request has to know, so nobody can guess it.
"""

import asyncio
import secrets
from dataclasses import dataclass

from aiohttp import web
from google.protobuf.message import DecodeError

from actors import limits
from actors.errors import Malformed, NotFound, TooLarge, UnsupportedMedia
from actors.runtime.loop_actor import Stage
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http.connections.carrier import carrier_of
from server.http.headers.peers import rate_limit_network
from server.http.middleware import HEADER, begin, correlation_id
from server.http.rest import JSON, parse_json, raw_body
from server.realtime.protobuf import client_pb2 as schema
from server.realtime.protobuf import codec as protobuf_codec
from server.realtime.protocol import codes as protocol
from server.realtime.protocol import json_codec
from server.realtime.protocol.codec import Codec
from server.realtime.protocol.codes import BadFrame
from server.realtime.session.session import Session
from server.realtime.sse.transport import in_pieces
from server.realtime.transports.emulated_transports import EmulatedTransport, EventSourceTransport, HttpStreamTransport

BINARY = "application/octet-stream"
SESSION_BYTES = 32
"""Of randomness in the id of a session: as much as in a token."""
IN_A_QUERY = frozenset({"connect", "subscribe"})
"""Commands that a GET may carry: following a link must not write."""


@dataclass(frozen=True, slots=True)
class Emulated:
    """What a request beside a stream says."""

    session_id: str
    node_id: str
    frame: str | bytes


class Emulation:
    """The handlers of `/connection/sse`, `/connection/http_stream` and `/emulation`."""

    def __init__(self, services: Services, stage: Stage, authentication: Authentication) -> None:
        self._services = services
        self._stage = stage
        self._authentication = authentication
        self._sessions: dict[str, Session] = {}

    async def sse(self, request: web.Request) -> web.StreamResponse:
        self._authentication.require_same_site(request)
        frame = request.query.get("cf_connect")
        if not frame:
            raise Malformed("`cf_connect` must contain the command `connect`, as JSON.")
        if not _may_stand_in_a_query(frame):
            raise Malformed("`cf_connect` may contain only the commands `connect` and `subscribe`.")
        return await self._serve(request, EventSourceTransport, json_codec, frame)

    async def http_stream(self, request: web.Request) -> web.StreamResponse:
        codec = _codec_of(request)
        raw = await raw_body(request, limits.FRAME_BYTES)
        if not raw:
            raise Malformed("The body must contain the command `connect`.")
        return await self._serve(request, HttpStreamTransport, codec, raw if codec.is_binary else _text(raw))

    async def _serve(
        self, request: web.Request, kind: type[EmulatedTransport], codec: Codec, frame: str | bytes
    ) -> web.StreamResponse:
        token = self._authentication.token_of(request)
        peer = self._authentication.peer(request).at_rest()
        seats, place = self._services.hub.addresses, rate_limit_network(peer.address)
        has_seat = seats.take(place)
        try:
            response = _response(request, kind, codec)
            try:
                writer = await begin(request, response)
            except ConnectionError:  # the client has disconnected meanwhile
                return web.Response()
            assert writer is not None
            ended, session_id = asyncio.Event(), secrets.token_urlsafe(SESSION_BYTES)
            session = Session(
                self._services, self._stage, kind(writer, ended, codec), peer, token, codec,
                carried_by=kind.carried_by, session_id=session_id, carrier=carrier_of(request),
            )  # fmt: skip
            await self._follow(session, session_id, frame, ended, has_seat=has_seat)
        finally:
            if has_seat:
                seats.free(place)
        return response

    async def _follow(
        self, session: Session, session_id: str, frame: str | bytes, ended: asyncio.Event, *, has_seat: bool
    ) -> None:
        self._sessions[session_id] = session
        try:
            if session.admit(has_seat=has_seat):
                session.receive(frame)
            await ended.wait()
        finally:
            del self._sessions[session_id]
            session.end()

    async def more(self, request: web.Request) -> web.Response:
        """Further commands of a session; its stream has the answers."""
        codec = _codec_of(request)
        said = _emulated(codec, await raw_body(request, limits.ENVELOPE_BYTES))
        session = self._sessions.get(said.session_id)
        if session is None or said.node_id != self._services.node_id:
            raise NotFound("resource", request.path)
        if session.codec is not codec:
            raise Malformed("The session uses the other form of the protocol (JSON or Protobuf).")
        await session.room()
        size = len(said.frame if isinstance(said.frame, bytes) else said.frame.encode())
        if size > limits.FRAME_BYTES:
            session.refuse_frame(said.frame, size)
            raise TooLarge("A frame", limits.FRAME_BYTES, size)
        if session.admit_frame(said.frame):
            session.receive(said.frame)
        return web.Response(status=204, headers={HEADER: correlation_id.get()})


def _codec_of(request: web.Request) -> Codec:
    """The form in which a body is written; so is what answers it."""
    said = request.content_type if request.headers.get("Content-Type") else "nothing"  # without a word it is not binary
    if said == BINARY:
        return protobuf_codec
    if said == JSON:
        return json_codec
    raise UnsupportedMedia(f"Expected {JSON} or, for Protobuf, {BINARY}, got {said}.")


def _response(request: web.Request, kind: type[EmulatedTransport], codec: Codec) -> web.StreamResponse:
    headers = {
        HEADER: correlation_id.get(), "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no",
        "Content-Type": kind.content_type(codec),
    }  # fmt: skip
    response = web.StreamResponse(headers=headers)
    in_pieces(request, response)
    return response


def _may_stand_in_a_query(frame: str) -> bool:
    try:
        return all(not command or protocol.verb_of(command) in IN_A_QUERY for command in json_codec.commands(frame))
    except BadFrame:
        return True  # the session finds words for it


def _emulated(codec: Codec, raw: bytes) -> Emulated:
    """Raises `Malformed`."""
    if codec is protobuf_codec:
        try:
            given = schema.EmulationRequest.FromString(raw)
        except DecodeError:
            raise Malformed("Expected an EmulationRequest in Protobuf.") from None
        return Emulated(given.session, given.node, given.data)
    match parse_json(raw):
        case {"session": str(session_id), "node": str(node_id), "data": str(frame)}:
            return Emulated(session_id, node_id, frame)
    raise Malformed("Expected a JSON object with the strings `session`, `node` and `data`.")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Malformed("The body must be UTF-8.") from None
