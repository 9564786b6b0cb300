"""The way of every request: of operations over REST, by RPC over a WebSocket, or with a body that is streamed; and of
endpoints, which move bytes of files, stream events, carry edits of documents or show pages.

identity → limits → reading → rights → activity → the work; a refusal is kept for the administrator who is asked for
its reason. What is raised on the way goes to the end at which the request came, which says it in its own form: a
problem, or an error reply.
"""

from collections.abc import Awaitable, Collection, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from actors.auth.identity import Identity
from actors.errors import Forbidden, NotFound
from server.api.registry import Call
from server.api.services import Services
from server.limits.rate_classes import Limited
from server.limits.rate_limits import Policy, Subject
from server.telemetry.watching.watches import Seen

T_co = TypeVar("T_co", covariant=True)


class Target(Limited, Protocol):
    """What is asked for: an `Operation`, or an `Endpoint`."""

    def must_allow(self, identity: Identity) -> None:
        """Raises `Forbidden` where the credential (not the user) may not."""
        ...


class End(Protocol[T_co]):
    """One request, at the end where it came. Each coroutine within another costs every request, so an end answers what
    there is to wait for, rather than wait for it itself."""

    def identify(self) -> Awaitable[Identity | None]:
        """The identity of the caller; None only where the operation is open to all. Raises `Unauthenticated`."""
        ...

    def subject(self, target: Target, who: Identity | None) -> Subject:
        """Whose rate it draws from."""
        ...

    def draw(self, policy: Policy, subject: Subject) -> None:
        """Take one of the rate. Raises `TooManyRequests`."""
        ...

    def read(self, who: Identity | None) -> Awaitable[Call]:
        """All that is read before the work, with the identity as it is by then: a token may end while a body comes."""
        ...

    def work(self, call: Call) -> Awaitable[T_co]: ...

    @property
    def trace(self) -> str:
        """By which the log is searched for it."""
        ...

    @property
    def ids(self) -> Collection[str]:
        """That it names: of a thread, a message."""
        ...


class _Seeing(Generic[T_co]):
    """An end of which it is noted who asks."""

    def __init__(self, end: End[T_co], seen: Seen) -> None:
        self._end = end
        self._seen = seen
        self.subject, self.draw, self.work = end.subject, end.draw, end.work
        self.trace, self.ids = end.trace, end.ids

    async def identify(self) -> Identity | None:
        self._seen.who = await self._end.identify()
        return self._seen.who

    async def read(self, who: Identity | None) -> Call:
        call = await self._end.read(who)
        self._seen.connection = call.connection
        return call


def run(target: Target, services: Services, end: End[T_co]) -> Coroutine[Any, Any, T_co]:
    if not services.watches.is_on:
        return _run(target, services, end)
    seen = Seen()
    return services.watches.command(target.name, end.ids, seen, _run(target, services, _Seeing(end, seen)))


async def _run(target: Target, services: Services, end: End[T_co]) -> T_co:
    who = await end.identify()
    if services.limiter is not None:
        end.draw(services.limiter.policy(target.rate), end.subject(target, who))
    call = await end.read(who)
    who = call.who
    try:
        if who is not None:
            target.must_allow(who)
            if target.rate == "write":
                connection = call.connection
                credential = who.credential if connection is None else ""  # by which a connection of theirs is found
                services.activity.note(who.user.key, connection=connection, credential=credential)
        return await end.work(call)
    except (Forbidden, NotFound) as refusal:
        if who is not None:
            services.refusals.note(who.user.id, target.name, refusal, end.trace)
        raise
