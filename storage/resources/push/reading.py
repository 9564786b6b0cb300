"""Subscriptions to Web Push read: a user's own, and those that a notification goes to."""

from collections.abc import Sequence
from typing import Any

import orjson
from peewee import SQL, SqliteDatabase, fn

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.resources.push import GetSubscription, ListSubscriptions, LoadPush, Pushed, PushSubscription
from storage.clock import now_ms
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.notifications.reading import by_ids, unread_of
from storage.schema import identity_models, notification_models, push_models

P = push_models.PushSubscription
_O, _N = notification_models.Outbox, notification_models.Notification
_S, _K = identity_models.Session, identity_models.ApiKey


def query() -> Any:
    return P.select(P.id, P.uid, P.name, P.endpoint, P.p256dh, P.auth, P.created_at, P.sent_at, P.failing_since)


def of(row: Sequence[Any]) -> PushSubscription:
    key, uid, name, endpoint, p256dh, auth, created_at, sent_at, failing_since = row
    return PushSubscription(key, uid, name, endpoint, bytes(p256dh), bytes(auth), created_at, sent_at, failing_since)


def is_good(now: int) -> Any:
    """A condition: the session, or the API key, that made it has not ended, and may read."""
    session = _S.select(SQL("1")).where((_S.uid == P.session) & _S.ended_at.is_null() & (_S.expires_at > now))
    unexpired = _K.expires_at.is_null() | (_K.expires_at > now)
    may_read = _K.revoked_at.is_null() & unexpired & _K.scopes.contains("read")
    key = _K.select(SQL("1")).where((_K.uid == P.api_key) & may_read)
    return (P.session.is_null() | fn.EXISTS(session)) & (P.api_key.is_null() | fn.EXISTS(key))


@answers(ListSubscriptions)
def all_of(database: SqliteDatabase, identity: Identity) -> Sequence[PushSubscription]:
    mine = (P.user == identity.user.key) & is_good(now_ms())
    return [of(row) for row in rows.fetch(database, query().where(mine).order_by(P.id.desc()))]


@answers(GetSubscription)
def one(database: SqliteDatabase, identity: Identity, subscription_id: str) -> PushSubscription:
    mine = (P.uid == subscription_id) & (P.user == identity.user.key) & is_good(now_ms())
    row = rows.first(database, query().where(mine))
    if row is None:
        raise NotFound("subscription", subscription_id)
    return of(row)


@answers(LoadPush)
def load(database: SqliteDatabase, outbox_key: int) -> Pushed | None:
    waits = (_O.id == outbox_key) & (_O.state == "pending") & _N.read_at.is_null()
    row = rows.first(database, _O.select(_O.user, _O.reached, _N.uid).join(_N).where(waits))
    if row is None:
        return None
    user_key, reached, uid = row
    notification = by_ids(database, user_key, [uid]).get(uid)
    if notification is None:
        return None
    theirs = (P.user == user_key) & is_good(now_ms())
    done = set(orjson.loads(reached))
    found = [of(each) for each in rows.fetch(database, query().where(theirs).order_by(P.id))]
    left = tuple(each for each in found if each.key not in done)
    return Pushed(notification, left, unread_of(database, user_key), bool(done))
