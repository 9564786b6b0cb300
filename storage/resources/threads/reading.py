"""Threads: one, mine by last activity, their members; and what an actor needs to know of one."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.members import GetMember, ListMemberKeys, ListMembers, Member
from actors.resources.message_streams import ListThreadsBeingWritten
from actors.resources.threads import (
    CONTROL_CHANGED,
    THREAD_CREATED,
    THREAD_DELETED,
    THREAD_UPDATED,
    ControlChange,
    GetThread,
    ListThreads,
    Thread,
    ThreadGone,
)
from actors.threads.message_stream import Stream
from actors.threads.state import LoadThread, ThreadState
from storage.compiled import Prepared, Shaped
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.resources.members import markers
from storage.schema import models


@answers(LoadThread)
def state(database: SqliteDatabase, thread_id: str) -> ThreadState | None:
    row = _STATE.first(database, uid=thread_id)
    if row is None:
        return None
    key, uid, status, offset, control, while_streaming, created_at = row
    members = dict(_ROLES.all(database, thread=key))
    streams = _streams(database, key)
    return ThreadState(
        key,
        uid,
        status,
        offset,
        members,
        streams=streams,
        control=control,
        while_streaming=while_streaming,
        created_at=created_at,
    )


def _streams(database: SqliteDatabase, thread_key: int) -> dict[str, Stream]:
    """Messages that are being written, as far as they were saved."""
    found = _STREAMS.all(database, thread=thread_key)
    return {
        uid: Stream(uid, author, content, author_kind=kind, is_resumed=True) for uid, author, content, kind in found
    }


@answers(ListThreadsBeingWritten)
def being_written(database: SqliteDatabase, limit: int) -> list[str]:
    """Ids of threads in which messages are being written, or were when their process ended."""
    return [row[0] for row in database.execute_sql(_BEING_WRITTEN, (limit,))]


_BEING_WRITTEN = """SELECT DISTINCT "t"."uid" FROM "message" AS "m" JOIN "thread" AS "t" ON "t"."id" = "m"."thread_id"
WHERE "m"."status" = 'STREAMING' AND "m"."deleted_at" IS NULL AND "t"."deleted_at" IS NULL LIMIT ?"""
"""With the status in its text: only so is the partial index used, and no message looked at that is complete."""
_T, _R, _M, _U = models.Thread, models.Member, models.Message, models.User
_STATE = Prepared(
    lambda given: _T.select(_T.id, _T.uid, _T.status, _T.offset, _T.control, _T.while_streaming, _T.created_at).where(
        _T.uid == given.uid, _T.deleted_at.is_null()
    )
)
_ROLES = Prepared(lambda given: _R.select(_R.user, _R.role).where(_R.thread == given.thread))
_STREAMS = Prepared(
    lambda given: (
        _M.select(_M.uid, _M.author, _M.content, _U.kind)
        .join(_U, on=(_M.author == _U.id))
        .where(_M.thread == given.thread, _M.status == "STREAMING", _M.deleted_at.is_null())
    )
)


@answers(GetThread)
def one(database: SqliteDatabase, identity: Identity, thread_id: str) -> Thread:
    key, _ = access.visible_thread(database, identity, thread_id)
    thread = rows.thread_by_key(database, key, identity.author)
    assert thread is not None
    return thread


def _page(given: Any, *, everything: bool, by_status: bool, goes_on: bool) -> Any:
    query = rows.threads_query(given.viewer).where(_T.deleted_at.is_null())
    if not everything:
        query = query.where(_R.user == given.viewer)
    if by_status:
        query = query.where(_T.status == given.status)
    if goes_on:
        query = query.where(_T.position < given.before)
    return query.order_by(_T.position.desc()).limit(given.limit)


_PAGE = Shaped(_page)
_MEMBERS = Shaped(
    lambda given, *, goes_on: (
        rows.members_query()
        .where(_R.thread == given.thread, *([_R.user > given.after] if goes_on else []))
        .order_by(_R.user)
        .limit(given.limit)
    )
)


@answers(ListThreads)
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
    statement = _PAGE.of(everything=everything, by_status=status is not None, goes_on=before is not None)
    found = statement.execute(database, viewer=identity.user.key, status=status, before=before, limit=limit + 1)
    viewer = identity.author
    threads, more = page_of(found, limit, lambda part: rows.threads_of(database, part, viewer), weight.thread)
    return Page(threads, str(threads[-1].position) if more else None)


@answers(ListMembers)
def members(
    database: SqliteDatabase, identity: Identity, thread_id: str, *, limit: int, after: int | None
) -> Page[Member]:
    """Oldest account first."""
    key, head = access.visible_thread(database, identity, thread_id)
    statement = _MEMBERS.of(goes_on=after is not None)
    found = statement.all(database, thread=key, after=after, limit=limit + 1)
    shown = markers.shown(database, [rows.member_of(row) for row in found[:limit]], identity.user.key)
    return Page(shown, str(shown[-1].user.key) if len(found) > limit else None, head)


@answers(ListMemberKeys)
def member_keys(database: SqliteDatabase, thread_ids: Sequence[str]) -> dict[str, list[int]]:
    """Of threads that are there."""
    found: dict[str, list[int]] = {}
    query = _R.select(_T.uid, _R.user).join(_T, on=(_R.thread == _T.id)).where(_T.deleted_at.is_null())
    for uid, user in rows.fetch(database, query.where(_T.uid.in_(list(thread_ids)))):
        found.setdefault(uid, []).append(user)
    return found


@answers(GetMember)
def member(database: SqliteDatabase, identity: Identity, thread_id: str, user_id: str) -> Member:
    key, _ = access.visible_thread(database, identity, thread_id)
    same = (models.Member.thread == key) & (models.User.uid == user_id)
    row = rows.first(database, rows.members_query().where(same))
    if row is None:
        raise NotFound("member", user_id)
    return markers.shown(database, [rows.member_of(row)], identity.user.key)[0]


# Loaded for a replay


def _replayed(replay: Replay, entry: Entry) -> Thread:
    found = rows.thread_by_key(replay.database, entry.thread, None)
    assert found is not None
    return found


def _gone(replay: Replay, entry: Entry) -> ThreadGone:
    return ThreadGone(replay.threads[entry.thread])


def _control(_: Replay, entry: Entry) -> ControlChange:
    return ControlChange(**orjson.loads(entry.data or "{}"))


LOADERS: Final[Loaders] = {
    THREAD_CREATED: _replayed,
    THREAD_UPDATED: _replayed,
    THREAD_DELETED: _gone,
    CONTROL_CHANGED: _control,
}
