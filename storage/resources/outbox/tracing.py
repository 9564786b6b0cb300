"""Why a user was notified, and what of it left the server: for operators."""

from peewee import SqliteDatabase, fn

from actors.errors import NotFound
from actors.resources.outbox import OutboxTrace, RowTrace
from storage.clock import now_ms
from storage.readers import rows
from storage.resources.mail.reading import verified_at
from storage.resources.notifications.reading import by_ids
from storage.resources.preferences.reading import of_user
from storage.resources.push.reading import P, is_good
from storage.schema import models, notification_models

_O, _N, _U = notification_models.Outbox, notification_models.Notification, models.User


def trace(database: SqliteDatabase, notification_id: str) -> OutboxTrace:
    """Raises `NotFound`, also where the thread was deleted since."""
    query = _N.select(_N.id, _U.id, _U.uid, _U.name).join(_U, on=(_N.user == _U.id)).where(_N.uid == notification_id)
    row = rows.first(database, query)
    found = None if row is None else by_ids(database, row[1], [notification_id]).get(notification_id)
    if row is None or found is None:
        raise NotFound("notification", notification_id)
    key, user_key, user_id, name = row
    sent = _O.select(_O.kind, _O.state, _O.attempts, _O.not_before, _O.error).where(_O.notification == key)
    devices = P.select(fn.COUNT(P.id)).where((P.user == user_key) & is_good(now_ms()))
    return OutboxTrace(
        found, user_id, name, of_user(database, user_key), rows.fetch(database, devices)[0][0],
        verified_at(database, user_key) is not None,
        tuple(RowTrace(*each) for each in rows.fetch(database, sent.order_by(_O.id))),
    )  # fmt: skip
