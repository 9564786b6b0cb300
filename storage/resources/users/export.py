"""Everything about one person, for themselves and for administrators; and how many there are."""

from dataclasses import replace
from typing import Any

from peewee import SqliteDatabase, fn

from actors import limits
from actors.errors import NotFound
from actors.page import Page
from actors.resources.members import MEMBER_REMOVED, CountMemberships, ListMemberships, Membership
from actors.resources.messages import ListMessagesBy, Message
from actors.resources.users import CountResources
from storage.clock import now_ms
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.schema import identity_models, models


@answers(ListMemberships)
def memberships(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[Membership]:
    """The threads a user is in, the oldest thread first."""
    M, T = models.Member, models.Thread
    query = M.select(T.uid, T.title, M.role, M.joined_at, T.id).join(T, on=(M.thread == T.id))
    mine = (M.user == _key(database, user_id)) & (M.thread > (after or 0)) & T.deleted_at.is_null()
    found = rows.fetch(database, query.where(mine).order_by(M.thread).limit(limit + 1))
    shown = tuple(Membership(*row[:4]) for row in found[:limit])
    return Page(shown, str(found[limit - 1][4]) if len(found) > limit else None)


@answers(CountMemberships)
def membership_count(database: SqliteDatabase, user_id: str) -> int:
    """In how many threads a user is."""
    M, T = models.Member, models.Thread
    mine = (M.user == _key(database, user_id)) & T.deleted_at.is_null()
    return _count(database, M.select(M.thread).join(T, on=(M.thread == T.id)).where(mine))


@answers(ListMessagesBy)
def messages_by(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[Message]:
    """What a user wrote, the oldest first, with what happened to it while they could see it. A page may be empty and
    still have a next one."""
    M, start = models.Message, after or 0
    user_key = _key(database, user_id)
    bound = M.select(M.id).where(M.id > start).order_by(M.id).limit(1).offset(limits.EXPORT_MESSAGES)
    end = rows.first(database, bound)
    T = models.Thread
    there = M.deleted_at.is_null() & T.deleted_at.is_null()
    query = M.select(M.id).join(T, on=(M.thread == T.id)).where((M.id > start) & (M.author == user_key) & there)
    if end is not None:
        query = query.where(M.id < end[0])
    keys = [row[0] for row in rows.fetch(database, query.order_by(M.id).limit(limit + 1))]
    written = rows.iterate(database, rows.messages_query().where(M.id.in_(keys)).order_by(M.id))
    found, more = page_of(written, limit, lambda part: rows.messages_of(database, part, user_key), weight.message)
    found = _as_last_seen(database, user_key, found)
    if more:
        return Page(found, str(found[-1].key))
    return Page(found, str(end[0] - 1) if end is not None else None)


def _as_last_seen(database: SqliteDatabase, user_key: int, found: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without reactions given after the user had left the thread: these were never theirs to see."""
    reacted = {message.thread_id for message in found if message.reactions}
    ends = {thread_id: end for thread_id in reacted if (end := _end_of_access(database, user_key, thread_id))}
    ended = {message.key for message in found if message.thread_id in ends}
    return tuple(_before(database, each, ends[each.thread_id]) if each.key in ended else each for each in found)


def _before(database: SqliteDatabase, message: Message, position: int) -> Message:
    R = models.Reaction
    given = rows.reactions_query().where((R.message == message.key) & (R.position < position))
    groups = rows.grouped(rows.fetch(database, given), message.author.key)
    return replace(message, reactions=groups.get(message.key, ()))


def _end_of_access(database: SqliteDatabase, user_key: int, thread_id: str) -> int | None:
    """Position of the entry that says that the user has left; None where they are a member."""
    T, E, M = models.Thread, models.Event, models.Member
    key = rows.first(database, T.select(T.id).where(T.uid == thread_id, T.deleted_at.is_null()))
    if key is None or rows.first(database, M.select(M.role).where(M.thread == key[0], M.user == user_key)):
        return None
    left = (E.thread == key[0]) & (E.type == MEMBER_REMOVED.name) & (E.ref == user_key)
    row = rows.first(database, E.select(E.position).where(left).order_by(E.offset.desc()))
    return row[0] if row else None


@answers(CountResources)
def counts(database: SqliteDatabase) -> dict[str, int]:
    """How many of everything that an administrator asks about first."""
    S, K = identity_models.Session, identity_models.ApiKey
    return {
        "users": _count(database, models.User.select().where(models.User.status == "ACTIVE")),
        "admins": _count(database, models.User.select().where(models.User.role == "ADMIN")),
        "threads": _count(database, models.Thread.select().where(models.Thread.deleted_at.is_null())),
        "messages": int(_sum(database, models.Thread.message_count)),
        "sessions": _count(database, S.select().where(S.ended_at.is_null() & (S.expires_at > now_ms()))),
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
