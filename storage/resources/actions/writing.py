"""What commands do to actions: act, answer, expire. Each looks before it writes."""

from collections.abc import Mapping
from typing import Any, Final

from peewee import JOIN, fn

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, ValidationFailed, XpError
from actors.events import EventKind
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.actions import (
    ACTION_CREATED,
    ACTION_UPDATED,
    Act,
    Action,
    AnswerAction,
    Checked,
    ExpireActions,
    Subject,
    SubjectKind,
)
from actors.resources.messages import EditMessage, Message
from actors.resources.users import Author
from storage.compiled import Prepared
from storage.journal import results
from storage.journal.transaction import Transaction, given
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.actions import reading, records, subjects, telling
from storage.resources.actions.subjects import Ground
from storage.resources.audit import writing as audit
from storage.resources.messages import writing as messages
from storage.schema import action_models, models

_A, _U = action_models.Action, models.User


@writes(Act)
def act(tx: Transaction, command: Act) -> Done[Action]:
    ground = subjects.find(tx, command.thread_id, command.subject, command.identity)
    permissions.must_be_writer(ground.role, ground.status)
    checked = _must_be_offered(ground, command)
    _must_be_heard(tx, ground)
    _must_be_open(tx, ground, command, checked)
    action = _insert(tx, ground, command, checked)
    if checked.is_counted_once:
        facts = {"thread_id": ground.thread[1], "action_id": action.id, "block_id": action.block_id}
        audit.act(tx, command, "answer_approval", (command.subject.kind, command.subject.id), None, facts)
    return _told(tx, ground.thread, ACTION_CREATED, command.identity.author, action)


def _told(
    tx: Transaction, thread: tuple[int, str], kind: EventKind, actor: Author, action: Action
) -> Done[Action]:  # fmt: skip
    events = telling.log(tx, thread, kind, actor, [action])
    return Done(action, events, user_events=telling.tell(tx, thread[0], kind, [action]))


def _must_be_offered(ground: Ground, command: Act) -> Checked:
    if ground.author == command.identity.user.key:
        author = subjects.AUTHORS[ground.subject.kind].capitalize()
        raise Forbidden(f"{author} does not act on it: others do, and its author answers.")
    if isinstance(command.checked, XpError):
        raise command.checked
    subjects.must_be_there(deleted=ground.deleted)
    if ground.mark != command.checked.mark:
        kind = ground.subject.kind
        raise Conflict(f"The {kind} was changed meanwhile; read it again.", code=_CHANGED[kind])
    return command.checked


_CHANGED: Final[Mapping[SubjectKind, str]] = {"message": "message_changed", "artifact": "artifact_changed"}


def _must_be_heard(tx: Transaction, ground: Ground) -> None:
    """By an author who is there."""
    row = rows.first(tx.database, _U.select(_U.status).where(_U.id == ground.author))
    if row != ("ACTIVE",) or tx.role(ground.thread[0], ground.author) is None:
        author = subjects.AUTHORS[ground.subject.kind].capitalize()
        raise Conflict(f"{author} is no longer in the thread: nobody would answer.", code="author_gone")


def _must_be_open(tx: Transaction, ground: Ground, command: Act, checked: Checked) -> None:
    if checked.closes_at is not None and tx.now >= checked.closes_at:
        raise Conflict("The time in which this form could be answered is over.", code="form_expired")
    once, pending = _COUNTS[ground.subject.kind]
    if checked.is_counted_once and once.first(tx.database, subject=ground.key, block_id=command.block_id):
        raise Conflict("This was answered already; the first answer counts.", code="already_answered")
    user = command.identity.user.key
    if pending.all(tx.database, subject=ground.key, user=user)[0][0] >= limits.ACTIONS_PENDING:
        raise Conflict(
            f"{limits.ACTIONS_PENDING} of your actions on this {ground.subject.kind} wait for its author; wait for an "
            "answer.",
            code="actions_pending",
        )  # fmt: skip


def _insert(tx: Transaction, ground: Ground, command: Act, checked: Checked) -> Action:
    origin = command.origin
    written = tx.execute(
        _A.insert(
            **{ground.subject.kind: ground.key},
            uid=new_id(), subject_version=ground.version,
            author=ground.author, user=command.identity.user.key, block_id=command.block_id,
            action_id=command.action_id, kind=checked.kind, value=checked.value, state=checked.state,
            is_counted_once=checked.is_counted_once, correlation_id=origin.correlation_id if origin else "",
            created_at=tx.now, expires_at=tx.now + limits.ACTION_SECONDS * 1000,
        )
    )  # fmt: skip
    return _by_key(tx, written)


def _by_key(tx: Transaction, key: int) -> Action:
    (action,) = records.by_keys(tx.database, [key])
    return action


def _counts(column: Any) -> tuple[Prepared, Prepared]:
    """(an answer that counts; how many of a user wait)."""
    return (
        Prepared(
            lambda given: _A.select(_A.id).where(
                column == given.subject,
                _A.block_id == given.block_id,
                _A.is_counted_once == 1,
                _A.status.in_(["pending", "done"]),
            )
        ),
        Prepared(
            lambda given: _A.select(fn.COUNT(_A.id)).where(
                column == given.subject, _A.user == given.user, _A.status == "pending"
            )
        ),
    )


_COUNTS = {kind: _counts(column) for kind, column in subjects.COLUMNS.items()}


def is_answered(tx: Transaction, subject: Subject, key: int, block_id: str) -> bool:
    """Whether an answer counts, or waits for its author. `key`: of the subject."""
    return _COUNTS[subject.kind][0].first(tx.database, subject=key, block_id=block_id) is not None


# Answered


@writes(AnswerAction)
def answer_action(tx: Transaction, command: AnswerAction) -> Done[Action]:
    action = _find(tx, command)
    key, uid, status = tx.thread(command.thread_id)
    role = tx.role(key, command.identity.user.key)
    permissions.must_write(command.identity, role, uid, status)  # type: ignore[arg-type]  # CHECK holds the statuses
    if action.status != "pending":
        raise Conflict(f"The action is {action.status}; it is answered once.", code="action_ended")
    edited = _edit(tx, command, action)
    fields = {"status": command.status, "text": command.text, "errors": command.errors, "answered_at": tx.now}
    tx.execute(_A.update(**fields, version=_A.version + 1).where(_A.id == action.key))
    answered = _by_key(tx, action.key)
    told = _told(tx, (key, uid), ACTION_UPDATED, command.identity.author, answered)
    return Done(answered, (*edited.events, *told.events), user_events=(*edited.user_events, *told.user_events))


def _find(tx: Transaction, command: AnswerAction) -> Action:
    found = records.of(tx.database, rows.fetch(tx.database, records.query().where(_A.uid == command.action_id)))
    me = command.identity
    if not found or (me.user.key not in (found[0].user.key, found[0].author.key) and not me.is_admin):
        raise NotFound("action", command.action_id)
    if found[0].author.key != me.user.key:
        raise Forbidden(f"Only {subjects.AUTHORS[found[0].subject.kind]} answers its actions.")
    return found[0]


def _edit(tx: Transaction, command: AnswerAction, action: Action) -> Done[Message | None]:
    fields = given(content=command.content, blocks=command.blocks, metadata=command.metadata)
    if not fields:
        return Done(None)
    if action.subject.kind != "message":
        raise ValidationFailed({"message": ["expected nothing: this action is on an artifact; change that by itself."]})
    edit = EditMessage(
        identity=command.identity, thread_id=command.thread_id, message_id=action.subject.id, origin=command.origin,
        **fields,
    )  # fmt: skip
    return messages.edit_message(tx, edit)


# Expired


@writes(ExpireActions)
def expire(tx: Transaction, command: ExpireActions) -> Done[int]:
    due = (_A.status == "pending") & (_A.expires_at <= tx.now)
    found = rows.fetch(tx.database, _expiring().where(due).limit(command.rows))
    keys = [key for key, *_ in found]
    tx.execute(_A.update(status="expired", answered_at=tx.now, version=_A.version + 1).where(_A.id.in_(keys)))
    done = Done(len(keys))
    for thread in {(key, uid) for _, key, uid in found}:
        expired = records.by_keys(tx.database, [key for key, *where in found if tuple(where) == thread])
        for action in expired:
            told = _told(tx, thread, ACTION_UPDATED, action.author, action)
            done.events += told.events
            done.user_events += told.user_events
    return done


def _expiring() -> Any:
    """(action, key and id of its thread)."""
    T = models.Thread
    return (
        _A.select(_A.id, T.id, T.uid)
        .join(records.M, JOIN.LEFT_OUTER, on=(_A.message == records.M.id))
        .join_from(_A, records.R, JOIN.LEFT_OUTER, on=(_A.artifact == records.R.id))
        .join_from(_A, T, on=(T.id == records.THREAD))
    )


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Action | None:
    """It shows its message as it is now, so the right to see that is asked again."""
    found = records.by_keys(tx.database, [reference["key"]])
    return found[0] if found and reading.may_see(tx.database, identity, found[0]) else None


results.keep(Action, refer=lambda action: {"key": action.key}, load=_again)
