"""API keys: credentials of programs."""

from dataclasses import KW_ONLY, dataclass

from actors.auth.identity import Identity, Scope
from actors.commands import Command
from actors.page import Page
from actors.queries import ADMINISTRATORS, Owner, Query
from actors.resources.users import User

API_KEY_PREFIX = "xpk_"
"""Every API key starts with it, so that one that leaked is recognised."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Without the secret, which is shown only once, when the key is created."""

    id: str
    user_id: str
    name: str
    prefix: str
    """The first characters of the secret, to tell keys apart."""
    scopes: tuple[Scope, ...]
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class UsedKey:
    user: User
    key: ApiKey

    @property
    def identity(self) -> Identity:
        user, key = self.user, self.key
        expires_at = _NEVER if key.expires_at is None else key.expires_at // 1000
        made = Identity(user, user.author, expires_at, api_key_id=key.id, scopes=frozenset(key.scopes))
        return made.of_user(user)


_NEVER = 2**40
"""Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class GetGoodKey(Query[UsedKey]):
    """A key by its id, for what it has signed. Raises `Unauthenticated` for one that was revoked or has expired."""

    key_id: str


@dataclass(slots=True, kw_only=True)
class CreateApiKey(Command[ApiKey]):
    """Answers the `ApiKey`."""

    user_id: str
    name: str
    scopes: tuple[Scope, ...]
    expires_at: int | None
    prefix: str
    key_hash: bytes


@dataclass(slots=True, kw_only=True)
class RevokeApiKey(Command[ApiKey]):
    key_id: str


@dataclass(frozen=True, slots=True)
class ListApiKeys(Query[Page[ApiKey]]):
    """Keys that were not revoked, the newest first; of one user, or of all."""

    _: KW_ONLY
    user_id: str | None
    limit: int
    before: int | None

    @property
    def owner(self) -> Owner:
        return self.user_id or ADMINISTRATORS
