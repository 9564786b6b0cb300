"""A user's own log, read back: entries after an offset, with what they are about as it is now."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors.event_kinds import USER_KINDS
from actors.resources.user_events import GetUserLogHeads, ReadUserLog, UserEvent, UserLogPage
from storage import declared
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.user_log.replay import Entry, UserLoaders, UserReplay
from storage.schema import notification_models

_L, _E = notification_models.UserLog, notification_models.UserEvent


@answers(ReadUserLog)
def after(
    database: SqliteDatabase,
    user_key: int,
    offset: int,
    *,
    limit: int,
    up_to: int | None = None,
    reverse: bool = False,
) -> UserLogPage:
    """Entries after `offset` (before it when `reverse`, where 0 means from the newest on), `limit` of them at most."""
    row = rows.first(database, _L.select(_L.offset, _L.first).where(_L.user == user_key))
    head, first = row or (0, 1)
    query = _E.select(_E.offset, _E.type, _E.time, _E.data).where(_E.user == user_key)
    if reverse:
        query = query.where(_E.offset < offset) if offset else query
        query = query.order_by(_E.offset.desc())
    else:
        query = query.where(_E.offset > offset).order_by(_E.offset)
    if up_to is not None:
        query = query.where(_E.offset <= up_to)
    found = rows.iterate(database, query.limit(limit + 1))
    events, more = page_of(found, limit, lambda part: _render(database, user_key, part), weight.user_event)
    return UserLogPage(events, head, more, reverse or offset >= first - 1)


def at(database: SqliteDatabase, user_key: int, offset: int) -> UserEvent | None:
    """One entry; None where it is not kept any more."""
    query = _E.select(_E.offset, _E.type, _E.time, _E.data).where((_E.user == user_key) & (_E.offset == offset))
    found = _render(database, user_key, rows.fetch(database, query))
    return found[0] if found else None


@answers(GetUserLogHeads)
def heads(database: SqliteDatabase, user_keys: Sequence[int]) -> dict[int, int]:
    """User → where their log stands; without those whose log has no entry."""
    return dict(rows.fetch(database, _L.select(_L.user, _L.offset).where(_L.user.in_(list(user_keys)))))


def _render(database: SqliteDatabase, user_key: int, found: Sequence[Sequence[Any]]) -> tuple[UserEvent, ...]:
    if not found:
        return ()
    entries = [Entry(offset, name, time, orjson.loads(facts)) for offset, name, time, facts in found]
    replay = UserReplay(database, user_key, entries)
    load = loaders()
    return tuple(_event(user_key, replay, entry, load) for entry in entries)


def _event(user_key: int, replay: UserReplay, entry: Entry, load: UserLoaders) -> UserEvent:
    """An entry of a newer release, which has been at work on this database, has no data here."""
    kind = USER_KINDS.get(entry.type)
    data = None if kind is None else load[kind](replay, entry)
    return UserEvent(user_key, entry.offset, entry.type, entry.time, data)


@cache
def loaders() -> UserLoaders:
    """Of every kind of event in a user's log."""
    return declared.merged("USER_LOADERS")
