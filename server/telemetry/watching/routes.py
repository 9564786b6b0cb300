"""`GET /admin/{users,threads,connections}/{id}/events`: for administrators, audited, for a while."""

import asyncio
from functools import partial
from typing import Final

from aiohttp import web

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound, ShuttingDown, ValidationFailed, XpError
from actors.identifiers import is_id
from actors.permissions import must_administer
from actors.resources.audit import NoteForAudit
from actors.resources.threads import GetThread
from actors.resources.users import GetUser
from actors.runtime.loop_actor import Stage
from server.api import pipeline
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http.headers.peers import rate_limit_network
from server.http.middleware import begin
from server.realtime.protocol import codes as protocol
from server.realtime.sse.handler import StreamEnd, stream_headers
from server.realtime.sse.stream import HEARTBEAT
from server.realtime.sse.transport import StreamTransport, in_pieces
from server.telemetry.watching.stream import WatchStream
from server.telemetry.watching.watches import Kind, Subject, Watch

_WATCH_USER, _WATCH_THREAD, _WATCH_CONNECTION = (
    Endpoint(f"watch_{kind}", scope="admin", rate="audited", access="admin", parameters=("seconds",))
    for kind in ("user", "thread", "connection")
)
ENDPOINTS: Final[tuple[tuple[Kind, str, Endpoint], ...]] = (
    ("user", "/api/v1/admin/users/{id}/events", _WATCH_USER),
    ("thread", "/api/v1/admin/threads/{id}/events", _WATCH_THREAD),
    ("connection", "/api/v1/admin/connections/{id}/events", _WATCH_CONNECTION),
)


def routes(services: Services, stage: Stage, authentication: Authentication) -> list[web.RouteDef]:
    watching = _Watching(services, stage, authentication)
    return [
        web.get(path, partial(watching.handle, kind, endpoint), allow_head=False) for kind, path, endpoint in ENDPOINTS
    ]


class _Watching:
    def __init__(self, services: Services, stage: Stage, authentication: Authentication) -> None:
        self._services = services
        self._stage = stage
        self._authentication = authentication

    async def handle(self, kind: Kind, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
        end = StreamEnd(request, endpoint, self._services, self._authentication, partial(self._serve, kind))
        return await pipeline.run(endpoint, self._services, end)

    async def _serve(self, kind: Kind, request: web.Request, call: Call) -> web.StreamResponse:
        must_administer(call.identity)
        subject, seconds = Subject(kind, request.match_info["id"]), _seconds(request)
        await self._must_exist(subject, call.identity)
        hub, identity, peer = self._services.hub, call.identity, call.peer.at_rest()
        if hub.draining:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        self._services.watches.must_have_room()
        await self._services.write(_note(call, subject))  # what cannot be written down is not done
        with hub.users.one(identity.user.key), hub.addresses.one(rate_limit_network(peer.address)):
            return await self._stream(request, call, subject, seconds)

    async def _must_exist(self, subject: Subject, identity: Identity) -> None:
        if not is_id(subject.id):
            raise NotFound(subject.kind, subject.id[:100])
        if subject.kind == "user":
            await self._services.ask(GetUser(subject.id))
        elif subject.kind == "thread":
            await self._services.ask(GetThread(identity, subject.id))
        elif not any(client.client_id == subject.id for client in self._services.hub.clients):
            raise NotFound("connection", subject.id)

    async def _stream(self, request: web.Request, call: Call, subject: Subject, seconds: int) -> web.StreamResponse:
        response = web.StreamResponse(headers=stream_headers())
        in_pieces(request, response)
        try:
            writer = await begin(request, response)
            assert writer is not None
            await response.write(HEARTBEAT)
        except ConnectionError:  # the client has disconnected meanwhile
            return web.Response()
        ended, services = asyncio.Event(), self._services
        transport = StreamTransport(writer, ended)
        stream = WatchStream(services, self._stage, call.identity, call.peer.at_rest(), transport, seconds)
        watch = Watch(subject, stream.tell)
        try:
            with services.watches.one(watch, stream.client_id, self._stage, services.hub):
                await self._authentication.must_still_be(request, call.identity)  # before the hub knew of this stream
                watch.tell("watching", {"kind": subject.kind, "id": subject.id, "seconds": seconds})
                await ended.wait()
        except XpError:  # the response has begun: that it ends is all there is to say
            transport.close(*protocol.EXPIRED)
        finally:
            stream.end()
        return response


def _seconds(request: web.Request) -> int:
    given = request.query.get("seconds", str(limits.WATCH_SECONDS))
    is_number = given.isascii() and given.isdecimal() and len(given) < 10
    if not (is_number and 0 < int(given) <= limits.WATCH_SECONDS_MOST):
        raise ValidationFailed({"seconds": [f"expected a number from 1 to {limits.WATCH_SECONDS_MOST}."]})
    return int(given)


def _note(call: Call, subject: Subject) -> NoteForAudit:
    return NoteForAudit(
        action=f"watch_{subject.kind}", origin=call.origin, actor_id=call.identity.user.id,
        credential=call.identity.credential, target_kind=subject.kind, target_id=subject.id,
    )  # fmt: skip
