"""What operations and transports work with: put together once by the composition root, shared by all requests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pykka

from actors.auth import Authenticate, UserChanged, VerifiedTokens
from actors.commands import Done
from actors.directory import Directory
from actors.identifiers import new_id
from actors.ports import History
from actors.records import Identity, User
from server.realtime import protocol
from server.realtime.hub import Hub


@dataclass(slots=True)
class Services:
    directory: Directory
    history: History
    auth: "pykka.ActorRef[Any]"
    tokens: VerifiedTokens
    hub: Hub
    epoch: str
    """Incarnation of the log: cursors made under another one are not served."""
    version: str
    problem_base: str
    rate_limits: bool = True
    started_at: float = field(default_factory=time.time)
    node_id: str = field(default_factory=new_id)
    clock: Callable[[], float] = time.time
    draining: bool = False

    async def identify(self, token: str) -> Identity:
        """Whom a token speaks for; raises `Unauthenticated` or `Forbidden`."""
        known = self.tokens.get(token)
        if known is not None:
            return known
        identity: Identity = await self.auth.ask(Authenticate(token), block=False)
        return identity

    async def write(self, command: Any, then: Callable[[Done], None] | None = None) -> Done:
        """A command that belongs to no thread, made durable. `then` follows also when who asked has gone meanwhile."""
        reply = self.directory.journal.append(command)
        if then is not None:
            reply.when_done(lambda outcome: None if outcome.error else then(outcome.result()))
        done: Done = await reply
        return done

    def user_changed(self, user: User, *, rights: bool) -> None:
        """Identities made before hold no longer; where rights changed, what is open closes and comes back anew."""
        self.auth.tell(UserChanged(user.key))
        for client in self.hub.of_user(user.key):
            if rights:
                client.close(*protocol.EXPIRED)
            else:
                client.renew(user)
