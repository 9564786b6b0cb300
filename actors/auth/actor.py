"""The auth actor: turns tokens into identities, and remembers those that proved good until they expire."""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from actors import limits
from actors.asks import Asks
from actors.auth.access_changes import AccessChanges
from actors.auth.credential_lookups import ByApiKey, BySession, Credential, Found, Lookup, ReadCredentials
from actors.auth.identity import Identity
from actors.auth.revoked_tokens import RevokedTokens
from actors.errors import Forbidden, Internal, ShuttingDown, TokenExpired, Unauthenticated, XpError
from actors.journal.actor import Journal
from actors.outcomes import Done
from actors.ports import KeyRefresher, TokenVerifier, VerifiedClaims
from actors.rehearsal import MayEnter
from actors.resources.api_keys import API_KEY_PREFIX, UsedKey
from actors.resources.sessions import NoteUse, SignedIn
from actors.resources.users import EnsureUser, User
from actors.runtime.loop_actor import LoopActor, LoopFuture, handles

logger = logging.getLogger("actors.auth")


@dataclass(frozen=True, slots=True)
class Authenticate(Asks[Identity]):
    """Answers the `Identity` that a token speaks for; raises `Unauthenticated` or `Forbidden`."""

    token: str


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """Identities that rest on any of these hold no longer."""

    changes: AccessChanges


@dataclass(frozen=True, slots=True)
class _KeysRefreshed:
    token: str
    reply: LoopFuture[Any]


def has_other_rights(identity: Identity, user: User) -> bool:
    """Whether the rights of a user differ from those of an earlier identity of the user. Of another domain they may
    not even come in."""
    now, before = identity.of_user(user).user, identity.user
    return now.status != "ACTIVE" or (now.role, now.kind, now.domain) != (before.role, before.kind, before.domain)


class VerifiedTokens:
    """Verified tokens → identities. Owned by the auth actor; transports on the event loop read it directly."""

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

    def forget(self, changes: AccessChanges) -> None:
        for token in [t for t, identity in self._identities.items() if changes.concerning(identity)]:
            del self._identities[token]


class _KnownUsers:
    """Claims of tokens about their users → these users. While a user is unchanged, another token with the same claims
    needs no command to the journal: every client sends a new token before the old one expires.

    Only the last claims of a user count: a token that says Ann after one that said Anna changes the name back.
    """

    def __init__(self) -> None:
        self._users: OrderedDict[EnsureUser, User] = OrderedDict()
        self._said: dict[str, EnsureUser] = {}

    def get(self, said: EnsureUser) -> User | None:
        return self._users.get(said)

    def put(self, said: EnsureUser, user: User) -> None:
        self._drop(user.id)
        self._users[said] = user
        self._said[user.id] = said
        if len(self._users) > limits.TOKENS_CACHED:
            self._drop(next(iter(self._users.values())).id)

    def forget(self, changes: AccessChanges) -> None:
        for change in changes:
            if change.kind == "user":
                self._drop(change.ref)

    def _drop(self, user_id: str) -> None:
        said = self._said.pop(user_id, None)
        if said is not None:
            self._users.pop(said, None)


class AuthActor(LoopActor):
    """Verifies tokens by the injected verifier, and looks up sessions, keys and users by a reader: an invalid
    credential never reaches the journal. The journal creates and updates users, and records last use, like every
    write."""

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        refresher: KeyRefresher | None,
        journal: Journal,
        read: ReadCredentials,
        tokens: VerifiedTokens,
        must_be_allowed: Callable[[User], object],
        revoked: Mapping[str, int] | None = None,
    ) -> None:
        """`must_be_allowed` raises `Forbidden` for a user of a domain that may not come in; `revoked`: tokens of other
        issuers that are taken no more."""
        super().__init__()
        self._revoked = RevokedTokens(revoked or {})
        self._verifier = verifier
        self._refresher = refresher
        self._journal = journal
        self._lookup = Lookup(read)
        self._tokens = tokens
        self._must_be_allowed = must_be_allowed
        self._known = _KnownUsers()
        self._changes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @handles(Authenticate)
    def _authenticate(self, message: Authenticate) -> Identity | LoopFuture[Any]:
        known = self._tokens.get(message.token)
        if known is not None:
            return known
        reply = self.defer()
        if message.token.startswith(API_KEY_PREFIX):
            self._use_key(message.token, reply)
        else:
            self._verify(message.token, reply)
        return reply

    def _verify(self, token: str, reply: LoopFuture[Any]) -> None:
        try:
            claims = self._verifier.verify(token, time.time())
        except Unauthenticated as error:
            if self._refresher is None or error.code != "unknown_key":
                raise
            self._refresh_keys(token, str(error.data.get("key_id", "")), reply)
        else:
            self._identify(token, claims, reply)

    def _refresh_keys(self, token: str, key_id: str, reply: LoopFuture[Any]) -> None:
        """The issuer may have a new key: fetch them, then try the token once more."""
        task = self.stage.loop.create_task(self._fetch(token, key_id, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch(self, token: str, key_id: str, reply: LoopFuture[Any]) -> None:
        assert self._refresher is not None
        try:
            await self._refresher.refresh(key_id)
        except Exception:
            logger.exception("the issuer's keys could not be fetched")
        if self.actor_stopped.is_set():
            reply.set_exception(ShuttingDown("The server is shutting down; retry in a moment."))
        else:
            self.actor_ref.tell(_KeysRefreshed(token, reply))

    @handles(_KeysRefreshed)
    def _try_again(self, message: _KeysRefreshed) -> None:
        try:
            claims = self._verifier.verify(message.token, time.time())
        except XpError as error:
            message.reply.set_exception(error)
        except Exception:  # every caller gets a reply, whatever failed
            logger.exception("a token could not be verified")
            message.reply.set_exception(Internal())
        else:
            self._identify(message.token, claims, message.reply)

    def _identify(self, token: str, claims: VerifiedClaims, reply: LoopFuture[Any]) -> None:
        def identity(user: Any) -> Identity:
            assert isinstance(user, User)
            return Identity(
                user, user.author, claims.expires_at, claims.token_id, claims.session_id, issuer=claims.issuer,
                subject="" if claims.session_id else claims.sub,
            )  # fmt: skip

        if claims.session_id:
            self._look_up(token, BySession(claims.session_id), identity, reply)
            return
        said = EnsureUser(
            subject=claims.sub, email=claims.email, name=claims.name, domain=claims.domain, role=claims.role,
            kind=claims.kind, issuer=claims.issuer,
        )  # fmt: skip
        user = self._known.get(said)
        if user is None:
            self._look_up(token, said, identity, reply)
        else:
            self._admit(token, identity(user), reply)

    def _use_key(self, token: str, reply: LoopFuture[Any]) -> None:
        if len(token) > limits.API_KEY_CHARS:
            raise Unauthenticated("Unknown API key.")
        by_key = ByApiKey(hashlib.sha256(token.encode(errors="replace")).digest())
        self._look_up(token, by_key, _identity_of_key, reply)

    def _look_up(
        self, token: str, credential: Credential, identity_of: Callable[[Any], Identity], reply: LoopFuture[Any]
    ) -> None:
        changes = self._changes

        def answered(found: Found) -> None:
            if isinstance(found, XpError):
                reply.set_exception(found)
            elif found is None:
                assert isinstance(credential, EnsureUser)  # a session or a key is found, or refused
                self._write(token, credential, identity_of, reply, changes)
            else:
                self._note_use(found)
                subject = found.user if isinstance(found, SignedIn) else found
                self._take(token, credential, identity_of(subject), reply, is_news=self._changes == changes)

        self._lookup.ask(credential, answered)

    def _note_use(self, found: Found) -> None:
        """When a session or a key was used is not worth a word where it cannot be written."""
        before = (time.time() - limits.SEEN_SECONDS) * 1000
        with contextlib.suppress(XpError):
            if isinstance(found, SignedIn) and found.session.last_seen_at < before:
                self._journal.append(NoteUse(session_id=found.session.id))
            elif isinstance(found, UsedKey) and (found.key.last_used_at or 0) < before:
                self._journal.append(NoteUse(api_key_id=found.key.id))

    def _write(
        self,
        token: str,
        said: EnsureUser,
        identity_of: Callable[[User], Identity],
        reply: LoopFuture[Any],
        changes: int,
    ) -> None:
        """A valid token of a new user, or with changed claims about one."""
        try:
            asked = self._journal.append(said)
        except XpError as error:
            reply.set_exception(error)
            return

        def answered(done: LoopFuture[Done[User]]) -> None:
            if done.error is not None:
                reply.set_exception(done.error)
            else:
                self._take(token, said, identity_of(done.result().result), reply, is_news=self._changes == changes)

        asked.when_done(answered)

    def _take(
        self, token: str, credential: Credential, identity: Identity, reply: LoopFuture[Any], *, is_news: bool
    ) -> None:
        self._admit(token, identity, reply, remember=is_news)
        if is_news and isinstance(credential, EnsureUser) and identity.user.status == "ACTIVE":
            self._known.put(credential, identity.user)

    def _admit(self, token: str, identity: Identity, reply: LoopFuture[Any], *, remember: bool = True) -> None:
        """`remember` unless access has changed since the lookup: the identity may be older than the change, and the
        change would not remove it from the cache again."""
        if (refusal := self._refusal(identity)) is not None:
            reply.set_exception(refusal)
        elif identity.expires_at <= time.time():  # within its last second, which is not remembered
            reply.set_exception(TokenExpired("The token has expired; sign in again or refresh it."))
        else:
            if remember:
                self._tokens.put(token, identity)
            reply.set(identity)

    @handles(MayEnter)
    def _may_enter(self, message: MayEnter) -> None:
        if (refusal := self._refusal(message.identity)) is not None:
            raise refusal

    def _refusal(self, identity: Identity) -> XpError | None:
        """Sessions and keys may be older than the rule for sign-in; tokens of other issuers were just checked by it."""
        if identity.user.status != "ACTIVE":
            return Unauthenticated("This account is deactivated; an administrator can say why.")
        if identity.token_id in self._revoked:
            return Unauthenticated("This token was revoked; sign in again.")
        if not identity.token_id:
            try:
                self._must_be_allowed(identity.user)
            except Forbidden as refusal:
                return refusal
        return None

    @handles(AccessChanged)
    def _forget(self, message: AccessChanged) -> None:
        self._revoked.add({change.ref: change.until for change in message.changes if change.kind == "token"})
        self._changes += 1
        self._tokens.forget(message.changes)
        self._known.forget(message.changes)


def _identity_of_key(used: Any) -> Identity:
    assert isinstance(used, UsedKey)
    return used.identity
