"""What can be asked to change about accounts and credentials. See `actors/commands.py` for how commands work.

Secrets come as hashes: nothing that could sign somebody in goes through here.
"""

from dataclasses import dataclass

from actors.accounts import AuditOutcome, Method
from actors.commands import Command
from actors.records import Origin, Scope

# Signing in. Each answers a `SignedIn`.


@dataclass(slots=True, kw_only=True)
class StartSession:
    """For a user whose password was checked."""

    user_id: str
    method: Method
    refresh_hash: bytes
    origin: Origin
    password: str | None = None
    """The hash that was checked; refused where it is not the present one any more."""


@dataclass(slots=True, kw_only=True)
class FollowLink:
    """Use a sign-in link, once; with `password`, set that first."""

    link_hash: bytes
    password: str | None
    """Its argon2id hash."""
    refresh_hash: bytes
    origin: Origin


@dataclass(slots=True, kw_only=True)
class SignInByProvider:
    """An identity provider vouches for somebody; `email` only where it has verified it, else empty."""

    issuer: str
    subject: str
    email: str
    name: str
    avatar_url: str | None
    domain: str
    refresh_hash: bytes
    origin: Origin


@dataclass(slots=True, kw_only=True)
class RefreshSession:
    """Use a refresh token, once. Answers a `SignedIn`; a `Reused` where it was used before, longer ago than the
    grace."""

    token_hash: bytes
    next_hash: bytes
    """Of the token that follows: always the same one."""
    origin: Origin


# Credentials at work, for the auth actor


@dataclass(frozen=True, slots=True)
class NoteUse:
    """A session, or an API key, that proved good was used just now. Answers None."""

    session_id: str | None = None
    api_key_id: str | None = None


# Credentials, managed


@dataclass(slots=True, kw_only=True)
class EndSession(Command):
    session_id: str
    reason: str = "ended"


@dataclass(slots=True, kw_only=True)
class EndSessions(Command):
    """All sessions of a user, but the one that `identity` acts by where that is theirs. Answers how many."""

    user_id: str
    reason: str = "ended"


@dataclass(slots=True, kw_only=True)
class CreateApiKey(Command):
    """Answers the `ApiKey`."""

    user_id: str
    name: str
    scopes: tuple[Scope, ...]
    expires_at: int | None
    prefix: str
    key_hash: bytes


@dataclass(slots=True, kw_only=True)
class RevokeApiKey(Command):
    key_id: str


@dataclass(slots=True, kw_only=True)
class RevokeToken(Command):
    """A token that somebody else issued is taken no more. `user_id`: whose it is, where that is known."""

    token_id: str
    expires_at: int
    user_id: str = ""


@dataclass(slots=True, kw_only=True)
class SetPassword(Command):
    """One's own, where `expected` (the present hash, None for none) still holds; ends one's other sessions."""

    password: str
    expected: str | None


@dataclass(slots=True, kw_only=True)
class CreateLink(Command):
    """A sign-in link for a user, good once."""

    user_id: str
    link_hash: bytes
    expires_at: int


# Housekeeping


@dataclass(frozen=True, slots=True)
class EraseContent:
    """One step: look at some messages, and delete up to `rows` of a user whose content is to be removed.

    Answers `rows`, or 0 where there is nobody left whose content is.
    """

    rows: int = 100
    looked_at: int = 5_000


@dataclass(slots=True, kw_only=True)
class NoteForAudit:
    """Write down what changed nothing: a refused sign-in, an export, a connection ended."""

    action: str
    origin: Origin
    actor_id: str | None = None
    credential: str = ""
    target_kind: str = ""
    target_id: str = ""
    outcome: AuditOutcome = "done"
    reason: str = ""
