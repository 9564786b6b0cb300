"""What the core needs from outside. `storage/` and `server/` implement these; tests may, too."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from actors.auth.identity import Identity
from actors.delivery.ephemeral import Ephemeral
from actors.errors import XpError
from actors.events import Event, LogPage
from actors.outcomes import Done
from actors.page import Page
from actors.resources.api_keys import ApiKey
from actors.resources.audit import AuditEntry
from actors.resources.context import Context
from actors.resources.members import Member, Membership
from actors.resources.memory import Memory
from actors.resources.messages import Message, Revision
from actors.resources.reactions import Reaction
from actors.resources.search import Found, Search
from actors.resources.sessions import PasswordAccount, Session
from actors.resources.threads import Thread, ThreadStatus
from actors.resources.users import User, UserFilter, UserKind, UserRole
from actors.threads.state import ThreadState


class Store(Protocol):
    """The journal's store. Every method runs in the journal's OS thread."""

    def open(self) -> None: ...

    def apply(self, batch: Sequence[Any]) -> Sequence[Done | XpError]:
        """Make a batch durable and answer an outcome each, in order; raise an `XpError` when nothing was written."""
        ...

    def catch_up(self, *, idle: bool) -> bool:
        """A small step of what was put off while there was more to write. True: there is more of it.

        Called after batches, and again and again while `idle`. Raises `StorageUnavailable` where the database fails;
        then it is not tried again before a batch, or `heal`, has worked.
        """
        ...

    def heal(self) -> None:
        """See to it that the database takes something again, by writing; raises `StorageUnavailable` where it does not.

        Called about once a second after something has failed.
        """
        ...

    def close(self) -> None: ...


class ThreadLoader(Protocol):
    def __call__(self, thread_id: str) -> Awaitable[ThreadState | None]:
        """What an actor needs to know of a thread; None where there is none."""
        ...


class LogReader(Protocol):
    """The log as the core follows it."""

    async def head(self) -> tuple[str, int]:
        """(epoch of the log, its newest position)."""
        ...

    async def between(self, thread_ids: Sequence[str], after: int, up_to: int) -> Sequence[Event]:
        """Events of these threads with a position after `after` and up to `up_to`, in order."""
        ...


Encode = Callable[[Event | Ephemeral], bytes]
"""The event as JSON, as every subscriber gets it. Called once an event."""


class Transport(Protocol):
    """One socket or stream, as its connection actor sees it. Called on the event loop; never blocks."""

    def write(self, chunks: Sequence[bytes]) -> None:
        """Hand joined chunks to the socket in one system call where it takes them."""
        ...

    def buffered(self) -> int:
        """Bytes that were written but that the peer has not taken yet."""
        ...

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once the peer has taken what was written."""
        ...

    def close(self, code: int, reason: str) -> None: ...


class VerifiedClaims(Protocol):
    """What a token that proved good says."""

    @property
    def sub(self) -> str: ...
    @property
    def issuer(self) -> str:
        """Empty where the token does not name one."""
        ...

    @property
    def email(self) -> str:
        """Empty where it is not verified."""
        ...

    @property
    def name(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def role(self) -> UserRole | None: ...
    @property
    def kind(self) -> UserKind: ...
    @property
    def expires_at(self) -> int: ...
    @property
    def token_id(self) -> str: ...
    @property
    def session_id(self) -> str:
        """Where the token is one of our own sessions'; then the session says who it is."""
        ...


class TokenVerifier(Protocol):
    def verify(self, token: str, now: float) -> VerifiedClaims:
        """The claims of a good token; raises `Unauthenticated`, or `Forbidden` where its domain is not allowed."""
        ...


class KeyRefresher(Protocol):
    def refresh(self, key_id: str) -> Awaitable[bool]:
        """Fetch the issuer's keys anew for one that is not known, unless it was just looked for; answers whether they
        were fetched."""
        ...


class History(Protocol):
    """What is committed, read as it is now; each question in one read transaction.

    A page ends by count or by `limits.PAGE_BYTES`, and its cursor says that there is more.

    Every method raises `StorageUnavailable` where the database cannot answer, and `NotFound` for what is not there or
    what the identity may not see.
    """

    async def user(self, user_id: str) -> User: ...

    async def users(self, identity: Identity, wanted: UserFilter, *, limit: int, after: int | None) -> Page[User]: ...

    async def user_by_email(self, identity: Identity, email: str) -> User:
        """Raises `NotFound`."""
        ...

    async def thread(self, identity: Identity, thread_id: str) -> Thread: ...

    async def threads(
        self, identity: Identity, *, limit: int, before: int | None, status: ThreadStatus | None, everything: bool
    ) -> Page[Thread]: ...

    async def members(self, identity: Identity, thread_id: str, *, limit: int, after: int | None) -> Page[Member]: ...

    async def member(self, identity: Identity, thread_id: str, user_id: str) -> Member: ...

    async def memory(self, identity: Identity, thread_id: str) -> tuple[Memory, int]:
        """The memory, and the head of the thread's log that was read before it."""
        ...

    async def context(self, identity: Identity, thread_id: str, max_tokens: int) -> Context:
        """What a model should know of the thread, in at most `max_tokens`; its cost depends on them alone."""
        ...

    async def messages(
        self,
        identity: Identity,
        thread_id: str,
        *,
        limit: int,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> Page[Message]: ...

    async def message(self, identity: Identity, message_id: str) -> Message: ...

    async def thread_of(self, message_id: str) -> str: ...

    def place(self, message_id: str, thread_id: str) -> None:
        """Say where a message is that was written just now, and that much will be asked of."""
        ...

    async def revisions(self, identity: Identity, message_id: str, *, limit: int, before: int | None) -> Page[Revision]:
        """What a message said before each edit, the newest first."""
        ...

    async def reactions(
        self, identity: Identity, message_id: str, *, limit: int, after: int | None
    ) -> Page[Reaction]: ...

    async def search(self, identity: Identity, search: Search, *, limit: int, cursor: str | None) -> Found:
        """What the identity may see and the search asks for, in pages.

        Raises `Forbidden` where `everything` is for admins, and `ValidationFailed` for a text with nothing to look for.
        """
        ...

    async def log_of_thread(
        self,
        identity: Identity,
        thread_id: str,
        offset: int,
        *,
        limit: int,
        up_to: int | None = None,
        reverse: bool = False,
    ) -> LogPage:
        """Events of one thread after `offset`; before it when `reverse`, where 0 means from the newest on."""
        ...

    async def log_of_threads(
        self, identity: Identity, thread_ids: Sequence[str], position: int, *, limit: int
    ) -> LogPage:
        """Events of many threads after `position`, in the one order of all; threads not visible are left out."""
        ...

    async def head(self) -> tuple[str, int]:
        """(epoch of the log, its newest position)."""
        ...


class Accounts(Protocol):
    """Who may come in, and what was done in whose name; read as `History` is."""

    async def sessions(self, *, user_id: str | None, limit: int, before: int | None) -> Page[Session]:
        """Sessions that go on, the newest first; of one user, or of all."""
        ...

    async def api_keys(self, *, user_id: str | None, limit: int, before: int | None) -> Page[ApiKey]:
        """Keys that were not revoked, the newest first; of one user, or of all."""
        ...

    async def by_address(self, email: str) -> PasswordAccount | None:
        """The one user with this e-mail address who has a password."""
        ...

    async def by_link(self, link_hash: bytes) -> User | None:
        """Whom a sign-in link is for that is still good."""
        ...

    async def by_refresh(self, token_hash: bytes) -> int | None:
        """Key of the user whose refresh token it is, used or not."""
        ...

    async def own_password(self, user_id: str) -> str | None:
        """The hash of a user's password."""
        ...

    async def audit(
        self, *, limit: int, before: int | None, actor_id: str | None, target_id: str | None, action: str | None
    ) -> Page[AuditEntry]:
        """Entries of the audit log, the newest first."""
        ...

    async def memberships(self, user_id: str, *, limit: int, after: int | None) -> Page[Membership]:
        """The threads a user is in, the oldest thread first."""
        ...

    async def membership_count(self, user_id: str) -> int:
        """In how many threads a user is."""
        ...

    async def messages_by(self, user_id: str, *, limit: int, after: int | None) -> Page[Message]:
        """What a user wrote, the oldest first. A page may be empty and still have a next one."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many there are of what."""
        ...
