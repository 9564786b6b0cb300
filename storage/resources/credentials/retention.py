"""What goes of credentials: expired sessions, sign-in links and revoked tokens, changes of access that all processes
have seen; and what goes with a user."""

from typing import Any

from peewee import fn

from actors import limits
from actors.resources.api_keys import ListApiKeys
from actors.resources.sessions import ListSessions
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.schema import identity_models as models


def purge(tx: Transaction, count: int) -> int:
    month, day = tx.now - limits.SESSION_SECONDS * 1000, tx.now - limits.ACCESS_CHANGES_SECONDS * 1000
    Change = models.AccessChange
    newest = Change.select(fn.MAX(Change.id))  # kept: no key may be used again, because other processes follow by it
    ended = models.Session.select(models.Session.id).where(models.Session.expires_at < month)
    outdated = (
        (models.RefreshToken, models.RefreshToken.session.in_(ended)),  # a session has thousands: not all in one step
        (models.Session, models.Session.expires_at < month),
        (models.SignInLink, models.SignInLink.expires_at < day),
        (models.RevokedToken, models.RevokedToken.expires_at < tx.now),
        (Change, (Change.changed_at < day) & (Change.id < newest)),
    )
    taken = 0
    for model, condition in outdated:
        if taken < count:
            key: Any = model._meta.primary_key
            query = model.select(key).where(condition).limit(count - taken)
            keys = [row[0] for row in rows.fetch(tx.database, query)]
            tx.execute(model.delete().where(key.in_(keys)))
            taken += len(keys)
    return taken


PURGES = (purge,)
PERSONAL = (
    Personal(models.Session.user, export=ListSessions),  # with the addresses and devices that stand beside them
    Personal(models.ApiKey.user, export=ListApiKeys),
    Personal(models.Password.user, withheld="a hash, which helps only those who guess"),
    Personal(models.SignInLink.user, withheld="a hash of a secret that was sent by mail"),
    Personal(
        models.ExternalAccount.user,
        kept="hashes of its subjects, so that a token of that issuer does not bring the user back",
        withheld="the account shows what its issuer has said: name, e-mail address, picture",
    ),
)
