"""May this identity see this thread? Asked in the same read transaction as what it wants to see."""

from typing import cast

from peewee import SqliteDatabase

from actors import rules
from actors.errors import NotFound
from actors.records import Identity, MemberRole
from storage import models, rows


def visible_thread(database: SqliteDatabase, identity: Identity, thread_id: str) -> tuple[int, int]:
    """(key, head of its log); raises `NotFound` where the identity may not see it."""
    Thread = models.Thread
    query = Thread.select(Thread.id, Thread.offset).where((Thread.uid == thread_id) & Thread.deleted_at.is_null())
    row = rows.first(database, query)
    if row is None:
        raise NotFound("thread", thread_id)
    rules.must_see(identity, role(database, row[0], identity.user.key), thread_id)
    return cast("tuple[int, int]", row)


def role(database: SqliteDatabase, thread_key: int, user_key: int) -> MemberRole | None:
    Member = models.Member
    query = Member.select(Member.role).where((Member.thread == thread_key) & (Member.user == user_key))
    row = rows.first(database, query)
    return cast("MemberRole", row[0]) if row else None
