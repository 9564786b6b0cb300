"""A user's own log, read back: entries after an offset, with what they are about as it is now."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from peewee import SqliteDatabase

from actors.events import EventKind
from actors.resources.notifications import Preferences
from actors.resources.user_events import (
    KINDS,
    NOTIFICATION_CANCELLED,
    NOTIFICATION_CREATED,
    NOTIFICATION_READ,
    NOTIFICATIONS_READ_ALL,
    PREFERENCES_UPDATED,
    THREAD_JOINED,
    THREAD_LEFT,
    THREAD_READ,
    USER_UPDATED,
    Facts,
    GetUserLogHeads,
    ReadUserLog,
    UserEvent,
    UserEventData,
    UserLogPage,
)
from actors.resources.users import User
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.notifications import reading as notifications
from storage.resources.preferences import reading as preferences
from storage.schema import models, notification_models

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


@answers(GetUserLogHeads)
def heads(database: SqliteDatabase, user_keys: Sequence[int]) -> dict[int, int]:
    """User → where their log stands; without those whose log has no entry."""
    return dict(rows.fetch(database, _L.select(_L.user, _L.offset).where(_L.user.in_(list(user_keys)))))


def _render(database: SqliteDatabase, user_key: int, found: Sequence[Sequence[Any]]) -> tuple[UserEvent, ...]:
    if not found:
        return ()
    entries = [Entry(offset, name, time, orjson.loads(facts)) for offset, name, time, facts in found]
    replay = UserReplay(database, user_key, entries)
    return tuple(
        UserEvent(user_key, entry.offset, entry.type, entry.time, USER_LOADERS[KINDS[entry.type]](replay, entry.facts))
        for entry in entries
    )


class Entry(NamedTuple):
    """A row of the log."""

    offset: int
    type: str
    time: int
    facts: Facts


class UserReplay:
    """What a page of entries refers to, each kind read once, and only where it is referred to."""

    def __init__(self, database: SqliteDatabase, user_key: int, entries: Sequence[Entry]) -> None:
        self._database = database
        self._user_key = user_key
        created = [entry.facts["id"] for entry in entries if entry.type == NOTIFICATION_CREATED.name]
        self._notifications = notifications.by_ids(database, user_key, created)
        self._user: User | None = None
        self._preferences: Preferences | None = None

    def notification(self, facts: Facts) -> UserEventData:
        """Of a notification that was deleted since, only its id."""
        return self._notifications.get(facts["id"], facts)

    def preferences(self, facts: Facts) -> UserEventData:
        """Preferences for one thread are held by the entry itself."""
        if facts:
            return facts
        if self._preferences is None:
            self._preferences = preferences.of_user(self._database, self._user_key)
        return self._preferences

    def user(self, _: Facts) -> UserEventData:
        if self._user is None:
            row = rows.first(self._database, rows.users_query().where(models.User.id == self._user_key))
            assert row is not None
            self._user = rows.user_of(row)
        return self._user

    def facts(self, facts: Facts) -> UserEventData:
        return facts


USER_LOADERS: Final[Mapping[EventKind, Callable[[UserReplay, Facts], UserEventData]]] = {
    NOTIFICATION_CREATED: UserReplay.notification,
    NOTIFICATION_READ: UserReplay.facts,
    NOTIFICATIONS_READ_ALL: UserReplay.facts,
    NOTIFICATION_CANCELLED: UserReplay.facts,
    THREAD_JOINED: UserReplay.facts,
    THREAD_LEFT: UserReplay.facts,
    THREAD_READ: UserReplay.facts,
    PREFERENCES_UPDATED: UserReplay.preferences,
    USER_UPDATED: UserReplay.user,
}
"""By kind: the data of an entry, for a replay."""
