"""Who edits, and where: what each editor shows of themselves, by the awareness protocol of Yjs. Pure.

Clients pass on what they hear of others. So a connection has one client, the first that it names, and speaks for no
other; and what it names again with the same clock changes nothing.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

E = TypeVar("E", bound=Hashable)
GONE = "null"
"""JSON of the state of a client that has left."""


@dataclass(frozen=True, slots=True)
class Cursor:
    client: int
    """Number that the client chose."""
    clock: int
    """Grows with each state."""
    state: str
    """JSON."""


class Cursors(Generic[E]):
    def __init__(self) -> None:
        self._of: dict[E, Cursor] = {}

    @property
    def all(self) -> tuple[Cursor, ...]:
        return tuple(self._of.values())

    def update(self, editor: E, cursors: Iterable[Cursor]) -> tuple[Cursor, ...]:
        """Those that are new."""
        return tuple(cursor for cursor in cursors if self._take(editor, cursor))

    def _take(self, editor: E, cursor: Cursor) -> bool:
        known = self._of.get(editor)
        if known is None:
            if cursor.state == GONE or any(other.client == cursor.client for other in self._of.values()):
                return False
        elif known.client != cursor.client or known.clock >= cursor.clock:
            return False
        self._of[editor] = cursor
        return True

    def leave(self, editor: E) -> tuple[Cursor, ...]:
        """Answers what to send to the other editors: that the cursor is gone, if there was one."""
        known = self._of.pop(editor, None)
        return () if known is None or known.state == GONE else (Cursor(known.client, known.clock, GONE),)
