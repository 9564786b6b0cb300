"""Changes of access, as every process reads them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from actors.auth.identity import Identity
from actors.queries import Query
from actors.resources.users import User

ChangeKind = Literal["user", "session", "api_key", "token"]
CHANGE_KINDS: tuple[ChangeKind, ...] = ("user", "session", "api_key", "token")


@dataclass(frozen=True, slots=True)
class AccessChange:
    """An earlier verification may be invalid now."""

    number: int
    """Grows from change to change."""
    kind: ChangeKind
    ref: str
    """Public id of the user, session or key; id of the token."""
    user: User | None
    """For changes of a user: the user as it is now."""
    until: int | None = None
    """Of a revoked token: when it would have expired anyway, in milliseconds since 1970; None where that is unknown."""


class AccessChanges:
    """Several changes, indexed by what they affect, so that each connection is checked once."""

    def __init__(self, changes: Sequence[AccessChange]) -> None:
        self._changes = changes
        self._by_kind: dict[ChangeKind, dict[str, AccessChange]] = {}
        for change in changes:
            self._by_kind.setdefault(change.kind, {})[change.ref] = change

    def __iter__(self) -> Iterator[AccessChange]:
        return iter(self._changes)

    def concerning(self, identity: Identity) -> AccessChange | None:
        """The change that ended the credential of an identity, else the change of its user, else None."""
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
class GetNewestAccessChange(Query[int]):
    """The number of the newest change; 0 where nothing has changed."""


@dataclass(frozen=True, slots=True)
class ListAccessChanges(Query[Sequence[AccessChange]]):
    """Changes after a number, in order; not all of them where there are many."""

    number: int


@dataclass(frozen=True, slots=True)
class ListRevokedTokens(Query[dict[str, int]]):
    """Token → when it would have expired anyway, in milliseconds since 1970."""
