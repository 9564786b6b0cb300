"""Texts that a search finds beside messages: a resource declares its own as `SEARCHED` (see `storage/declared.py`)."""

from dataclasses import dataclass
from typing import Any

from peewee import SQL, NodeList

from actors.events import EventKind
from actors.resources.search import SearchKind
from storage import declared
from storage.schema.models import Thread


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """A text in a thread, found at the position of the log entry that created it. All but the first two are columns
    and expressions of `source`, or of its thread.

    Who changes or deletes one does so within `index.changing`.
    """

    kind: SearchKind
    created: tuple[EventKind, ...]
    """Of the log entry."""
    source: Any
    """The table."""
    thread: Any
    position: Any
    uid: Any
    author: Any
    text: Any
    made_at: Any
    there: Any
    """Condition: it is not deleted."""
    folded: Any = None
    """The text as the index has it, where it is kept: what the journal has no time to fold."""

    @property
    def tag(self) -> str:
        return f"k{self.kind.tag}"

    def select(self, *columns: Any) -> Any:
        """With their threads, looked up of each row: SQLite must not begin with the thread and look through everything
        that was ever in it."""
        return self.source.select(*columns).join(Thread, on=(Thread.id == NodeList((SQL("+"), self.thread))))


def everything() -> tuple[Searched, ...]:
    return declared.each("SEARCHED")


def named(kind: str) -> Searched:
    return next(searched for searched in everything() if searched.kind.name == kind)
