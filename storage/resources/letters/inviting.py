"""Letters that invite: to the server, or to a thread."""

from actors import limits
from actors.resources.users import SYSTEM_SUBJECT, User
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.schema import letter_models

L = letter_models.Letter


def invite(tx: Transaction, user: User, inviter_key: int, thread_key: int | None = None) -> None:
    """To the server, or to a thread that they were added to; once a day, and to few threads a day. Nothing where they
    have no address, or may not sign in."""
    if not user.email or not may_sign_in(user) or user.key == inviter_key:
        return
    lately = (L.user == user.key) & (L.kind == "invitation")
    lately &= tx.is_within(L.created_at, limits.LETTER_DAY_SECONDS)
    threads = [thread for (thread,) in rows.fetch(tx.database, L.select(L.thread).where(lately))]
    has_room = thread_key is None or len(threads) < limits.INVITATIONS_PER_DAY
    if thread_key not in threads and has_room:
        insert(tx, kind="invitation", user=user.key, address=user.email, inviter=inviter_key, thread=thread_key)


def may_sign_in(user: User) -> bool:
    return user.status == "ACTIVE" and user.subject != SYSTEM_SUBJECT


def insert(tx: Transaction, **fields: object) -> None:
    tx.execute(L.insert({"return_to": "", "created_at": tx.now, "not_before": tx.now, **fields}))
