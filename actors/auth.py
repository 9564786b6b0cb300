"""The auth actor: turns tokens into identities, and remembers those that proved good until they expire."""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from actors import limits
from actors.commands import Done, EnsureUser
from actors.errors import Internal, ShuttingDown, Unauthenticated, XpError
from actors.journal import Journal
from actors.ports import KeyRefresher, TokenVerifier, VerifiedClaims
from actors.records import Identity, User
from actors.runtime import LoopActor, LoopFuture, handles

logger = logging.getLogger("actors.auth")


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Answers the `Identity` that a token speaks for; raises `Unauthenticated` or `Forbidden`."""

    token: str


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A user is not what they were: identities made before hold no longer."""

    user_key: int


@dataclass(frozen=True, slots=True)
class _KeysRefreshed:
    token: str
    reply: LoopFuture[Any]
    fetched: bool


class VerifiedTokens:
    """Tokens that proved good → identities. Owned by the auth actor; transports on the event loop read it directly."""

    def __init__(self) -> None:
        self._identities: OrderedDict[str, Identity] = OrderedDict()

    def get(self, token: str) -> Identity | None:
        """The identity, while its token lives; never beyond `exp`."""
        identity = self._identities.get(token)
        if identity is not None and identity.expires_at <= time.time():
            del self._identities[token]
            return None
        return identity

    def put(self, token: str, identity: Identity) -> None:
        self._identities[token] = identity
        if len(self._identities) > limits.TOKENS_CACHED:
            self._identities.popitem(last=False)

    def forget_user(self, user_key: int) -> None:
        for token in [t for t, identity in self._identities.items() if identity.user.key == user_key]:
            del self._identities[token]


class AuthActor(LoopActor):
    """Verifies by the injected verifier; users are made and updated through the journal like every write."""

    def __init__(
        self, *, verifier: TokenVerifier, refresher: KeyRefresher | None, journal: Journal, tokens: VerifiedTokens
    ) -> None:
        super().__init__()
        self._verifier = verifier
        self._refresher = refresher
        self._journal = journal
        self._tokens = tokens
        self._tasks: set[asyncio.Task[None]] = set()

    @handles(Authenticate)
    def _authenticate(self, message: Authenticate) -> Identity | LoopFuture[Any]:
        known = self._tokens.get(message.token)
        if known is not None:
            return known
        try:
            claims = self._verifier.verify(message.token, time.time())
        except Unauthenticated as error:
            if self._refresher is None or error.code != "unknown_key":
                raise
            return self._refresh_keys(message.token, self.defer())
        return self._identify(message.token, claims, self.defer())

    def _refresh_keys(self, token: str, reply: LoopFuture[Any]) -> LoopFuture[Any]:
        """The issuer may have a new key: fetch them, then try the token once more."""
        task = self.stage.loop.create_task(self._fetch(token, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return reply

    async def _fetch(self, token: str, reply: LoopFuture[Any]) -> None:
        assert self._refresher is not None
        try:
            fetched = await self._refresher.refresh()
        except Exception:
            logger.exception("the issuer's keys could not be fetched")
            fetched = False
        if self.actor_stopped.is_set():
            reply.set_exception(ShuttingDown("The server is shutting down; retry in a moment."))
        else:
            self.actor_ref.tell(_KeysRefreshed(token, reply, fetched))

    @handles(_KeysRefreshed)
    def _try_again(self, message: _KeysRefreshed) -> None:
        try:
            claims = self._verifier.verify(message.token, time.time())
        except XpError as error:
            message.reply.set_exception(error)
        except Exception:  # whoever waits must be answered, whatever it was
            logger.exception("a token could not be verified")
            message.reply.set_exception(Internal())
        else:
            self._identify(message.token, claims, message.reply)

    def _identify(self, token: str, claims: VerifiedClaims, reply: LoopFuture[Any]) -> LoopFuture[Any]:
        ensure = EnsureUser(
            subject=claims.sub, email=claims.email, name=claims.name, domain=claims.domain, role=claims.role,
            kind=claims.kind,
        )  # fmt: skip
        try:
            ensured = self._journal.append(ensure)
        except XpError as error:
            reply.set_exception(error)
        else:
            ensured.when_done(lambda done: self._remember(token, claims, done, reply))
        return reply

    def _remember(self, token: str, claims: VerifiedClaims, done: LoopFuture[Any], reply: LoopFuture[Any]) -> None:
        if done.error is not None:
            reply.set_exception(done.error)
            return
        outcome: Done = done.result()
        user = outcome.result
        assert isinstance(user, User)
        if user.status != "ACTIVE":
            reply.set_exception(Unauthenticated("This account is deactivated; an administrator can say why."))
            return
        identity = Identity(user, user.author, claims.expires_at, claims.token_id)
        self._tokens.put(token, identity)
        reply.set(identity)

    @handles(UserChanged)
    def _forget(self, message: UserChanged) -> None:
        self._tokens.forget_user(message.user_key)
