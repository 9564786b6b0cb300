"""Who administers: that of administrators one is left, whatever happens at the same time, and that the built-in user
stays what it is. Asked in the transaction of the change."""

from actors import permissions
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden
from actors.resources.users import SYSTEM_SUBJECT, User
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.schema import models

_U = models.User


def must_administer(tx: Transaction, identity: Identity) -> None:
    """Also now: two administrators may take the role from each other at once. The terminal's user always may."""
    permissions.must_administer(identity)
    if is_system(identity.user):
        return
    row = _STANDING.first(tx.database, key=identity.user.key)
    if row is not None and row != ("ADMIN", "ACTIVE"):
        raise Forbidden("You are no longer an administrator.")


def must_not_be_last(tx: Transaction, user: User) -> None:
    """Before a user loses the role ADMIN, or is deactivated or deleted."""
    if is_last(tx, user):
        raise Conflict(
            "This is the only administrator who can sign in; give another user the role ADMIN first.", code="last_admin"
        )


def is_last(tx: Transaction, user: User) -> bool:
    """Whether this user is the last administrator. The terminal's own user does not count: no one can sign in as it."""
    if user.role != "ADMIN" or user.status != "ACTIVE":
        return False
    return not _OTHERS.all(tx.database, key=user.key, system=SYSTEM_SUBJECT)


def is_system(user: User) -> bool:
    return user.subject == SYSTEM_SUBJECT


def must_not_be_system(user: User) -> None:
    """The user of the terminal: it cannot be changed, and no one can sign in as it."""
    if is_system(user):
        raise Conflict(
            "The built-in user System cannot be changed, and nobody can sign in as it.", code="built_in_user"
        )


_STANDING = Prepared(lambda given: _U.select(_U.role, _U.status).where(_U.id == given.key))
_OTHERS = Prepared(
    lambda given: (
        _U.select(_U.id)
        .where(_U.role == "ADMIN", _U.status == "ACTIVE", _U.id != given.key, _U.subject != given.system)
        .limit(1)
    )
)
