"""Revocation, with the changes of access that other processes read, written in the same transaction."""

from actors.auth.access_changes import ChangeKind
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.schema.identity_models import AccessChange, ApiKey, Session, SignInLink


def changed(tx: Transaction, kind: ChangeKind, ref: str) -> None:
    """`ref`: public id of the user, session or key; id of the token."""
    tx.execute(AccessChange.insert(kind=kind, ref=ref, changed_at=tx.now))


def end_sessions(tx: Transaction, user_key: int, reason: str, but: str = "") -> int:
    """Every session of a user that goes on, except one; answers how many. Sign-in links that wait end as well."""
    end_links(tx, user_key)
    going = (Session.user == user_key) & Session.ended_at.is_null() & (Session.uid != but)
    uids = [row[0] for row in rows.fetch(tx.database, Session.select(Session.uid).where(going))]
    tx.execute(Session.update(ended_at=tx.now, end_reason=reason).where(going))
    for uid in uids:
        changed(tx, "session", uid)
    return len(uids)


def end_links(tx: Transaction, user_key: int) -> None:
    """Unused sign-in links: they were made for an account that has changed."""
    tx.execute(SignInLink.delete().where((SignInLink.user == user_key) & SignInLink.used_at.is_null()))


def revoke_keys(tx: Transaction, user_key: int) -> None:
    """Every API key of a user."""
    standing = (ApiKey.user == user_key) & ApiKey.revoked_at.is_null()
    for (uid,) in rows.fetch(tx.database, ApiKey.select(ApiKey.uid).where(standing)):
        changed(tx, "api_key", uid)
    tx.execute(ApiKey.update(revoked_at=tx.now).where(standing))
