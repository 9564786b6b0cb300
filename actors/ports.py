"""What the core needs from outside. `storage/` and `server/` implement these; tests may, too."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from actors.commands import Makes
from actors.delivery.ephemeral import Ephemeral
from actors.errors import XpError
from actors.events import Event
from actors.outcomes import Done
from actors.resources.users import UserKind, UserRole
from actors.threads.state import ThreadState

T = TypeVar("T")


Outcome = Done[Any] | XpError
"""Of any command."""


class Write(Protocol):
    """The one way to write, for code that does not know the journal."""

    def __call__(self, command: Makes[T], /) -> Awaitable[Done[T]]:
        """Raises what the command is refused with."""
        ...


class Store(Protocol):
    """The journal's store. Every method runs in the journal's OS thread."""

    def open(self) -> None: ...

    def apply(self, batch: Sequence[Any]) -> Sequence[Outcome]:
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

    def close(self, code: int, reason: str) -> None:
        """`code` is passed on as it was given."""
        ...

    def close_slow(self) -> None:
        """Close because the peer does not read: nothing more can be written to it."""
        ...


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
        """Set where the token is of one of our own sessions, which then names the user."""
        ...


class TokenVerifier(Protocol):
    def verify(self, token: str, now: float) -> VerifiedClaims:
        """The claims of a good token; raises `Unauthenticated`, or `Forbidden` where its domain is not allowed."""
        ...


class KeyRefresher(Protocol):
    def refresh(self, key_id: str) -> Awaitable[bool]:
        """Fetch the keys of the issuer again for an unknown one, unless that was just done; answers whether they were
        fetched."""
        ...
