"""Forms that expired unanswered: their author and the members who could have answered are notified."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, SQL, fn

from actors import limits
from actors.outcomes import Done
from actors.resources.actions import FORM_EXPIRED, ExpireForms, Subject
from storage.journal import user_log
from storage.journal.transaction import Transaction
from storage.journal.user_log import Entry
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.actions.deadlines import D
from storage.resources.actions.records import A
from storage.resources.actions.writing import is_answered
from storage.schema import artifact_models, models

_M, _R, _T, _U = models.Message, artifact_models.Artifact, models.Thread, models.User
_Member = models.Member


@dataclass(frozen=True, slots=True)
class _Expired:
    subject: Subject
    key: int
    block_id: str
    expires_at: int
    author: int
    thread: tuple[int, str]


@writes(ExpireForms)
def expire_forms(tx: Transaction, command: ExpireForms) -> Done[int]:
    """Each once: what was looked at is forgotten in the same transaction. Where an answer waits for the author, it is
    looked at once the author has said what became of it."""
    due = (D.expires_at <= command.before) & ~_waits()
    found = rows.fetch(tx.database, _due().where(due).limit(command.rows))
    tx.execute(D.delete().where(D.id.in_([row[0] for row in found])))
    forms = [form for row in found if (form := _form(row)) is not None]
    entries = [entry for form in forms if not is_answered(tx, form.subject, form.key, form.block_id)
               for entry in _entries(tx, form)]  # fmt: skip
    return Done(len(found), user_events=user_log.tell(tx, entries))


def _waits() -> Any:
    same = ((A.message == D.message) | (A.artifact == D.artifact)) & (A.block_id == D.block_id)
    return fn.EXISTS(A.select(SQL("1")).where(same & A.is_counted_once & (A.status == "pending")))


def _due() -> Any:
    """The oldest first."""
    return (
        D.select(
            D.id, D.block_id, D.expires_at, _M.id, _M.uid, _M.author, _R.id, _R.uid, _R.creator, _T.id, _T.uid,
            _T.status, _T.deleted_at,
        )
        .join(_M, JOIN.LEFT_OUTER, on=(D.message == _M.id))
        .join_from(D, _R, JOIN.LEFT_OUTER, on=(D.artifact == _R.id))
        .join_from(D, _T, on=(_T.id == fn.COALESCE(_M.thread, _R.thread)))
        .order_by(D.expires_at)
    )  # fmt: skip


def _form(row: tuple[Any, ...]) -> _Expired | None:
    """None in a thread where nobody could have answered: closed, or deleted."""
    _, block_id, expires_at, *subjects, thread_key, thread_id, status, deleted_at = row
    if status == "CLOSED" or deleted_at is not None:
        return None
    key, uid, author = subjects[:3] if subjects[0] is not None else subjects[3:]
    subject = Subject("message" if subjects[0] is not None else "artifact", uid)
    return _Expired(subject, key, block_id, expires_at, author, (thread_key, thread_id))


def _entries(tx: Transaction, form: _Expired) -> Iterator[Entry]:
    facts = {
        f"{form.subject.kind}_id": form.subject.id, "thread_id": form.thread[1], "block_id": form.block_id,
        "expires_at": form.expires_at,
    }  # fmt: skip
    for user in _people(tx, form):
        yield Entry(user, FORM_EXPIRED, facts)


def _people(tx: Transaction, form: _Expired) -> list[int]:
    """The author, if still there, and those who may write and have not muted the thread."""
    there = (_Member.thread == form.thread[0]) & (_U.status == "ACTIVE")
    query = _Member.select(_U.id).join(_U, on=(_Member.user == _U.id))
    author = [user for (user,) in rows.fetch(tx.database, query.where(there & (_U.id == form.author)))]
    asked = there & (_U.id != form.author) & (_Member.role != "VIEWER") & ~_Member.muted
    most = limits.FORM_MEMBERS
    others = [user for (user,) in rows.fetch(tx.database, query.where(asked).order_by(_U.id).limit(most + 1))]
    return author + (others if len(others) <= most else [])
