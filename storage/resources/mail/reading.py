"""Addresses that were confirmed, and what a digest says."""

from collections.abc import Sequence

from peewee import JOIN, SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.resources.mail import Digest, GetMailbox, LoadDigest, Mailbox, Missed
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.notifications.reading import by_ids
from storage.resources.preferences.reading import of_user
from storage.schema import mail_models, models, notification_models

A = mail_models.MailAddress
_O, _N, _U, _T = notification_models.Outbox, notification_models.Notification, models.User, models.Thread


@answers(GetMailbox)
def mailbox(database: SqliteDatabase, identity: Identity) -> Mailbox:
    address = rows.fetch(database, _U.select(_U.email).where(_U.id == identity.user.key))[0][0]
    return Mailbox(address, verified_at(database, identity.user.key))


def verified_at(database: SqliteDatabase, user_key: int) -> int | None:
    """None: the user has not confirmed the address that they have now."""
    query = A.select(A.verified_at).join(_U).where((A.user == user_key) & (A.address == _U.email))
    row = rows.first(database, query)
    return None if row is None else row[0]


@answers(LoadDigest)
def digest(database: SqliteDatabase, user_key: int, keys: Sequence[int]) -> Digest | None:
    waits = _O.id.in_(list(keys)) & (_O.state == "pending") & _N.read_at.is_null() & _T.deleted_at.is_null()
    query = _N.select(_N.uid, _T.title).join(_O, on=(_O.notification == _N.id)).join_from(_N, _T, JOIN.LEFT_OUTER)
    found = rows.fetch(database, query.where(waits).order_by(_N.id.desc()))
    if not found:
        return None
    shown = found[: limits.MAIL_LISTED]
    known = by_ids(database, user_key, [uid for uid, _ in shown])
    missed = tuple(Missed(known[uid], title or "") for uid, title in shown if uid in known)
    zone = of_user(database, user_key).time_zone
    return Digest(verified_at(database, user_key) is not None, missed, len(found), zone)
