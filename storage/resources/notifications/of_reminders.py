"""Notifications of reminders: in the feed of the user who wanted to be reminded, whatever of threads they want to hear,
and by the ways that they have chosen."""

from actors.identifiers import new_id
from actors.resources.schedules import Schedule
from actors.resources.user_events import NOTIFICATION_CREATED, UserEvent
from storage.journal import user_log
from storage.journal.transaction import Transaction
from storage.journal.user_log import Entry
from storage.readers import rows
from storage.resources.notifications.reading import by_ids
from storage.resources.notifications.writing import INSERT_OUTBOX, outbox_rows
from storage.schema import notification_models

_N, _P = notification_models.Notification, notification_models.Preference


def remind(tx: Transaction, schedule: Schedule) -> tuple[UserEvent, ...]:
    """A reminder is sent: in the same transaction, so that it is in the feed once, whatever comes next."""
    user_key, uid = schedule.user_key, new_id()
    thread_key = None if schedule.thread_id is None else tx.thread(schedule.thread_id)[0]
    tx.execute(
        _N.insert(
            uid=uid, user=user_key, kind="reminder", thread=thread_key, actor=user_key, created_at=tx.now,
            schedule=schedule.key,
        )
    )  # fmt: skip
    found = by_ids(tx.database, user_key, [uid])[uid]
    ways = rows.first(
        tx.database, _P.select(_P.deliver, _P.quiet_from, _P.quiet_to, _P.time_zone).where(_P.user == user_key)
    )
    waiting = [] if ways is None else outbox_rows(tx, user_key, found.key, ways)
    if waiting:
        INSERT_OUTBOX.run(tx.database, waiting)
    return user_log.tell(tx, [Entry(user_key, NOTIFICATION_CREATED, found, {"id": uid})])
