"""A message written in one request: the body is its text, piece by piece, as a model yields it.

`POST /threads/{id}/messages:stream` reads newline-delimited JSON, or the server-sent events of a model's own API, and
answers newline-delimited JSON: the message as it was opened, and as it ended. Whatever ends the request ends the
message: the end of its body, a Stop, a connection that is lost, a line that cannot be read, the end of the author's
access, the server's shutdown.
"""

from functools import partial

from aiohttp import web

from actors.auth.identity import Identity
from actors.errors import NotFound, ShuttingDown, UnsupportedMedia
from actors.identifiers import is_id
from actors.runtime.loop_actor import Stage
from server.api import operations, pipeline
from server.api.registry import Call
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http.connections.carrier import let_flow
from server.http.headers.peers import rate_limit_network
from server.http.request_end import RequestEnd
from server.realtime.message_upload.body import ConnectionLost, Pace
from server.realtime.message_upload.pieces import EVENTS, NDJSON
from server.realtime.message_upload.writer import Answer


class Answers:
    """The handler of `/threads/{id}/messages:stream`. What may be refused is refused before the body is read."""

    def __init__(self, services: Services, stage: Stage, authentication: Authentication) -> None:
        self._services = services
        self._authentication = authentication
        self._pace = Pace(stage.loop.time) if services.limiter is not None else None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        end = _StreamEnd(request, self._services, self._authentication, self._pace)
        return await pipeline.run(operations.BY_NAME["create_message"], self._services, end)


class _StreamEnd(RequestEnd):
    def __init__(
        self, request: web.Request, services: Services, authentication: Authentication, pace: Pace | None
    ) -> None:
        super().__init__(request, authentication)
        self._services = services
        self._pace = pace

    async def identify(self) -> Identity:
        return await self.authentication.of(self.request)

    async def read(self, who: Identity | None) -> Call:
        """The head; the body is read while the message is written."""
        request = self.request
        if not is_id(request.match_info["thread_id"]):
            raise NotFound("resource", request.path[:200])
        if request.content_type not in (NDJSON, EVENTS):
            raise UnsupportedMedia(f"Expected {NDJSON} or {EVENTS}, got {request.content_type}.")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMedia("Compressed bodies are not supported; send it without Content-Encoding.")
        let_flow(request)  # the message itself ends where nothing comes for a while
        return Call(self._services, who, partial(self.authentication.peer, request))

    async def work(self, call: Call) -> web.StreamResponse:
        request, hub, user_key = self.request, self._services.hub, call.identity.user.key
        peer = call.peer.at_rest()
        if hub.draining:
            raise ShuttingDown("The server is shutting down; retry in a moment.")
        answer = Answer(self._services, call, peer, request.match_info["thread_id"])
        with hub.users.one(user_key), hub.addresses.one(rate_limit_network(peer.address)), answer.listed():
            await answer.must_be_allowed()
            await self.authentication.must_still_be(request, call.identity)  # before the hub knew of this request
            try:
                return await answer.serve(request, self._pace.of(user_key) if self._pace is not None else None)
            except ConnectionLost:  # the client has disconnected before there was a message
                return web.Response()
            finally:
                if self._pace is not None:
                    self._pace.forget(user_key)
