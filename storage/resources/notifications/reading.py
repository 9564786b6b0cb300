"""Notifications: the feed, and the unread ones. Those of deleted threads are excluded."""

from collections.abc import Sequence
from typing import Any, Final

from peewee import JOIN, SqliteDatabase, fn

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.notifications import CountUnreadNotifications, GetNotification, ListNotifications, Notification
from actors.resources.user_events import (
    NOTIFICATION_CANCELLED,
    NOTIFICATION_CREATED,
    NOTIFICATION_READ,
    NOTIFICATIONS_READ_ALL,
    Facts,
)
from actors.users.unread import Counts, CountUnread, ThreadCount
from storage.compiled import Prepared, Shaped
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.log.reading import head_position
from storage.resources.user_log.replay import Entry, UserLoaders, UserReplay, facts
from storage.schema import artifact_models, comment_models, models, notification_models, schedule_models

_A, _C, _S = artifact_models.Artifact, comment_models.Comment, schedule_models.Schedule
_N, _M, _T, _U, _R = notification_models.Notification, models.Message, models.Thread, models.User, models.Member
_ABOUT = models.Message.alias()
"""The subject of a reminder."""


def _query() -> Any:
    return (
        _N.select(
            _N.id, _N.uid, _N.kind, _T.uid, _M.uid, fn.SUBSTR(_M.content, 1, limits.EXCERPT_CHARS), _N.created_at,
            _N.read_at, _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url, _A.uid, _C.uid,
            fn.SUBSTR(_C.content, 1, limits.EXCERPT_CHARS), _S.uid, fn.SUBSTR(_S.content, 1, limits.EXCERPT_CHARS),
            _ABOUT.uid, fn.SUBSTR(_ABOUT.content, 1, limits.EXCERPT_CHARS),
        )
        .join(_T, JOIN.LEFT_OUTER, on=(_N.thread == _T.id))
        .join_from(_N, _U, on=(_N.actor == _U.id))
        .join_from(_N, _M, JOIN.LEFT_OUTER, on=(_N.message == _M.id))
        .join_from(_N, _C, JOIN.LEFT_OUTER, on=(_N.comment == _C.id))
        .join_from(_C, _A, JOIN.LEFT_OUTER, on=(_C.artifact == _A.id))
        .join_from(_N, _S, JOIN.LEFT_OUTER, on=(_N.schedule == _S.id))
        .join_from(_S, _ABOUT, JOIN.LEFT_OUTER, on=((_ABOUT.uid == _S.message_id) & _ABOUT.deleted_at.is_null()))
        .where(_T.deleted_at.is_null())
    )  # fmt: skip


def _of(row: Sequence[Any]) -> Notification:
    key, uid, kind, thread_id, message_id, excerpt, created_at, read_at = row[:8]
    artifact_id, comment_id, said, schedule_id, note, subject_id, subject = row[13:]
    return Notification(
        key, uid, kind, thread_id, message_id or subject_id, rows.author_of(row[8:13]),
        excerpt or said or note or subject or "", created_at, read_at, artifact_id=artifact_id, comment_id=comment_id,
        schedule_id=schedule_id,
    )  # fmt: skip


def _page(given: Any, *, unread: bool, goes_on: bool) -> Any:
    query = _query().where(_N.user == given.user)
    if unread:
        query = query.where(_N.read_at.is_null())
    if goes_on:
        query = query.where(_N.id < given.before)
    return query.order_by(_N.id.desc()).limit(given.limit)


_PAGE = Shaped(_page)
_UNREAD = Prepared(
    lambda given: (
        _N.select(fn.COUNT(_N.id))
        .join(_T, JOIN.LEFT_OUTER, on=(_N.thread == _T.id))
        .where((_N.user == given.user) & _N.read_at.is_null() & _T.deleted_at.is_null())
    )
)
_MOVED = Prepared(
    lambda given: (
        _R.select(_T.uid, _T.message_count, _R.last_read_number, rows.HIDDEN)
        .join(_T, on=(_R.thread == _T.id))
        .where((_R.user == given.user) & _T.deleted_at.is_null() & (_T.message_count > _R.last_read_number))
    )
)
_MENTIONS = Prepared(
    lambda given: (
        _N.select(_N.uid, _T.uid)
        .join(_T, on=(_N.thread == _T.id))
        .where((_N.user == given.user) & _N.read_at.is_null() & (_N.kind == "mention") & _T.deleted_at.is_null())
    )
)
_MUTED = Prepared(
    lambda given: _R.select(_T.uid).join(_T, on=(_R.thread == _T.id)).where((_R.user == given.user) & _R.muted)
)


@answers(ListNotifications)
def page(
    database: SqliteDatabase, identity: Identity, *, limit: int, before: int | None, unread: bool
) -> Page[Notification]:
    """The newest first."""
    statement = _PAGE.of(unread=unread, goes_on=before is not None)
    found = statement.all(database, user=identity.user.key, before=before, limit=limit + 1)
    shown = tuple(map(_of, found[:limit]))
    return Page(shown, str(shown[-1].key) if len(found) > limit else None)


@answers(GetNotification)
def one(database: SqliteDatabase, identity: Identity, notification_id: str) -> Notification:
    found = by_ids(database, identity.user.key, [notification_id]).get(notification_id)
    if found is None:
        raise NotFound("notification", notification_id)
    return found


def by_ids(database: SqliteDatabase, user_key: int, ids: Sequence[str]) -> dict[str, Notification]:
    if not ids:
        return {}
    found = rows.fetch(database, _query().where(_N.uid.in_(list(ids)) & (_N.user == user_key)))
    return {row[1]: _of(row) for row in found}


@answers(CountUnreadNotifications)
def unread_count(database: SqliteDatabase, identity: Identity) -> int:
    return unread_of(database, identity.user.key)


def unread_of(database: SqliteDatabase, user_key: int) -> int:
    return int(_UNREAD.all(database, user=user_key)[0][0])


# What was not read in threads


@answers(CountUnread)
def counts(database: SqliteDatabase, user_key: int) -> Counts:
    threads = {uid: ThreadCount(*found) for uid, *found in _MOVED.all(database, user=user_key)}
    mentions = dict(_MENTIONS.all(database, user=user_key))
    muted = [uid for (uid,) in _MUTED.all(database, user=user_key)]
    return Counts(threads, mentions, head_position(database), muted)


def _replayed(replay: UserReplay, entry: Entry) -> Notification | Facts:
    """Of a notification that was deleted since, only its id."""
    found: dict[str, Notification] = replay.once(NOTIFICATION_CREATED, lambda: _created(replay))
    return found.get(entry.facts["id"], entry.facts)


def _created(replay: UserReplay) -> dict[str, Notification]:
    ids = [facts["id"] for facts in replay.facts_of(NOTIFICATION_CREATED)]
    return by_ids(replay.database, replay.user_key, ids)


USER_LOADERS: Final[UserLoaders] = {
    NOTIFICATION_CREATED: _replayed,
    NOTIFICATION_READ: facts,
    NOTIFICATIONS_READ_ALL: facts,
    NOTIFICATION_CANCELLED: facts,
}
