"""The way of every operation, however its request came: REST, RPC over a WebSocket, or a body that is streamed.

identity → limits → reading → rights → activity → the work; a refusal is kept for the administrator who is asked for
its reason. What is raised on the way goes to the end at which the request came, which says it in its own form: a
problem, or an error reply.
"""

from typing import Protocol, TypeVar

from actors.auth.identity import Identity
from actors.errors import Forbidden, NotFound
from server.api.registry import Call, Operation
from server.api.services import Services
from server.limits.rate_limits import Policy, Subject, subject_of

T_co = TypeVar("T_co", covariant=True)


class End(Protocol[T_co]):
    """One request, at the end where it came."""

    async def identify(self) -> Identity | None:
        """The identity of the caller; None only where the operation is open to all. Raises `Unauthenticated`."""
        ...

    def address(self) -> str:
        """From which it came. Asked only where it counts."""
        ...

    def draw(self, policy: Policy, subject: Subject) -> None:
        """Take one of the rate. Raises `TooManyRequests`."""
        ...

    async def read(self, who: Identity | None) -> Call:
        """All that is read before the work, with the identity as it is by then: a token may end while a body comes."""
        ...

    async def work(self, call: Call) -> T_co: ...

    @property
    def trace(self) -> str:
        """By which the log is searched for it."""
        ...


async def run(operation: Operation, services: Services, end: End[T_co]) -> T_co:
    who = await end.identify()
    if services.limiter is not None:
        end.draw(services.limiter.policy(operation.rate), subject_of(operation, who, end.address))
    call = await end.read(who)
    who = call.who
    try:
        if who is not None:
            operation.must_allow(who)
            if operation.rate == "write":
                services.activity.note(who.user.key, connection=call.connection, credential=who.credential)
        return await end.work(call)
    except (Forbidden, NotFound) as refusal:
        if who is not None:
            services.refusals.note(who.user.id, operation.name, refusal, end.trace)
        raise
