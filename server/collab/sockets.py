"""WebSockets of documents: what `y-websocket` speaks, one frame a message.

`new WebsocketProvider("wss://…/api/v1/artifacts/<id>", "edit", doc, {params: {token}})` connects to
`/api/v1/artifacts/<id>/edit?token=…`.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

import pykka
from aiohttp import WSMsgType, web

from actors import limits
from actors.auth.identity import Identity
from actors.documents.actor import Handle, Received
from actors.errors import Malformed, NotFound, ShuttingDown, Unauthenticated, XpError
from actors.identifiers import is_id, new_id
from actors.resources.documents import GetEdited
from actors.resources.users import User
from actors.runtime.reference import Ref
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.api.services import Services
from server.auth.authentication import Authentication, must_have_same_rights
from server.collab.rooms import replica_class
from server.http.headers.peers import Peer, rate_limit_network
from server.http.middleware import begin
from server.http.request_end import EndpointEnd
from server.realtime.protobuf import codec as binary
from server.realtime.protocol import codes as protocol
from server.realtime.protocol.intake import Intake
from server.realtime.transports.websocket import WebSocketTransport

EDIT_ARTIFACT: Final = Endpoint("edit_artifact", parameters=("token",))
_FOR_GOOD = {protocol.INVALID_TOKEN[0]: 4401, protocol.PERMISSION_DENIED[0]: 4403, protocol.CONNECTION_LIMIT[0]: 4429}


class _Editor:
    """One connection, for the hub and for the actor of its document."""

    transport = "websocket"

    def __init__(
        self, services: Services, identity: Identity, peer: Peer, transport: WebSocketTransport, artifact_id: str
    ) -> None:
        self._services = services
        self.client_id = new_id()
        self.identity = identity
        self.peer = peer
        self.channels: Sequence[str] = (f"artifact:{artifact_id}",)
        self.is_writer = identity.has_scope("write")
        self.may_write = False
        self._transport = transport
        self._is_alive = True
        self._may_send = asyncio.Event()
        self._may_send.set()
        seconds = max(0.0, min(identity.expires_at - services.clock(), limits.TIMER_SECONDS))
        self._expiry = services.stage.loop.call_later(seconds, self.close, *protocol.EXPIRED)
        services.hub.join(self)
        if services.hub.draining:  # since the request was let in
            self.close(*protocol.SHUTDOWN)

    def send(self, frame: bytes) -> None:
        if self._transport.said_goodbye:
            return
        self._transport.write([frame])
        if self._transport.buffered() > limits.EDITOR_BUFFER_BYTES:
            self._transport.close_slow()

    def close(self, code: int, reason: str) -> None:
        """By the codes of `y-websocket`, whose clients come back unless it is one of 4400 to 4499."""
        self._transport.close(_FOR_GOOD.get(code, 4400) if code >= protocol.INVALID_TOKEN[0] else code, reason)

    def has_room(self, waiting: int) -> None:
        if waiting > limits.EDITS_WAITING_BYTES:
            self._may_send.clear()
        else:
            self._may_send.set()

    async def room(self) -> None:
        """Until what it has sent is on disk, but for a little."""
        await self._may_send.wait()

    def heard(self) -> None:
        self._is_alive = True

    def ping(self) -> float | None:
        if self._transport.said_goodbye:
            return None
        if not self._is_alive:
            self.close(*protocol.NO_PONG)
            return None
        self._is_alive = False
        self._transport.ping()
        return self._services.hub.ping_seconds

    def renew(self, user: User) -> None:
        """What is shown of an editor comes from their client."""

    def end(self) -> None:
        self._expiry.cancel()
        self._services.hub.leave(self)
        self._transport.end()


async def identity_of(request: web.Request, authentication: Authentication) -> Identity:
    """`y-websocket` sends its token with the query."""
    token = request.query.get("token")
    return await (authentication.of(request) if token is None else authentication.of_token(request, token))


class _EditorEnd(EndpointEnd):
    async def identify(self) -> Identity | None:
        return await identity_of(self.request, self.authentication)


class EditorSockets:
    """The handler of `/api/v1/artifacts/{id}/edit`."""

    def __init__(self, services: Services, authentication: Authentication) -> None:
        self._services = services
        self._authentication = authentication

    async def handle(self, request: web.Request) -> web.StreamResponse:
        end = _EditorEnd(request, EDIT_ARTIFACT, self._services, self._authentication, self._edit)
        return await pipeline.run(EDIT_ARTIFACT, self._services, end)

    async def _edit(self, request: web.Request, call: Call) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            timeout=limits.WEBSOCKET_GOODBYE_SECONDS, autoclose=False, autoping=False, compress=False,
            max_msg_size=limits.EDITOR_MESSAGE_BYTES,
        )  # fmt: skip
        if not socket.can_prepare(request):
            raise Malformed("Expected a WebSocket: `Upgrade: websocket` and what belongs to it.")
        artifact_id, identity = request.match_info["artifact_id"], call.identity
        if not is_id(artifact_id):
            raise NotFound("artifact", artifact_id)
        replica_class()
        await self._services.ask(GetEdited(identity, artifact_id))  # what is refused is an answer, and no socket
        hub, peer = self._services.hub, call.peer.at_rest()
        if hub.draining:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        with hub.users.one(identity.user.key), hub.addresses.one(rate_limit_network(peer.address)):
            try:
                return await self._serve(request, socket, identity, peer, artifact_id)
            except ConnectionError:  # the client has disconnected meanwhile
                return web.Response()

    async def _serve(
        self, request: web.Request, socket: web.WebSocketResponse, identity: Identity, peer: Peer, artifact_id: str
    ) -> web.StreamResponse:
        writer = await begin(request, socket)
        assert writer is not None
        transport = WebSocketTransport(writer, binary)
        editor = _Editor(self._services, identity, peer, transport, artifact_id)
        room = None
        try:
            room = await self._services.rooms.enter(artifact_id, editor)
            now = await identity_of(request, self._authentication)  # changes before the hub knew of this editor
            must_have_same_rights(identity, now)
            await self._read(socket, editor, room.actor)
            if not transport.said_goodbye:
                await socket.close()
        except Unauthenticated as error:
            editor.close(protocol.INVALID_TOKEN[0], error.detail)
        except XpError as error:
            code = protocol.BAD_REQUEST if not error.retryable else protocol.SHUTDOWN
            editor.close(code[0], error.detail)
        finally:
            if room is not None:
                room.leave(editor)
            editor.end()
        return socket

    async def _read(self, socket: web.WebSocketResponse, editor: _Editor, actor: Ref) -> None:
        intake = Intake()
        intake.welcome(limited=self._services.rate_limits)
        while True:
            for _ in range(limits.FRAMES_IN_A_TURN):
                message = await socket.receive()
                editor.heard()
                if not intake.take(1, len(message.data) if isinstance(message.data, bytes) else 0):
                    editor.close(*protocol.TOO_MANY_REQUESTS)
                    return
                if message.type is WSMsgType.BINARY:
                    actor.tell(Received(editor, message.data))
                    await editor.room()
                elif message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    editor.close(protocol.BAD_REQUEST[0], "bad request: the Yjs protocols are binary")
                elif message.type is not WSMsgType.PONG:
                    return
            with contextlib.suppress(pykka.ActorDeadError):
                await actor.ask(Handle())  # as long as frames wait, `receive` does not
