"""Who owns a thread when its last owner is gone: the member who has been there longest."""

from typing import Any

from peewee import Case

from actors.errors import Conflict
from actors.events import Event
from actors.resources.members import MEMBER_UPDATED, Member
from actors.resources.users import SYSTEM_SUBJECT, Author
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.members import markers
from storage.schema import models

_M, _U, _T = models.Member, models.User, models.Thread


def hand_on(tx: Transaction, thread: tuple[int, str], actor: Author) -> tuple[Event, ...]:
    """Hand ownership on where no owner can sign in; without effect where no member can."""
    if _OWNED.first(tx.database, thread=thread[0]) is not None:
        return ()
    heir = _HEIR.first(tx.database, thread=thread[0], system=SYSTEM_SUBJECT)
    if heir is None:
        return ()
    _PROMOTE.execute(tx.database, thread=thread[0], user=heir[0])
    member = rows.member(tx.database, thread[0], heir[0])
    assert member is not None
    shared: Member = markers.shown(tx.database, [member], None)[0]
    return (tx.log(thread, MEMBER_UPDATED, actor, shared, ref=heir[0]),)


def hand_on_all(tx: Transaction, user_key: int, actor: Author) -> tuple[Event, ...]:
    """All threads of a user who can sign in no more, or can again: perhaps nobody else could own them meanwhile."""
    theirs = _THREADS.all(tx.database, user=user_key)
    return tuple(event for key, uid in theirs for event in hand_on(tx, (key, uid), actor))


def must_leave_an_owner(tx: Transaction, thread_key: int, user_key: int) -> None:
    """Before an owner is one no more, by their own act or another owner's: another member who can sign in has to be
    one; of an owner who cannot, any other one will do."""
    others = _OTHER_OWNERS.all(tx.database, thread=thread_key, user=user_key)
    standing = [status for (status,) in others if status == "ACTIVE"]
    can_sign_in = _STATUS.first(tx.database, user=user_key) == ("ACTIVE",)
    if not (standing if can_sign_in else others):
        raise Conflict("A thread must have an owner; make another member OWNER first.", code="last_owner")


def _member(given: Any) -> Any:
    return (_M.thread == given.thread) & (_U.status == "ACTIVE")


_STATUS = Prepared(lambda given: _U.select(_U.status).where(_U.id == given.user))
_OTHER_OWNERS = Prepared(
    lambda given: (
        _M.select(_U.status)
        .join(_U, on=(_M.user == _U.id))
        .where(_M.thread == given.thread, _M.role == "OWNER", _M.user != given.user)
    )
)
_OWNED = Prepared(
    lambda given: _M.select(_M.user).join(_U, on=(_M.user == _U.id)).where(_member(given), _M.role == "OWNER").limit(1)
)
_PEOPLE_FIRST = Case(_U.kind, (("HUMAN", 0),), 1)
"""An assistant that owns a thread would leave its people without an owner to ask."""
_HEIR = Prepared(
    lambda given: (
        _M.select(_M.user)
        .join(_U, on=(_M.user == _U.id))
        .where(_member(given), _U.subject != given.system)
        .order_by(_PEOPLE_FIRST, _M.joined_at, _M.user)
        .limit(1)
    )
)
_PROMOTE = Prepared(
    lambda given: _M.update(role="OWNER", version=_M.version + 1).where(
        _M.thread == given.thread, _M.user == given.user
    )
)
_THREADS = Prepared(
    lambda given: (
        _T.select(_T.id, _T.uid).join(_M, on=(_M.thread == _T.id)).where(_M.user == given.user, _T.deleted_at.is_null())
    )
)
