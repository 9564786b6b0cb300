"""What a rule of retention is to the database. Resources declare theirs as `OUTDATED` (see `storage/declared.py`)."""

from collections.abc import Callable
from dataclasses import dataclass

from peewee import SqliteDatabase

from actors.outcomes import Done
from actors.resources.retention import OutdatedPage, RemoveOutdated
from storage.journal.transaction import Transaction


@dataclass(frozen=True, slots=True)
class OutdatedRule:
    find: Callable[[SqliteDatabase, int, int, int], OutdatedPage]
    """Takes the time before which all is outdated, where the page starts, and how many rows it may look at."""
    remove: Callable[[Transaction, RemoveOutdated], Done[tuple[int, ...]]]
    """Asks again, of each key, whether it is outdated."""
