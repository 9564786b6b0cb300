"""How somebody comes in, and what is written down of it: sessions, API keys, revocation, the audit log. Pure records.

Times are integer milliseconds since 1970 UTC, as in `actors/records.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from actors.records import Identity, MemberRole, Scope, User

Method = Literal["PASSWORD", "LINK", "PROVIDER"]
ChangeKind = Literal["user", "session", "api_key", "token"]
AuditOutcome = Literal["done", "refused"]

METHODS: tuple[Method, ...] = ("PASSWORD", "LINK", "PROVIDER")
CHANGE_KINDS: tuple[ChangeKind, ...] = ("user", "session", "api_key", "token")
OUTCOMES: tuple[AuditOutcome, ...] = ("done", "refused")

LINK_IS_NONE = "This sign-in link is not good, or not any more; ask for a new one."
SYSTEM_SUBJECT = "\x01system"
"""Of the user in whose name the terminal acts. Not printable, so that no token can speak for it."""
API_KEY_PREFIX = "xpk_"
"""Every API key starts with it, so that one that leaked is recognised."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in on one device, until it expires or is ended."""

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
    """A refresh token came a second time: somebody else may have it, so its session was ended."""

    session_id: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The secret itself is known only to whoever made it."""

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


@dataclass(frozen=True, slots=True)
class AccessChange:
    """Something that was verified before may hold no longer."""

    number: int
    """Grows from change to change."""
    kind: ChangeKind
    ref: str
    """Public id of the user, session or key; id of the token."""
    user: User | None
    """For changes of a user: as they are now."""


class AccessChanges:
    """What has changed, by what it concerns: who is many looks at each of them once."""

    def __init__(self, changes: Sequence[AccessChange]) -> None:
        self._changes = changes
        self._by_kind: dict[ChangeKind, dict[str, AccessChange]] = {}
        for change in changes:
            self._by_kind.setdefault(change.kind, {})[change.ref] = change

    def __iter__(self) -> Iterator[AccessChange]:
        return iter(self._changes)

    def concerning(self, identity: Identity) -> AccessChange | None:
        """What an identity rested on and has ended, if anything has; else what its user has become, if that is new."""
        found = None
        for kind, by_ref in self._by_kind.items():
            change = by_ref.get(_REF[kind](identity))
            if change is not None:
                if kind != "user":
                    return change
                found = change
        return found


_REF: dict[ChangeKind, Callable[[Identity], str]] = {
    "user": attrgetter("user.id"),
    "session": attrgetter("session_id"),
    "api_key": attrgetter("api_key_id"),
    "token": attrgetter("token_id"),
}


@dataclass(frozen=True, slots=True)
class Membership:
    """A thread that a user is in."""

    thread_id: str
    title: str
    role: MemberRole
    joined_at: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: str
    at: int
    actor_id: str | None
    """None: nobody whom the server knows, as with a failed sign-in."""
    actor_name: str
    credential: str
    """`session:<id>`, `api_key:<id>`, `token:<jti>`, or `terminal`."""
    address: str
    user_agent: str
    correlation_id: str
    action: str
    target_kind: str
    target_id: str
    outcome: AuditOutcome
    reason: str
    before: str | None
    """JSON of what an act changed, as it was."""
    after: str | None
    about_id: str | None
    """The user whom `before` and `after` tell something about."""
    origin_salt: bytes | None
    """What address, user agent and correlation id are sealed by; None where they were erased."""
    origin_seal: str
    change_salt: bytes | None
    """What `before` and `after` are sealed by; None where they were erased."""
    change_seal: str
    hash: str
    """SHA-256 over this entry and the hash of the one before it, in hex."""
