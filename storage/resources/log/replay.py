"""A page of the log while it is replayed: its entries, and the resources that they refer to, as they are now.

Each resource declares a loader for each of its kinds of events (`LOADERS`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from peewee import SqliteDatabase

from actors.event_kinds import KINDS
from actors.events import EventKind
from actors.resources.messages import Message
from actors.resources.users import Author
from storage.readers import rows


class Entry(NamedTuple):
    """A row of the log."""

    position: int
    thread: int
    offset: int
    type: str
    actor: int
    time: int
    ref: int
    """Key of the message or user that the kind refers to."""
    data: str | None
    """JSON: what no resource holds, such as the emoji of a reaction that was removed."""


class Replay:
    def __init__(self, database: SqliteDatabase, entries: Sequence[Entry], threads: Mapping[int, str]) -> None:
        """`threads`: key → id. Messages and users are read here, all at once; loaders read the rest."""
        self.database = database
        self.threads = threads
        self.messages: dict[int, Message] = {
            message.key: message for message in rows.messages_by_key(database, _keys(entries, _TO_MESSAGES), None)
        }
        self.authors: dict[int, Author] = rows.authors(
            database, {entry.actor for entry in entries} | _keys(entries, _TO_USERS)
        )
        self._kept: dict[object, Any] = {}

    def once(self, key: object, read: Callable[[], Any]) -> Any:
        """The result of `read`, which runs once for a page: for a large resource that many entries may refer to."""
        if key not in self._kept:
            self._kept[key] = read()
        return self._kept[key]


Loader = Callable[[Replay, Entry], object]
"""Answers the data of an event, of the type `kind.data`."""
Loaders = Mapping[EventKind, Loader]

_TO_MESSAGES = frozenset(kind.name for kind in KINDS.values() if kind.refers_to == "message")
_TO_USERS = frozenset(kind.name for kind in KINDS.values() if kind.refers_to == "user")


def _keys(entries: Sequence[Entry], names: frozenset[str]) -> set[int]:
    return {entry.ref for entry in entries if entry.type in names}
