"""When the index takes new messages: often enough that few are missing, rarely enough that writers are not delayed."""

from collections.abc import Sequence
from typing import Any

from peewee import SqliteDatabase

from actors import limits
from actors.resources.users import EraseContent
from storage.resources.log import reading as log
from storage.search import index


class IndexUpdates:
    """Belongs to the connection that writes. What it remembers may lag behind other processes; the database decides."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._indexed = index.prepare(database)
        self._head = log.head_position(database)
        self._chars = limits.INDEX_ASIDE_CHARS if self._head > self._indexed else 0
        self._may_merge = True
        self._rests = False

    def note(self, head: int, batch: Sequence[Any]) -> None:
        """A batch was committed."""
        self._head = head
        self._rests = False
        self._chars += sum(map(_chars, batch))
        if any(type(command) is EraseContent for command in batch):
            self._may_merge = True

    def rest(self) -> None:
        """The database takes nothing just now: no more of it until it has taken something else."""
        self._rests = True

    def resume(self) -> None:
        """It has."""
        self._rests = False

    def step(self, *, idle: bool) -> bool:
        """Where it is time: one transaction. True: it is time for another one."""
        if self._rests:
            return False
        if self._is_due(idle=idle):
            self._add(limits.INDEX_STEP if idle else limits.INDEX_BIG_STEP)
        elif idle and self._may_merge:
            self._merge()
        return self._is_due(idle=idle) or (idle and self._may_merge)

    def _add(self, count: int) -> None:
        with self._database.atomic("IMMEDIATE"):
            self._indexed = index.step(self._database, self._head, count)
        self._may_merge = True
        if self._indexed >= self._head:
            self._chars = 0

    def _merge(self) -> None:
        with self._database.atomic("IMMEDIATE"):
            self._may_merge = index.merge(self._database)

    def _is_due(self, *, idle: bool) -> bool:
        behind = self._head - self._indexed
        if not idle:
            return behind >= limits.INDEX_BEHIND
        return behind >= limits.INDEX_STEP or self._chars >= limits.INDEX_ASIDE_CHARS


def _chars(command: Any) -> int:
    content, blocks = getattr(command, "content", None), getattr(command, "blocks", None)
    return (len(content) if isinstance(content, str) else 0) + (len(blocks) if isinstance(blocks, str) else 0)
