"""A page of a user's own log while it is replayed: its entries, and what they refer to, as it is now.

Each resource declares a loader for each of its kinds of a user's events (`USER_LOADERS`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from peewee import SqliteDatabase

from actors.events import EventKind
from actors.resources.user_events import Facts


class Entry(NamedTuple):
    """A row of the log."""

    offset: int
    type: str
    time: int
    facts: Facts


class UserReplay:
    def __init__(self, database: SqliteDatabase, user_key: int, entries: Sequence[Entry]) -> None:
        self.database = database
        self.user_key = user_key
        self._entries = entries
        self._kept: dict[object, Any] = {}

    def once(self, key: object, read: Callable[[], Any]) -> Any:
        """The result of `read`, which runs once for a page."""
        if key not in self._kept:
            self._kept[key] = read()
        return self._kept[key]

    def facts_of(self, kind: EventKind) -> list[Facts]:
        """Of all entries of a kind: what they are about is read at once."""
        return [entry.facts for entry in self._entries if entry.type == kind.name]


def facts(_: UserReplay, entry: Entry) -> Facts:
    """Of a kind whose entry itself holds everything."""
    return entry.facts


UserLoader = Callable[[UserReplay, Entry], object]
"""Answers the data of an event, of the type `kind.data`."""
UserLoaders = Mapping[EventKind, UserLoader]
