"""Sessions, sign-in links and passwords: how a person signs in."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from actors.auth.identity import Origin
from actors.commands import Command, Makes
from actors.page import Page
from actors.queries import ADMINISTRATORS, Owner, Query
from actors.resources.users import User

Method = Literal["PASSWORD", "LINK", "PROVIDER"]
METHODS: tuple[Method, ...] = ("PASSWORD", "LINK", "PROVIDER")
LINK_IS_NONE = "This sign-in link is invalid or no longer valid; ask for a new one."
REFRESH_IS_NONE = "The refresh token is none of ours, or of a session that has ended; sign in again."


@dataclass(frozen=True, slots=True)
class Session:
    """A user signed in on one device, until it expires or is ended."""

    id: str
    user_id: str
    method: Method
    address: str
    user_agent: str
    created_at: int
    last_seen_at: int
    expires_at: int
    ended_at: int | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What signing in or refreshing answers."""

    user: User
    session: Session


@dataclass(frozen=True, slots=True)
class PasswordAccount:
    """Whom an e-mail address signs in by a password."""

    user: User
    hash: str
    addresses: frozenset[str]
    """From where they have signed in before."""


@dataclass(frozen=True, slots=True)
class Reused:
    """A refresh token was used twice: it may be stolen, so its session was ended."""

    session_id: str


@dataclass(slots=True, kw_only=True)
class StartSession(Makes[SignedIn]):
    """For a user whose password was checked."""

    user_id: str
    method: Method
    refresh_hash: bytes
    origin: Origin
    password: str | None = None
    """The hash that was checked; refused where it is not the present one any more."""


@dataclass(slots=True, kw_only=True)
class FollowLink(Makes[SignedIn]):
    """Use a sign-in link, once; with `password`, set that first."""

    link_hash: bytes
    password: str | None
    """Its argon2id hash."""
    refresh_hash: bytes
    origin: Origin


@dataclass(slots=True, kw_only=True)
class SignInByProvider(Makes[SignedIn]):
    """A user as an identity provider asserts it; `email` is empty unless the provider has verified it."""

    issuer: str
    subject: str
    email: str
    name: str
    avatar_url: str | None
    domain: str
    refresh_hash: bytes
    origin: Origin


@dataclass(slots=True, kw_only=True)
class RefreshSession(Makes[SignedIn | Reused]):
    """Use a refresh token, once. Answers a `SignedIn`; a `Reused` where it was used before, longer ago than the
    grace."""

    token_hash: bytes
    next_hash: bytes
    """Of the token that follows: always the same one."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class NoteUse(Makes[None]):
    """A session, or an API key, that proved good was used just now. Answers None."""

    session_id: str | None = None
    api_key_id: str | None = None


@dataclass(slots=True, kw_only=True)
class EndSession(Command[Session]):
    session_id: str
    reason: str = "ended"


@dataclass(slots=True, kw_only=True)
class EndSessions(Command[int]):
    """All sessions of a user, but the one that `identity` acts by where that is theirs. Answers how many."""

    user_id: str
    reason: str = "ended"


@dataclass(slots=True, kw_only=True)
class RevokeToken(Command[None]):
    """Revoke a token of another issuer. `user_id`: its user, if known."""

    token_id: str
    expires_at: int
    user_id: str = ""


@dataclass(slots=True, kw_only=True)
class SetPassword(Command[int]):
    """The caller's own, where `expected` (the present hash, None for none) still holds; ends their other sessions."""

    password: str
    expected: str | None


@dataclass(slots=True, kw_only=True)
class CreateLink(Command[User]):
    """A sign-in link for a user, good once."""

    user_id: str
    link_hash: bytes
    expires_at: int


@dataclass(frozen=True, slots=True)
class ListSessions(Query[Page[Session]]):
    """Sessions that go on, the newest first; of one user, or of all."""

    _: KW_ONLY
    user_id: str | None
    limit: int
    before: int | None

    @property
    def owner(self) -> Owner:
        return self.user_id or ADMINISTRATORS


@dataclass(frozen=True, slots=True)
class FindPasswordAccount(Query[PasswordAccount | None]):
    """The one user with this e-mail address who has a password."""

    email: str


@dataclass(frozen=True, slots=True)
class FindUserByLink(Query[User | None]):
    """Whom a sign-in link is for that is still good."""

    link_hash: bytes


@dataclass(frozen=True, slots=True)
class FindUserByRefreshToken(Query[int | None]):
    """Key of the user whose refresh token it is, used or not."""

    token_hash: bytes


@dataclass(frozen=True, slots=True)
class GetPasswordHash(Query[str | None]):
    """The hash of a user's password."""

    user_id: str
