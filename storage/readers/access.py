"""May this identity see this thread? Asked in the same read transaction as what it wants to see."""

from typing import cast

from peewee import SqliteDatabase

from actors import permissions
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.resources.members import MemberRole
from storage.compiled import Prepared
from storage.schema import models


def visible_thread(database: SqliteDatabase, identity: Identity, thread_id: str) -> tuple[int, int]:
    """(key, head of its log); raises `NotFound` where the identity may not see it."""
    row = _THREAD.first(database, uid=thread_id)
    if row is None:
        raise NotFound("thread", thread_id)
    permissions.must_see(identity, role(database, row[0], identity.user.key), thread_id)
    return cast("tuple[int, int]", row)  # the columns of its query


def role(database: SqliteDatabase, thread_key: int, user_key: int) -> MemberRole | None:
    row = _ROLE.first(database, thread=thread_key, user=user_key)
    return cast("MemberRole", row[0]) if row else None  # the column has no other


_T, _M = models.Thread, models.Member
_THREAD = Prepared(lambda given: _T.select(_T.id, _T.offset).where(_T.uid == given.uid, _T.deleted_at.is_null()))
_ROLE = Prepared(lambda given: _M.select(_M.role).where(_M.thread == given.thread, _M.user == given.user))
