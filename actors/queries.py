"""What can be asked to read: queries, named by what is asked, each answered from one moment of the database.

A query stands beside the commands of its resource and says what it answers: `class GetNote(IdentityQuery[Note])`.
`Reads.ask` answers the same type. It raises `NotFound` for what does not exist or is not visible to the identity,
`StorageUnavailable` where the database cannot answer, `TooManyRequests` where too many reads of one user wait.

A page ends by count or by `limits.PAGE_BYTES`, and its cursor says that there is more.
"""

from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, Protocol, TypeVar

from actors.auth.identity import Identity

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Owner = int | str | None
"""Whose reading time a query takes: a user's by key or by id, that of all administrators, or None: the server's."""
ADMINISTRATORS: Owner = "all"
Lane = Literal["pages", "search", "credentials"]
"""Which connections answer: a long search delays no page, and neither of them delays a sign-in."""


class Query(Generic[T_co]):
    """A question that is answered by a `T_co`. Its classes are frozen dataclasses with slots."""

    __slots__ = ()
    lane: ClassVar[Lane] = "pages"

    @property
    def owner(self) -> Owner:
        return None


@dataclass(frozen=True, slots=True)
class IdentityQuery(Query[T_co]):
    """Answered with what the identity may see, in reading time of its user."""

    identity: Identity

    @property
    def owner(self) -> Owner:
        return self.identity.user.key


class Reads(Protocol):
    """The one way to read."""

    async def ask(self, query: Query[T]) -> T: ...
