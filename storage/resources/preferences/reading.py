"""Notification preferences of a user: in general, and for one thread."""

from typing import Final, cast

import orjson
from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.resources.notifications import GetPreferences, GetThreadPreferences, Notify, Preferences, ThreadPreferences
from actors.resources.user_events import PREFERENCES_UPDATED, Facts
from storage.compiled import Prepared
from storage.personal import Personal
from storage.readers import access, rows
from storage.readers.answers import answers
from storage.resources.user_log.replay import Entry, UserLoaders, UserReplay
from storage.schema import models
from storage.schema.notification_models import Preference

_P = Preference


@answers(GetPreferences)
def of_user(database: SqliteDatabase, user_key: int) -> Preferences:
    """What they have chosen, or what holds for who has chosen nothing."""
    row = _OF_USER.first(database, user=user_key)
    if row is None:
        return Preferences()
    notify, deliver, quiet_from, quiet_to, time_zone, show_read, version = row
    return Preferences(
        notify, tuple(orjson.loads(deliver)), quiet_from, quiet_to, time_zone, bool(show_read), version
    )  # fmt: skip


_OF_USER = Prepared(
    lambda given: _P.select(
        _P.notify, _P.deliver, _P.quiet_from, _P.quiet_to, _P.time_zone, _P.show_read, _P.version
    ).where(_P.user == given.user)
)


@answers(GetThreadPreferences)
def of_thread(database: SqliteDatabase, identity: Identity, thread_id: str) -> ThreadPreferences:
    """Raises `NotFound` where the identity is no member."""
    key, _ = access.visible_thread(database, identity, thread_id)
    return in_thread(database, identity, key, thread_id)


def in_thread(database: SqliteDatabase, identity: Identity, thread_key: int, thread_id: str) -> ThreadPreferences:
    M = models.Member
    query = M.select(M.notify, M.muted).where((M.thread == thread_key) & (M.user == identity.user.key))
    row = rows.first(database, query)
    if row is None:
        raise NotFound("member", identity.user.id)
    notify = cast("Notify | None", row[0])  # the column has no other
    return ThreadPreferences(thread_id, notify, bool(row[1]))


def _replayed(replay: UserReplay, entry: Entry) -> Preferences | Facts:
    """Preferences for one thread are held by the entry itself."""
    if entry.facts:
        return entry.facts
    found: Preferences = replay.once(Preferences, lambda: of_user(replay.database, replay.user_key))
    return found


USER_LOADERS: Final[UserLoaders] = {PREFERENCES_UPDATED: _replayed}


PERSONAL = (Personal(_P.user, withheld="their user reads them at any time"),)
