"""Threads: one, mine by last activity, their members; and what an actor needs to know of one."""

from peewee import SqliteDatabase

from actors.errors import NotFound
from actors.records import Identity, Member, Page, Thread
from actors.streaming import Stream
from actors.thread_state import ThreadState
from storage import models, rows
from storage.reading import access, markers


def state(database: SqliteDatabase, thread_id: str) -> ThreadState | None:
    T, M = models.Thread, models.Member
    query = T.select(T.id, T.uid, T.status, T.offset, T.control, T.while_streaming)
    row = rows.first(database, query.where((T.uid == thread_id) & T.deleted_at.is_null()))
    if row is None:
        return None
    key, uid, status, offset, control, while_streaming = row
    members = dict(rows.fetch(database, M.select(M.user, M.role).where(M.thread == key)))
    streams = _streams(database, key)
    return ThreadState(
        key, uid, status, offset, members, streams=streams, control=control, while_streaming=while_streaming
    )


def _streams(database: SqliteDatabase, thread_key: int) -> dict[str, Stream]:
    """Messages that are being written, as far as they were saved."""
    M = models.Message
    written = (M.thread == thread_key) & (M.status == "STREAMING") & M.deleted_at.is_null()
    found = rows.fetch(database, M.select(M.uid, M.author, M.content).where(written))
    return {uid: Stream(uid, author, content) for uid, author, content in found}


def one(database: SqliteDatabase, identity: Identity, thread_id: str) -> Thread:
    key, _ = access.visible_thread(database, identity, thread_id)
    thread = rows.thread_by_key(database, key, identity.author)
    assert thread is not None
    return thread


def page(
    database: SqliteDatabase,
    identity: Identity,
    *,
    limit: int,
    before: int | None,
    status: str | None,
    everything: bool = False,
) -> Page[Thread]:
    """Those of which the identity is a member, the last active first; `everything` is for admins: all there are."""
    T, M = models.Thread, models.Member
    query = rows.threads_query(identity.user.key).where(T.deleted_at.is_null())
    if not everything:
        query = query.where(M.user == identity.user.key)
    if status is not None:
        query = query.where(T.status == status)
    if before is not None:
        query = query.where(T.position < before)
    found = rows.fetch(database, query.order_by(T.position.desc()).limit(limit + 1))
    threads = rows.threads_of(database, found[:limit], identity.author)
    return Page(threads, str(threads[-1].position) if len(found) > limit else None)


def members(
    database: SqliteDatabase, identity: Identity, thread_id: str, *, limit: int, after: int | None
) -> Page[Member]:
    """Oldest account first."""
    key, head = access.visible_thread(database, identity, thread_id)
    M = models.Member
    query = rows.members_query().where(M.thread == key)
    if after is not None:
        query = query.where(M.user > after)
    found = rows.fetch(database, query.order_by(M.user).limit(limit + 1))
    shown = markers.shown(database, [rows.member_of(row) for row in found[:limit]], identity.user.key)
    return Page(shown, str(shown[-1].user.key) if len(found) > limit else None, head)


def member(database: SqliteDatabase, identity: Identity, thread_id: str, user_id: str) -> Member:
    key, _ = access.visible_thread(database, identity, thread_id)
    same = (models.Member.thread == key) & (models.User.uid == user_id)
    row = rows.first(database, rows.members_query().where(same))
    if row is None:
        raise NotFound("member", user_id)
    return markers.shown(database, [rows.member_of(row)], identity.user.key)[0]
