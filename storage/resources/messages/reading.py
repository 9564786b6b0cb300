"""Messages of a thread: pages both ways and around one, single messages, revisions, reactions."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from peewee import SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.messages import (
    MESSAGE_COMPLETED,
    MESSAGE_CREATED,
    MESSAGE_DELETED,
    MESSAGE_UPDATED,
    GetMessage,
    GetThreadOf,
    ListMessages,
    ListRevisions,
    Message,
    Revision,
)
from actors.resources.reactions import REACTION_ADDED, REACTION_REMOVED, ListReactions, Reaction, ReactionChange
from storage.compiled import Prepared
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema import models


@answers(ListMessages)
def page(
    database: SqliteDatabase,
    identity: Identity,
    thread_id: str,
    *,
    limit: int,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
) -> Page[Message]:
    """Newest first; `after` answers the oldest ones after it, in ascending order. Bounds are an offset or an id.

    A page `around` has a cursor only where it ended by bytes: to what is missing on its older side, or else its newer.
    """
    key, head = access.visible_thread(database, identity, thread_id)
    if around is not None:
        return _around(database, identity, key, _offset(database, key, around), limit, head)
    if after is not None:
        shown, more = _messages(database, identity, key, _AFTER, _offset(database, key, after), limit)
    else:
        end = _offset(database, key, before) if before is not None else _NEVER
        shown, more = _messages(database, identity, key, _BEFORE, end, limit)
    direction = "after" if after is not None else "before"
    return Page(shown, f"{direction}:{shown[-1].offset}" if more else None, head)


def _offset(database: SqliteDatabase, thread_key: int, bound: str) -> int:
    if bound.isdecimal():
        return min(int(bound), 2**62)
    row = _OFFSET.first(database, uid=bound, thread=thread_key)
    if row is None:
        raise NotFound("message", bound)
    return int(row[0])


def _around(
    database: SqliteDatabase, identity: Identity, thread_key: int, offset: int, limit: int, head: int
) -> Page[Message]:
    """Half of the room is for each side."""
    room = limits.PAGE_BYTES // 2
    newer, more_newer = _messages(database, identity, thread_key, _AFTER, offset, limit // 2, room)
    is_cut = more_newer and len(newer) < limit // 2
    rest = limit - (limit // 2 if is_cut else len(newer))
    older, more_older = _messages(database, identity, thread_key, _BEFORE, offset + 1, rest, room)
    shown = (*reversed(newer), *older)
    if more_older and len(older) < rest:
        return Page(shown, f"before:{shown[-1].offset}", head)
    return Page(shown, f"after:{shown[0].offset}" if is_cut else None, head)


def _messages(
    database: SqliteDatabase,
    identity: Identity,
    thread_key: int,
    pages: Prepared,
    offset: int,
    limit: int,
    room: int = limits.PAGE_BYTES,
) -> tuple[tuple[Message, ...], bool]:
    """As many as there is room for, and whether there are more."""
    if limit == 0:
        return (), False
    found = pages.execute(database, thread=thread_key, offset=offset, limit=limit + 1)
    viewer = identity.user.key
    return page_of(found, limit, lambda part: rows.messages_of(database, part, viewer), weight.message, room=room)


_M, _T = models.Message, models.Thread


def _of_thread(given: Any) -> Any:
    return rows.messages_query().where(_M.thread == given.thread).limit(given.limit)


_AFTER = Prepared(lambda given: _of_thread(given).where(_M.offset > given.offset).order_by(_M.offset))
_BEFORE = Prepared(lambda given: _of_thread(given).where(_M.offset < given.offset).order_by(_M.offset.desc()))
_NEVER = 2**62
_OFFSET = Prepared(lambda given: _M.select(_M.offset).where(_M.uid == given.uid, _M.thread == given.thread))
_ONE = Prepared(lambda given: rows.messages_query().where(_M.uid == given.uid, _T.deleted_at.is_null()))
_THREAD_OF = Prepared(lambda given: _M.select(_T.uid).join(_T, on=(_M.thread == _T.id)).where(_M.uid == given.uid))


@answers(GetMessage)
def one(database: SqliteDatabase, identity: Identity, message_id: str) -> Message:
    found = rows.messages_of(database, _ONE.all(database, uid=message_id), identity.user.key)
    if not found:
        raise NotFound("message", message_id)
    _must_see(database, identity, found[0])
    return found[0]


def _must_see(database: SqliteDatabase, identity: Identity, message: Message) -> None:
    try:
        access.visible_thread(database, identity, message.thread_id)
    except NotFound:
        raise NotFound("message", message.id) from None


@answers(GetThreadOf)
def thread_of(database: SqliteDatabase, message_id: str) -> str:
    """Id of the thread in which a message stands; who may know is for the thread's actor to say."""
    row = _THREAD_OF.first(database, uid=message_id)
    if row is None:
        raise NotFound("message", message_id)
    return str(row[0])


@answers(ListRevisions)
def revisions(
    database: SqliteDatabase,
    identity: Identity,
    message_id: str,
    *,
    limit: int = limits.REVISIONS_KEPT,
    before: int | None = None,
) -> Page[Revision]:
    """What a message said before each edit, the newest first."""
    message = one(database, identity, message_id)
    R = models.MessageRevision
    query = (
        R.select(R.version, R.content, R.blocks, R.metadata, R.edited_by, R.replaced_at)
        .where(R.message == message.key)
        .order_by(R.version.desc())
    )
    if before is not None:
        query = query.where(R.version < before)
    found = rows.iterate(database, query.limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: _revisions_of(database, part), weight.revision)
    return Page(shown, str(shown[-1].version) if more else None)


def _revisions_of(database: SqliteDatabase, part: Sequence[Sequence[Any]]) -> list[Revision]:
    authors = rows.authors(database, [row[4] for row in part])
    return [Revision(row[0], row[1], row[2], row[3], authors[row[4]], row[5]) for row in part]


@answers(ListReactions)
def reactions(
    database: SqliteDatabase, identity: Identity, message_id: str, *, limit: int, after: int | None
) -> Page[Reaction]:
    """Every single reaction, oldest first."""
    message = one(database, identity, message_id)
    R, U = models.Reaction, models.User
    query = (
        R.select(R.emoji, R.created_at, R.position, U.id, U.uid, U.name, U.kind, U.avatar_url)
        .join(U, on=(R.user == U.id))
        .where(R.message == message.key)
    )
    if after is not None:
        query = query.where(R.position > after)
    found = rows.fetch(database, query.order_by(R.position).limit(limit + 1))
    items = tuple(Reaction(row[0], rows.author_of(row[3:8]), row[1]) for row in found[:limit])
    return Page(items, f"after:{found[limit - 1][2]}" if len(found) > limit else None)


# Loaded for a replay


def _replayed(replay: Replay, entry: Entry) -> Message:
    return replay.messages[entry.ref]


def _reaction(replay: Replay, entry: Entry) -> ReactionChange:
    facts = orjson.loads(entry.data or "{}")
    return ReactionChange(replay.messages[entry.ref].id, facts["emoji"], replay.authors[entry.actor], facts["count"])


LOADERS: Final[Loaders] = {
    MESSAGE_CREATED: _replayed,
    MESSAGE_UPDATED: _replayed,
    MESSAGE_DELETED: _replayed,
    MESSAGE_COMPLETED: _replayed,
    REACTION_ADDED: _reaction,
    REACTION_REMOVED: _reaction,
}
