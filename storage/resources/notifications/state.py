"""What commands do to a user's notifications, preferences and read marker."""

from typing import Any

import orjson
from peewee import JOIN, SQL, fn

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.commands import Gone, Unset
from actors.errors import NotFound
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.members import Member, ReadChange
from actors.resources.notifications import (
    DismissNotification,
    Preferences,
    ReadAllNotifications,
    ReadNotification,
    SetThreadPreferences,
    ThreadPreferences,
    UpdatePreferences,
)
from actors.resources.user_events import (
    NOTIFICATION_CANCELLED,
    NOTIFICATION_READ,
    NOTIFICATIONS_READ_ALL,
    PREFERENCES_UPDATED,
    THREAD_READ,
    UserEvent,
)
from storage.compiled import Prepared
from storage.journal import results, user_log
from storage.journal.transaction import Transaction, changed, given
from storage.journal.user_log import Entry
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.notifications import writing as notifications
from storage.resources.preferences import reading as preferences
from storage.schema import models, notification_models

_N, _P, _M = notification_models.Notification, notification_models.Preference, models.Message


@writes(ReadNotification)
def read_notification(tx: Transaction, command: ReadNotification) -> Done[None]:
    key, is_read, _ = _find(tx, command.identity.user.key, command.notification_id)
    if is_read:
        return Done(None)
    tx.execute(_N.update(read_at=tx.now).where(_N.id == key))
    notifications.withdraw(tx, [key])
    facts = {"id": command.notification_id}
    return Done(None, user_events=user_log.tell(tx, [Entry(command.identity.user.key, NOTIFICATION_READ, facts)]))


@writes(ReadAllNotifications)
def read_all_notifications(tx: Transaction, command: ReadAllNotifications) -> Done[int]:
    user_key = command.identity.user.key
    T = models.Thread
    gone = fn.EXISTS(T.select(SQL("1")).where((T.id == _N.thread) & T.deleted_at.is_null(False)))
    unread = (_N.user == user_key) & _N.read_at.is_null() & ~gone
    update = _N.update(read_at=tx.now).where(unread).returning(_N.id)
    keys = [row[0] for row in update.tuples().execute(tx.database)]
    if not keys:
        return Done(0)
    notifications.withdraw(tx, keys)
    return Done(
        len(keys), user_events=user_log.tell(tx, [Entry(user_key, NOTIFICATIONS_READ_ALL, {"count": len(keys)})])
    )


@writes(DismissNotification)
def dismiss_notification(tx: Transaction, command: DismissNotification) -> Done[Gone]:
    key, _, thread_id = _find(tx, command.identity.user.key, command.notification_id)
    tx.execute(_N.delete().where(_N.id == key))
    facts = {"ids": [command.notification_id], "thread_id": thread_id, "reason": "dismissed"}
    user_events = user_log.tell(tx, [Entry(command.identity.user.key, NOTIFICATION_CANCELLED, facts)])
    return Done(Gone(command.notification_id), user_events=user_events)


def _find(tx: Transaction, user_key: int, notification_id: str) -> tuple[int, bool, str | None]:
    """(key, whether it was read, id of its thread, if it has one); raises `NotFound`, also for another's."""
    T = models.Thread
    query = _N.select(_N.id, _N.read_at, T.uid).join(T, JOIN.LEFT_OUTER)
    mine = (_N.uid == notification_id) & (_N.user == user_key) & T.deleted_at.is_null()
    row = rows.first(tx.database, query.where(mine))
    if row is None:
        raise NotFound("notification", notification_id)
    return row[0], row[1] is not None, row[2]


# Preferences


@writes(UpdatePreferences)
def update_preferences(tx: Transaction, command: UpdatePreferences) -> Done[Preferences]:
    user_key = command.identity.user.key
    before = preferences.of_user(tx.database, user_key)
    must_match(command.if_version, before.version)
    fields = given(
        notify=command.notify, deliver=command.deliver, time_zone=command.time_zone, show_read=command.show_read
    )
    if not isinstance(command.quiet, Unset):
        fields["quiet_from"], fields["quiet_to"] = command.quiet or (None, None)
    difference = changed(((name, getattr(before, name)) for name in fields), fields)
    if not difference:
        return Done(before)
    if "deliver" in difference:
        notifications.withdraw_ways(tx, user_key, {*before.deliver} - {*difference["deliver"]})
        difference["deliver"] = orjson.dumps(difference["deliver"]).decode()
    insert = _P.insert(user=user_key, **difference, version=2)
    tx.execute(insert.on_conflict(conflict_target=[_P.user], update={**difference, _P.version: _P.version + 1}))
    after = preferences.of_user(tx.database, user_key)
    return Done(after, user_events=user_log.tell(tx, [Entry(user_key, PREFERENCES_UPDATED, after, {})]))


@writes(SetThreadPreferences)
def set_thread_preferences(tx: Transaction, command: SetThreadPreferences) -> Done[ThreadPreferences]:
    key, uid, _ = tx.thread(command.thread_id)
    user_key = command.identity.user.key
    permissions.must_see(command.identity, tx.role(key, user_key), uid)
    before = preferences.in_thread(tx.database, command.identity, key, uid)
    if before.notify == command.notify:
        return Done(before)
    mine = (models.Member.thread == key) & (models.Member.user == user_key)
    tx.execute(models.Member.update(notify=command.notify).where(mine))
    after = ThreadPreferences(uid, command.notify, before.muted)
    facts = {"thread_id": uid, "notify": command.notify, "muted": before.muted}
    return Done(after, user_events=user_log.tell(tx, [Entry(user_key, PREFERENCES_UPDATED, facts)]))


def muted_events(tx: Transaction, thread_id: str, before: Member, now: dict[str, Any]) -> tuple[UserEvent, ...]:
    """The member's other devices learn that the thread is muted, or is not any more."""
    key, user_key = tx.thread(thread_id)[0], before.user.key
    notify = _NOTIFY.all(tx.database, thread=key, user=user_key)[0][0]
    facts = {"thread_id": thread_id, "notify": notify, "muted": now["muted"]}
    return user_log.tell(tx, [Entry(user_key, PREFERENCES_UPDATED, facts)])


# Markers


def read_events(tx: Transaction, thread_id: str, change: ReadChange) -> tuple[UserEvent, ...]:
    """One's other devices learn how far one has read."""
    messages, number, hidden = _COUNT.all(tx.database, uid=thread_id, user=change.user.key)[0]
    facts = {
        "thread_id": thread_id,
        "last_read_offset": change.last_read_offset,
        "last_read_number": number,
        "unread_count": max(0, messages - number - hidden),
        "message_count": messages,
    }
    return user_log.tell(tx, [Entry(change.user.key, THREAD_READ, facts)])


def shows_read(tx: Transaction, user_key: int) -> bool:
    """Whether a user shows read receipts to others."""
    return preferences.of_user(tx.database, user_key).show_read


def before_offset(tx: Transaction, thread_key: int, offset: int) -> Any:
    """(offset, number) of the newest message before `offset`."""
    return BEFORE.first(tx.database, thread=thread_key, offset=offset) or (0, 0)


def furthest_back(tx: Transaction, thread_key: int) -> Any:
    """(offset, number) of the message up to which a marker may be moved back."""
    return _FURTHEST.first(tx.database, thread=thread_key, reach=limits.UNREAD_REACH) or (0, 0)


def own_after(tx: Transaction, thread_key: int, user_key: int, offset: int) -> int:
    """How many of the next messages after `offset` are the user's own, as far as a marker can be moved back."""
    found = _OWN_AFTER.all(tx.database, thread=thread_key, user=user_key, offset=offset, reach=limits.UNREAD_REACH)
    return int(found[0][0])


BEFORE = Prepared(
    lambda given: (
        _M.select(_M.offset, _M.number)
        .where(_M.thread == given.thread, _M.offset < given.offset)
        .order_by(_M.offset.desc())
        .limit(1)
    )
)
_FURTHEST = Prepared(
    lambda given: (
        _M.select(_M.offset, _M.number)
        .where(_M.thread == given.thread)
        .order_by(_M.offset.desc())
        .limit(1)
        .offset(given.reach)
    )
)


def _count_own(given: Any) -> Any:
    after = (_M.thread == given.thread) & (_M.offset > given.offset)
    reached = _M.select(_M.author.alias("author")).where(after).order_by(_M.offset).limit(given.reach)
    return reached.select_from(fn.COUNT(SQL("1"))).where(reached.c.author == given.user)


_OWN_AFTER = Prepared(_count_own)
_NOTIFY = Prepared(
    lambda given: models.Member.select(models.Member.notify).where(
        models.Member.thread == given.thread, models.Member.user == given.user
    )
)
_T, _R = models.Thread, models.Member
_COUNT = Prepared(
    lambda given: (
        _T.select(_T.message_count, _R.last_read_number, rows.HIDDEN)
        .join(_R, on=(_R.thread == _T.id))
        .where(_T.uid == given.uid, _R.user == given.user)
    )
)


# Results, read again for an idempotency key


def _preferences_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Preferences:
    return preferences.of_user(tx.database, identity.user.key)


def _thread_preferences_again(tx: Transaction, identity: Identity, reference: results.Reference) -> ThreadPreferences:
    return preferences.of_thread(tx.database, identity, reference["thread"])


results.keep(Preferences, refer=lambda _: {}, load=_preferences_again)
results.keep(ThreadPreferences, refer=lambda found: {"thread": found.thread_id}, load=_thread_preferences_again)
