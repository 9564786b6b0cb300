"""What the ends of the pipeline share that are requests over HTTP."""

from collections.abc import Awaitable, Callable, Collection
from functools import partial

from aiohttp import web

from actors.auth.identity import Identity
from server.api.endpoints import Endpoint
from server.api.registry import Call
from server.api.services import Services
from server.auth.authentication import Authentication
from server.http.headers.query import must_know
from server.http.middleware import correlation_id
from server.limits import rate_limits
from server.limits.rate_classes import Limited
from server.limits.rate_limits import Policy, Subject, subject_of

Serve = Callable[[web.Request, Call], Awaitable[web.StreamResponse]]
"""The work of an endpoint."""


class RequestEnd:
    __slots__ = ("authentication", "request")

    def __init__(self, request: web.Request, authentication: Authentication) -> None:
        self.request = request
        self.authentication = authentication

    def subject(self, target: Limited, who: Identity | None) -> Subject:
        return subject_of(target, who, self._address)

    def _address(self) -> str:
        return self.authentication.peer(self.request).address

    def draw(self, policy: Policy, subject: Subject) -> None:
        """The answer says how many are left."""
        rate_limits.draw(policy, self.request, subject)

    @property
    def trace(self) -> str:
        return correlation_id.get()

    @property
    def ids(self) -> Collection[str]:
        return self.request.match_info.values()


class EndpointEnd(RequestEnd):
    """A request to an endpoint. Its head is read here; a body is read by the work."""

    __slots__ = ("_serve", "endpoint", "services")

    def __init__(
        self, request: web.Request, endpoint: Endpoint, services: Services, authentication: Authentication, serve: Serve
    ) -> None:
        super().__init__(request, authentication)
        self._serve = serve
        self.endpoint = endpoint
        self.services = services

    def identify(self) -> Awaitable[Identity | None]:
        return self.authentication.of(self.request)

    async def read(self, who: Identity | None) -> Call:
        if self.endpoint.known is not None:
            must_know(self.request, self.endpoint.known)
        return Call(self.services, who, partial(self.authentication.peer, self.request), operation=self.endpoint.name)

    def work(self, call: Call) -> Awaitable[web.StreamResponse]:
        return self._serve(self.request, call)
