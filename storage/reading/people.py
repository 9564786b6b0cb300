"""Everything about one person, for themselves and for administrators; and how many there are."""

from collections.abc import Sequence
from typing import Any

from peewee import SqliteDatabase, fn

from actors.accounts import Membership
from actors.errors import NotFound
from actors.records import Message, Page
from storage import identity_models, models, rows, weight
from storage.paging import page_of

LOOKED_AT = 20_000
"""Messages looked at for one page: there is no index by author to keep for a question that is asked once a year."""


def memberships(database: SqliteDatabase, user_id: str) -> Sequence[Membership]:
    """The threads a user is in, the oldest membership first."""
    M, T = models.Member, models.Thread
    query = M.select(T.uid, T.title, M.role, M.joined_at).join(T, on=(M.thread == T.id))
    mine = (M.user == _key(database, user_id)) & T.deleted_at.is_null()
    return tuple(Membership(*row) for row in rows.fetch(database, query.where(mine).order_by(M.joined_at)))


def messages_by(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[Message]:
    """What a user wrote, the oldest first. A page may be empty and still have a next one."""
    M, start = models.Message, after or 0
    user_key = _key(database, user_id)
    bound = M.select(M.id).where(M.id > start).order_by(M.id).limit(1).offset(LOOKED_AT)
    end = rows.first(database, bound)
    query = M.select(M.id).where((M.id > start) & (M.author == user_key) & M.deleted_at.is_null())
    if end is not None:
        query = query.where(M.id < end[0])
    keys = [row[0] for row in rows.fetch(database, query.order_by(M.id).limit(limit + 1))]
    written = rows.iterate(database, rows.messages_query().where(M.id.in_(keys)).order_by(M.id))
    found, more = page_of(written, limit, lambda part: rows.messages_of(database, part, user_key), weight.message)
    if more:
        return Page(found, str(found[-1].key))
    return Page(found, str(end[0] - 1) if end is not None else None)


def counts(database: SqliteDatabase, now: int) -> dict[str, int]:
    """How many of everything that an administrator asks about first."""
    S, K = identity_models.Session, identity_models.ApiKey
    return {
        "users": _count(database, models.User.select().where(models.User.status == "ACTIVE")),
        "admins": _count(database, models.User.select().where(models.User.role == "ADMIN")),
        "threads": _count(database, models.Thread.select().where(models.Thread.deleted_at.is_null())),
        "messages": int(_sum(database, models.Thread.message_count)),
        "sessions": _count(database, S.select().where(S.ended_at.is_null() & (S.expires_at > now))),
        "api_keys": _count(database, K.select().where(K.revoked_at.is_null())),
        "audit_entries": _count(database, identity_models.Audit.select()),
    }


def _count(database: SqliteDatabase, query: Any) -> int:
    return int(query.bind(database).count())


def _sum(database: SqliteDatabase, column: Any) -> int:
    row = rows.first(database, column.model.select(fn.SUM(column)))
    return row[0] or 0 if row else 0


def _key(database: SqliteDatabase, user_id: str) -> int:
    row = rows.first(database, models.User.select(models.User.id).where(models.User.uid == user_id))
    if row is None:
        raise NotFound("user", user_id)
    return int(row[0])
