"""Bytes that the server holds for its clients: of each, and in all. Who makes it too many is ended.

What a client has asked for and does not take, what it has begun to send and does not finish: either is harmless once,
and takes all memory when it is done a thousand times.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

C = TypeVar("C")

Owner = Hashable | None
"""A user's key, or an address; None where neither is known: it counts only in the total."""


class Budget(Generic[C]):
    """Confined to the event loop."""

    def __init__(self, *, each: int, most: int, end: Callable[[C], None]) -> None:
        """`each` owner may have so many bytes held, all together `most`; `end` ends a connection that is over."""
        self._each = each
        self._most = most
        self._end = end
        self._held: dict[C, tuple[Owner, int]] = {}
        self._by_owner: dict[Owner, dict[C, int]] = {}
        """The oldest first."""
        self._sums: dict[Owner, int] = {}
        self.total = 0
        self.ended = 0
        """How many were, since the start."""

    def hold(self, connection: C, owner: Owner, size: int) -> None:
        """So many bytes are held for a connection now. Ends the oldest of this owner, or of the one who has most, until
        it is no longer too much."""
        known, before = self._held.get(connection, (owner, 0))
        if known != owner:
            self.free(connection)
            before = 0
        self._held[connection] = owner, size
        self._by_owner.setdefault(owner, {})[connection] = size
        self._sums[owner] = self._sums.get(owner, 0) + size - before
        self.total += size - before
        while owner is not None and self._sums.get(owner, 0) > self._each:
            self._end_oldest(owner)
        while self.total > self._most:
            self._end_oldest(max(self._sums, key=self._sums.__getitem__))

    def free(self, connection: C) -> None:
        """Nothing is held for it any more."""
        found = self._held.pop(connection, None)
        if found is None:
            return
        owner, size = found
        self.total -= size
        theirs = self._by_owner[owner]
        del theirs[connection]
        self._sums[owner] -= size
        if not theirs:
            del self._by_owner[owner], self._sums[owner]

    def _end_oldest(self, owner: Owner) -> None:
        connection = next(iter(self._by_owner[owner]))
        self.free(connection)
        self.ended += 1
        self._end(connection)

    def of(self, owner: Owner) -> int:
        return self._sums.get(owner, 0)
