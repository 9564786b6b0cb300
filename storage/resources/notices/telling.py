"""A notice to the user of an account, in the transaction of the change it is about."""

from peewee import fn

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.resources.notices import Doer, NoticeKind
from actors.resources.users import User
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.letters.inviting import may_sign_in
from storage.schema import models, notice_models

N = notice_models.Notice


def tell(
    tx: Transaction, kind: NoticeKind, user: User, by: Doer, origin: Origin | None = None, detail: str = ""
) -> None:
    """`user`: as they were before. Sends nothing where the address may be another user's too, or where they may not
    sign in. The mail has address and browser of a change that the user made, not of one that an administrator made."""
    if not user.email or not may_sign_in(user) or _shares_address(tx, user) or not _has_room(tx, user):
        return
    where = origin if origin is not None and by == "user" else Origin("", "", "")
    tx.execute(
        N.insert(
            kind=kind,
            user=user.key,
            address=user.email,
            doer=by,
            came_from=where.address,
            user_agent=where.user_agent,
            detail=detail[: limits.NOTICE_DETAIL_CHARS],
            created_at=tx.now,
            not_before=tx.now,
        )
    )


def doer(identity: Identity, user: User) -> Doer:
    return "user" if identity.user.key == user.key else "administrator"


def _shares_address(tx: Transaction, user: User) -> bool:
    """From a time when several users could have the same address."""
    U = models.User
    return rows.first(tx.database, U.select(U.id).where((U.id == user.key) & (U.shares_email != 0))) is not None


def _has_room(tx: Transaction, user: User) -> bool:
    lately = (N.user == user.key) & tx.is_within(N.created_at, 3600)
    ((count,),) = rows.fetch(tx.database, N.select(fn.COUNT(N.id)).where(lately))
    return bool(count < limits.NOTICES_PER_HOUR)
