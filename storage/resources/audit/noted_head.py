"""A head of the audit log that was noted earlier: is it still in the chain, or has retention removed it?

The number of the entry is noted with its hash. By the number it shows that a head is among what was removed: its hash
went with it, so that the hash alone would look the same as one that was cut off.
"""

from dataclasses import dataclass
from typing import Literal

from peewee import SqliteDatabase

from storage.resources.audit import reading
from storage.resources.audit.removal import Removal

State = Literal["in_chain", "removed", "moved", "missing"]
"""`moved`: it is another entry by number, so that entries before it were cut off or put in."""


@dataclass(frozen=True, slots=True)
class NotedHead:
    hash: str
    number: int | None = None
    """Counted from the beginning of the log; None: only the hash was noted."""

    def __str__(self) -> str:
        return self.hash if self.number is None else f"{self.hash}:{self.number}"


def state(database: SqliteDatabase, noted: NotedHead, removal: Removal) -> State:
    """In a chain that verifies."""
    place = reading.place_of(database, noted.hash)
    if place is not None:
        return "in_chain" if noted.number in (None, removal.entries + place) else "moved"
    is_last = noted.hash == removal.hash and noted.number in (None, removal.entries)
    is_before_it = noted.number is not None and 0 < noted.number < removal.entries
    return "removed" if is_last or is_before_it else "missing"
