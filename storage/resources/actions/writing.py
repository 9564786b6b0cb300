"""What commands do to actions: act, answer, expire. Each looks before it writes."""

from peewee import fn

from actors import limits, rules
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, XpError
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.actions import ACTION_CREATED, ACTION_UPDATED, Act, Action, AnswerAction, Checked, ExpireActions
from actors.resources.messages import EditMessage, Message
from actors.resources.user_events import UserEvent
from storage.compiled import Prepared
from storage.journal import results
from storage.journal.transaction import Transaction, given
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.actions import reading, records, telling
from storage.resources.audit import writing as audit
from storage.resources.messages import writing as messages
from storage.resources.messages.writing import Place
from storage.schema import action_models, models

_A, _M, _U = action_models.Action, models.Message, models.User


@writes(Act)
def act(tx: Transaction, command: Act) -> Done[Action]:
    place = messages.find(tx, command.thread_id, command.message_id, command.identity)
    rules.must_write(command.identity, place.role, place.thread[1], place.status)
    checked = _must_be_offered(tx, place, command)
    _must_be_heard(tx, place)
    _must_be_open(tx, place, command, checked)
    action = _insert(tx, place, command, checked)
    if checked.is_counted_once:
        facts = {"thread_id": place.thread[1], "action_id": action.id, "block_id": action.block_id}
        audit.act(tx, command, "answer_approval", ("message", command.message_id), None, facts)
    return Done(action, user_events=telling.tell(tx, place.thread[0], ACTION_CREATED, [action]))


def _must_be_offered(tx: Transaction, place: Place, command: Act) -> Checked:
    if place.message.author.key == command.identity.user.key:
        raise Forbidden("The author of a message does not act on it: others do, and its author answers.")
    if isinstance(command.checked, XpError):
        raise command.checked
    if place.message.deleted_at is not None:
        raise Conflict("The message was deleted.", code="message_deleted")
    if (place.message.blocks or "[]") != command.checked.blocks:
        raise Conflict("The message was edited meanwhile; read it again.", code="message_changed")
    return command.checked


def _must_be_heard(tx: Transaction, place: Place) -> None:
    """By an author who is there."""
    author = place.message.author.key
    row = rows.first(tx.database, _U.select(_U.status).where(_U.id == author))
    if row != ("ACTIVE",) or tx.role(place.thread[0], author) is None:
        raise Conflict("The author of the message is no longer in the thread: nobody would answer.", code="author_gone")


def _must_be_open(tx: Transaction, place: Place, command: Act, checked: Checked) -> None:
    if checked.closes_at is not None and tx.now >= checked.closes_at:
        raise Conflict("The time in which this form could be answered is over.", code="form_expired")
    message = place.message.key
    if checked.is_counted_once and _ONCE.first(tx.database, message=message, block_id=command.block_id):
        raise Conflict("This was answered already; the first answer counts.", code="already_answered")
    user = command.identity.user.key
    if _PENDING.all(tx.database, message=message, user=user)[0][0] >= limits.ACTIONS_PENDING:
        raise Conflict(
            f"{limits.ACTIONS_PENDING} of your actions on this message wait for its author; wait for an answer.",
            code="actions_pending",
        )


def _insert(tx: Transaction, place: Place, command: Act, checked: Checked) -> Action:
    origin = command.origin
    written = tx.execute(
        _A.insert(
            uid=new_id(), message=place.message.key, message_version=place.message.version,
            author=place.message.author.key, user=command.identity.user.key, block_id=command.block_id,
            action_id=command.action_id, kind=checked.kind, value=checked.value, state=checked.state,
            is_counted_once=checked.is_counted_once, correlation_id=origin.correlation_id if origin else "",
            created_at=tx.now, expires_at=tx.now + limits.ACTION_SECONDS * 1000,
        )
    )  # fmt: skip
    return _by_key(tx, written)


def _by_key(tx: Transaction, key: int) -> Action:
    (action,) = records.by_keys(tx.database, [key])
    return action


_ONCE = Prepared(
    lambda given: _A.select(_A.id).where(
        _A.message == given.message,
        _A.block_id == given.block_id,
        _A.is_counted_once == 1,
        _A.status.in_(["pending", "done"]),
    )
)
_PENDING = Prepared(
    lambda given: _A.select(fn.COUNT(_A.id)).where(
        _A.message == given.message, _A.user == given.user, _A.status == "pending"
    )
)


# Answered


@writes(AnswerAction)
def answer_action(tx: Transaction, command: AnswerAction) -> Done[Action]:
    action = _find(tx, command)
    key, uid, status = tx.thread(command.thread_id)
    role = tx.role(key, command.identity.user.key)
    rules.must_write(command.identity, role, uid, status)  # type: ignore[arg-type]  # CHECK holds the statuses
    if action.status != "pending":
        raise Conflict(f"The action is {action.status}; it is answered once.", code="action_ended")
    edited = _edit(tx, command, action)
    fields = {"status": command.status, "text": command.text, "errors": command.errors, "answered_at": tx.now}
    tx.execute(_A.update(**fields, version=_A.version + 1).where(_A.id == action.key))
    answered = _by_key(tx, action.key)
    user_events = telling.tell(tx, key, ACTION_UPDATED, [answered])
    return Done(answered, edited.events, user_events=(*edited.user_events, *user_events))


def _find(tx: Transaction, command: AnswerAction) -> Action:
    found = records.of(rows.fetch(tx.database, records.query().where(_A.uid == command.action_id)))
    me = command.identity
    if not found or (me.user.key not in (found[0].user.key, found[0].author.key) and not me.is_admin):
        raise NotFound("action", command.action_id)
    if found[0].author.key != me.user.key:
        raise Forbidden("Only the author of the message answers its actions.")
    return found[0]


def _edit(tx: Transaction, command: AnswerAction, action: Action) -> Done[Message | None]:
    fields = given(content=command.content, blocks=command.blocks, metadata=command.metadata)
    if not fields:
        return Done(None)
    edit = EditMessage(
        identity=command.identity, thread_id=command.thread_id, message_id=action.message_id, origin=command.origin,
        **fields,
    )  # fmt: skip
    return messages.edit_message(tx, edit)


# Expired


@writes(ExpireActions)
def expire(tx: Transaction, command: ExpireActions) -> Done[int]:
    due = (_A.status == "pending") & (_A.expires_at <= tx.now)
    query = _A.select(_A.id, _M.thread).join(_M, on=(_A.message == _M.id)).where(due).limit(command.rows)
    found = rows.fetch(tx.database, query)
    keys = [key for key, _ in found]
    tx.execute(_A.update(status="expired", answered_at=tx.now, version=_A.version + 1).where(_A.id.in_(keys)))
    events: list[UserEvent] = []
    for thread_key in {thread for _, thread in found}:
        actions = records.by_keys(tx.database, [key for key, thread in found if thread == thread_key])
        events += telling.tell(tx, thread_key, ACTION_UPDATED, actions)
    return Done(len(keys), user_events=tuple(events))


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Action | None:
    """It shows its message as it is now, so the right to see that is asked again."""
    found = records.by_keys(tx.database, [reference["key"]])
    return found[0] if found and reading.may_see(tx.database, identity, found[0]) else None


results.keep(Action, refer=lambda action: {"key": action.key}, load=_again)
