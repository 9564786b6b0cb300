"""Which files and versions an operator lets go, and the steps that remove them. What a message or another resource
refers to stays, whatever the rules say."""

from dataclasses import dataclass
from typing import Final, Literal

from actors import limits
from actors.commands import Makes
from actors.queries import Query

PruneRule = Literal["unused", "pending", "version"]
"""Shown nowhere and in no thread; without bytes; older than the versions that are kept."""


@dataclass(frozen=True, slots=True)
class Retention:
    """None: nothing goes by this rule."""

    versions: int | None = None
    """Of each file, the newest so many are kept."""
    unused_days: int | None = None
    """After which a file goes that is in no thread, and that nothing shows."""
    pending_days: int | None = limits.FILE_PENDING_DAYS
    """After which a record goes whose bytes never came, and that nothing shows."""


KEEP_ALL: Final = Retention(pending_days=None)


@dataclass(frozen=True, slots=True)
class Prunable:
    file_id: str
    name: str
    number: int | None
    """Of the version; None: the whole file."""
    rule: PruneRule
    size: int
    """Bytes of room that it gives back."""


Place = tuple[int, int]
"""(key of a file, number of a version): how far a run has come."""
START: Final[Place] = (0, 0)


@dataclass(frozen=True, slots=True)
class PrunablePage:
    found: tuple[Prunable, ...]
    next: Place | None
    """Where the next page starts; None at the end. A page may be empty and still have a next one."""


@dataclass(frozen=True, slots=True)
class ListPrunable(Query[PrunablePage]):
    """What the rules let go at `now` (milliseconds): looks at so many files at most."""

    retention: Retention
    now: int
    after: Place = START
    limit: int = limits.FILES_PRUNED_AT_ONCE


@dataclass(frozen=True, slots=True)
class Pruned:
    files: int = 0
    versions: int = 0
    size: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(self.files + other.files, self.versions + other.versions, self.size + other.size)


@dataclass(frozen=True, slots=True)
class PruneFiles(Makes[Pruned]):
    """Remove what was found, where the rules still let it go. Answers `Pruned`."""

    retention: Retention
    found: tuple[Prunable, ...]


@dataclass(frozen=True, slots=True)
class NoteSurplus(Makes[int]):
    """These blobs (digest, bytes) are in the store, and the database does not know them: they are deleted after the
    usual grace, unless an upload brings them again. Answers how many."""

    blobs: tuple[tuple[str, int], ...]
