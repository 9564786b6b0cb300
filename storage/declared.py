"""What a resource declares in any of its modules (`storage/resources/<resource>`), found by the name it has there:

- `LOADERS`, `USER_LOADERS`: how a replay loads the data of its events, in the log of a thread and in a user's own log
- `RULES`: what `xp db check` holds true of its tables
- `THREAD_PURGES`: functions that delete its rows of a deleted thread, where they may be too many for a foreign key that
  cascades
- `PURGES`: functions that delete its rows that are outdated
- `OUTDATED`: rules of retention by their names (`storage/resources/retention/rule.py`)
- `PERSONAL`: every column that names a user: what becomes of its rows with that user, and in the user's export
- `ERASURES`: functions that delete some of what a user, given by key, has created there, and answer a `Done`; nothing
  is left where it has no events
- `SEARCHED`: its documents for the full-text search

A function that purges takes the transaction (and the key of the thread), and how many rows it may delete; it answers
how many it has deleted.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import storage.resources
from actors.modules import import_all
from storage.journal.transaction import Transaction

Purge = Callable[[Transaction, int], int]
ThreadPurge = Callable[[Transaction, int, int], int]


@cache
def declared(name: str) -> tuple[Any, ...]:
    """The values of this name, by the names of their modules; a module that imports one declares nothing."""
    found: dict[int, Any] = {}
    for module in import_all(storage.resources):
        if name in vars(module):
            value = vars(module)[name]
            found.setdefault(id(value), value)
    return tuple(found.values())


@cache
def each(name: str) -> tuple[Any, ...]:
    """The items of all sequences of this name."""
    return tuple(item for declaration in declared(name) for item in declaration)


def merged(name: str) -> dict[Any, Any]:
    """The mappings of this name in one."""
    return {key: value for declaration in declared(name) for key, value in declaration.items()}


def purge(tx: Transaction, purges: Iterable[Callable[..., int]], *about: int, count: int) -> int:
    """Run them until `count` rows are deleted; answers how many are."""
    deleted = 0
    for delete in purges:
        if deleted < count:
            deleted += delete(tx, *about, count - deleted)
    return deleted
