"""Blobs: what the store keeps, and what refers to it."""

from dataclasses import dataclass

from actors.commands import Makes
from actors.queries import Query


@dataclass(frozen=True, slots=True)
class BlobUse:
    """A blob as the database counts it."""

    digest: str
    size: int
    references: int


@dataclass(frozen=True, slots=True)
class NoteBlobs(Makes[None]):
    """Their bytes are about to be put into the store: for a day they are not deleted, and then they are, unless
    something names them. Answers None; raises `Unavailable` (`blob_going`) while one of them is being deleted."""

    blobs: tuple[tuple[str, int], ...]
    """(digest, bytes)"""


@dataclass(frozen=True, slots=True)
class TakeBlobs(Makes[tuple[str, ...]]):
    """Mark up to `rows` blobs that nothing has named since `before` (milliseconds); answers their digests. They are
    then deleted from the store, and `ForgetBlobs` follows. Also answers those marked before."""

    before: int
    rows: int = 100


@dataclass(frozen=True, slots=True)
class ForgetBlobs(Makes[int]):
    """These are deleted from the store; answers how many."""

    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListBlobs(Query[tuple[BlobUse, ...]]):
    """In the order of their digests."""

    after: str
    limit: int
    unreferenced: bool = False


@dataclass(frozen=True, slots=True)
class CountBlobs(Query[tuple[int, int]]):
    """How many, and their bytes."""
