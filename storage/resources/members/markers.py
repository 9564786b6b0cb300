"""Who has read a message: by their markers, but for those who do not show how far they have read."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.members import ListReaders, Member
from storage.compiled import ManyRows
from storage.readers import access, rows
from storage.readers.answers import answers
from storage.schema import models
from storage.schema.notification_models import Preference

_R, _M, _P = models.Member, models.Message, Preference


@answers(ListReaders)
def readers(
    database: SqliteDatabase,
    identity: Identity,
    thread_id: str,
    message_id: str | None,
    *,
    limit: int,
    after: int | None,
) -> Page[Member]:
    """Members whose marker is at the message or beyond, the oldest account first."""
    key, head = access.visible_thread(database, identity, thread_id)
    hidden = _P.select(_P.user).where(~_P.show_read & (_P.user != identity.user.key))
    have_read = _R.last_read_offset >= _offset(database, key, message_id)
    query = rows.members_query().where((_R.thread == key) & have_read & _R.user.not_in(hidden))
    if after is not None:
        query = query.where(_R.user > after)
    found = rows.fetch(database, query.order_by(_R.user).limit(limit + 1))
    shown: tuple[Member, ...] = tuple(rows.member_of(row) for row in found[:limit])
    return Page(shown, str(shown[-1].user.key) if len(found) > limit else None, head)


def _offset(database: SqliteDatabase, thread_key: int, message_id: str | None) -> int:
    query = _M.select(_M.offset).where(_M.thread == thread_key)
    if message_id is not None:
        row = rows.first(database, query.where(_M.uid == message_id))
    else:
        row = rows.first(database, query.order_by(_M.offset.desc())) or (0,)
    if row is None:
        raise NotFound("message", message_id or "")
    return int(row[0])


def shown(database: SqliteDatabase, members: Sequence[Member], viewer_key: int | None) -> tuple[Member, ...]:
    """As the viewer may see them, or everybody where there is none: those who do not show how far they have read stand
    at 0."""
    hidden = hiding(database, {member.user.key for member in members} - {viewer_key})
    return tuple(
        replace(member, last_read_offset=0, last_read_number=0) if member.user.key in hidden else member
        for member in members
    )


def hiding(database: SqliteDatabase, user_keys: Collection[int]) -> set[int]:
    """Those of them who do not show how far they have read."""
    return {row[0] for row in _HIDING.run(database, [(key,) for key in user_keys])}


_HIDING = ManyRows(lambda count: _P.select(_P.user).where(_P.user.in_([0] * count) & ~_P.show_read))
