"""What the ends of the pipeline share that are requests over HTTP."""

from aiohttp import web

from server.auth.authentication import Authentication
from server.http.middleware import correlation_id
from server.limits import rate_limits
from server.limits.rate_limits import Policy, Subject


class RequestEnd:
    __slots__ = ("authentication", "request")

    def __init__(self, request: web.Request, authentication: Authentication) -> None:
        self.request = request
        self.authentication = authentication

    def address(self) -> str:
        return self.authentication.peer(self.request).address

    def draw(self, policy: Policy, subject: Subject) -> None:
        """The answer says how many are left."""
        rate_limits.draw(policy, self.request, subject)

    @property
    def trace(self) -> str:
        return correlation_id.get()
