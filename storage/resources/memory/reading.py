"""What a conversation has come to know."""

from typing import Final

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.resources.memory import MEMORY_UPDATED, GetMemory, Memory
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema import models


@answers(GetMemory)
def one(database: SqliteDatabase, identity: Identity, thread_id: str) -> tuple[Memory, int]:
    """The memory, and the head of the thread's log."""
    key, _ = access.visible_thread(database, identity, thread_id)
    return by_key(database, key)


def by_key(database: SqliteDatabase, thread_key: int) -> tuple[Memory, int]:
    Thread = models.Thread
    query = Thread.select(Thread.uid, Thread.memory, Thread.memory_version, Thread.offset)
    row = rows.first(database, query.where(Thread.id == thread_key))
    assert row is not None
    return Memory(row[0], row[1], row[2]), row[3]


@weight.of.register
def _weight(memory: Memory) -> int:
    return weight.carried(memory.content)


def _replayed(replay: Replay, entry: Entry) -> Memory:
    """Read once for a page of entries: it may have 64 KiB."""
    found: Memory = replay.once((Memory, entry.thread), lambda: by_key(replay.database, entry.thread)[0])
    return found


LOADERS: Final[Loaders] = {MEMORY_UPDATED: _replayed}
