"""What a conversation has come to know."""

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.resources.memory import Memory
from storage.readers import access, rows
from storage.schema import models


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
