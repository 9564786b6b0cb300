"""What commands do to schedules. Each looks before it writes."""

from typing import Any

from peewee import fn

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.commands import Unset
from actors.errors import Conflict, NotFound, ValidationFailed, XpError
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.schedules import (
    SCHEDULE_UPDATED,
    CancelSchedule,
    CreateSchedule,
    EndSchedule,
    Moment,
    Schedule,
    TakeSchedule,
    UpdateSchedule,
)
from actors.resources.user_events import UserEvent
from actors.text.normal import is_blank
from storage.journal import results, user_log
from storage.journal.transaction import Transaction, given
from storage.journal.user_log import Entry
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.messages.writing import must_say_something
from storage.resources.notifications.of_reminders import remind
from storage.resources.schedules import records
from storage.resources.schedules.records import S
from storage.schema import identity_models, models

_K = identity_models.ApiKey


@writes(CreateSchedule)
def create(tx: Transaction, command: CreateSchedule) -> Done[Schedule]:
    thread_key = None if command.thread_id is None else _thread(tx, command)
    _must_be_ahead(tx, command.at)
    _must_have_room(tx, command.identity)
    message_id = new_id() if command.kind == "message" else command.message_id
    key = tx.execute(
        S.insert(
            uid=new_id(), kind=command.kind, user=command.identity.user.key, thread=thread_key, message_id=message_id,
            content=command.content, blocks=command.blocks, metadata=command.metadata, created_at=tx.now,
            api_key=command.identity.api_key_id or None,
            **_columns(command.at),
        )
    )  # fmt: skip
    return _announced(tx, int(key))


def _thread(tx: Transaction, command: CreateSchedule) -> int:
    """Raises what would refuse the message, or the sight of the reminder's subject, now."""
    assert command.thread_id is not None
    key, uid, status = tx.thread(command.thread_id)
    role = tx.role(key, command.identity.user.key)
    if command.kind == "message":
        permissions.must_write(command.identity, role, uid, status)  # type: ignore[arg-type]  # CHECK holds the statuses
    else:
        permissions.must_see(command.identity, role, uid)
        _must_hold(tx, key, command.message_id)
    return key


def _must_hold(tx: Transaction, thread_key: int, message_id: str | None) -> None:
    M = models.Message
    there = (M.uid == message_id) & (M.thread == thread_key) & M.deleted_at.is_null()
    if message_id is not None and rows.first(tx.database, M.select(M.id).where(there)) is None:
        raise NotFound("message", message_id)


def _must_be_ahead(tx: Transaction, at: Moment) -> None:
    if not tx.now < at.due_at <= tx.now + limits.SCHEDULE_AHEAD_SECONDS * 1000:
        raise ValidationFailed({"at": ["expected a time in the future, at most a year ahead."]})


def _must_have_room(tx: Transaction, identity: Identity) -> None:
    waiting = S.select(fn.COUNT(S.id)).where((S.user == identity.user.key) & S.ended_at.is_null())
    if rows.fetch(tx.database, waiting)[0][0] >= limits.SCHEDULES_PENDING:
        raise Conflict(
            f"{limits.SCHEDULES_PENDING} of your schedules wait; cancel some, or wait until some are sent.",
            code="schedules_pending",
        )


def _columns(at: Moment) -> dict[str, Any]:
    return {"due_at": at.due_at, "local_time": at.local, "time_zone": at.time_zone}


@writes(UpdateSchedule)
def update(tx: Transaction, command: UpdateSchedule) -> Done[Schedule]:
    before = _pending(tx, command)
    fields = given(content=command.content, blocks=command.blocks, metadata=command.metadata)
    _must_fit(before, fields)
    if not isinstance(command.at, Unset):
        _must_be_ahead(tx, command.at)
        if command.at != before.at:
            fields |= _columns(command.at)
    if all(getattr(before, name, None) == value for name, value in fields.items()):
        return Done(before)
    tx.execute(S.update(**fields, version=S.version + 1).where(S.id == before.key))
    return _announced(tx, before.key)


def _must_fit(before: Schedule, fields: dict[str, Any]) -> None:
    if before.kind == "message":
        must_say_something({"content": before.content, "blocks": before.blocks, **fields})
        return
    if fields.keys() - {"content"}:
        raise ValidationFailed({"body": ["a reminder has no `blocks` and no `metadata`."]})
    note = fields.get("content", before.content)
    if len(note) > limits.SCHEDULE_NOTE_CHARS:
        raise ValidationFailed({"content": [f"expected at most {limits.SCHEDULE_NOTE_CHARS} characters."]})
    if is_blank(note) and before.thread_id is None:
        raise ValidationFailed({"content": ["a reminder that is about nothing needs `content`; cancel it instead."]})


@writes(CancelSchedule)
def cancel(tx: Transaction, command: CancelSchedule) -> Done[Schedule]:
    before = _pending(tx, command)
    return _end(tx, before.key, "cancelled", "")


def _pending(tx: Transaction, command: UpdateSchedule | CancelSchedule) -> Schedule:
    mine = (S.uid == command.schedule_id) & (S.user == command.identity.user.key)
    row = rows.first(tx.database, records.query().where(mine))
    if row is None:
        raise NotFound("schedule", command.schedule_id)
    found = records.of(row)
    if found.status != "pending":
        raise Conflict(f"The schedule is {found.status}; only a pending one can be changed.", code="schedule_ended")
    must_match(command.if_version, found.version)
    return found


# Due


@writes(TakeSchedule)
def take(tx: Transaction, command: TakeSchedule) -> Done[int]:
    row = rows.first(tx.database, records.query().where((S.id == command.key) & S.ended_at.is_null()))
    if row is None:
        return Done(0)
    found = records.of(row)
    if found.at.due_at > tx.now:  # changed since it was read
        return Done(0)
    if _is_written(tx, found):  # the process ended before it could say so
        return Done(0, user_events=_end(tx, found.key, "sent", "").user_events)
    if not _has_its_key(tx, found):
        return Done(0, user_events=_end(tx, found.key, "failed", "The API key that made it has ended.").user_events)
    if found.kind == "reminder":
        return _remind(tx, found)
    tx.execute(S.update(status="sending").where(S.id == found.key))
    return Done(1)


def _has_its_key(tx: Transaction, found: Schedule) -> bool:
    """Whether the API key that made it, if one did, is still good."""
    made_by = rows.fetch(tx.database, S.select(S.api_key).where(S.id == found.key))[0][0]
    if made_by is None:
        return True
    is_good = _K.revoked_at.is_null() & (_K.expires_at.is_null() | (_K.expires_at > tx.now))
    return rows.first(tx.database, _K.select(_K.id).where((_K.uid == made_by) & is_good)) is not None


def _is_written(tx: Transaction, found: Schedule) -> bool:
    M = models.Message
    return (
        found.status == "sending"
        and rows.first(tx.database, M.select(M.id).where(M.uid == found.message_id)) is not None
    )


def _remind(tx: Transaction, found: Schedule) -> Done[Any]:
    try:
        _must_see_subject(tx, found)
    except XpError as refusal:
        return _ended(_end(tx, found.key, "failed", refusal.detail))
    sent = _end(tx, found.key, "sent", "")
    return Done(1, user_events=sent.user_events + remind(tx, sent.result))


def _must_see_subject(tx: Transaction, found: Schedule) -> None:
    if found.thread_id is None:
        return
    key, uid, _ = tx.thread(found.thread_id)
    if tx.role(key, found.user_key) is None and not _is_admin(tx, found.user_key):
        raise NotFound("thread", uid)
    _must_hold(tx, key, found.message_id)


def _is_admin(tx: Transaction, user_key: int) -> bool:
    U = models.User
    return rows.first(tx.database, U.select(U.role).where(U.id == user_key)) == ("ADMIN",)


@writes(EndSchedule)
def end(tx: Transaction, command: EndSchedule) -> Done[int]:
    sending = (S.id == command.key) & (S.status == "sending")
    row = rows.first(tx.database, records.query().where(sending))
    if row is None:
        return Done(0)
    if command.status == "failed" and _is_written(tx, records.of(row)):  # its answer was lost
        return _ended(_end(tx, command.key, "sent", ""))
    return _ended(_end(tx, command.key, command.status, command.reason))


def _ended(done: Done[Any]) -> Done[int]:
    return Done(1, user_events=done.user_events)


def _end(tx: Transaction, key: int, status: str, reason: str) -> Done[Schedule]:
    said = reason[: limits.SCHEDULE_REASON_CHARS]
    tx.execute(S.update(status=status, reason=said, ended_at=tx.now, version=S.version + 1).where(S.id == key))
    return _announced(tx, key)


def _announced(tx: Transaction, key: int) -> Done[Schedule]:
    schedule = _by_key(tx, key)
    return Done(schedule, user_events=_tell(tx, schedule))


def _tell(tx: Transaction, schedule: Schedule) -> tuple[UserEvent, ...]:
    return user_log.tell(tx, [Entry(schedule.user_key, SCHEDULE_UPDATED, schedule, {"id": schedule.id})])


def _by_key(tx: Transaction, key: int) -> Schedule:
    row = rows.first(tx.database, records.query().where(S.id == key))
    assert row is not None, "it was written in this transaction"
    return records.of(row)


def end_of_thread(tx: Transaction, thread_key: int) -> tuple[UserEvent, ...]:
    """The thread was deleted: what waits in it will not be sent, and its users hear so now. Of very many the rest fail
    when they are due."""
    waits = (S.thread == thread_key) & (S.status == "pending")
    query = S.select(S.id).where(waits).order_by(S.id).limit(limits.SCHEDULES_ENDED)
    keys = [row[0] for row in rows.fetch(tx.database, query)]
    if not keys:
        return ()
    columns = {"status": "failed", "reason": "The thread was deleted.", "ended_at": tx.now, "version": S.version + 1}
    tx.execute(S.update(columns).where(S.id.in_(keys)))
    found = rows.fetch(tx.database, records.query().where(S.id.in_(keys)).order_by(S.id))
    schedules = map(records.of, found)
    return user_log.tell(tx, (Entry(each.user_key, SCHEDULE_UPDATED, each, {"id": each.id}) for each in schedules))


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Schedule | None:
    mine = (S.id == reference["key"]) & (S.user == identity.user.key)
    row = rows.first(tx.database, records.query().where(mine))
    return records.of(row) if row else None


results.keep(Schedule, refer=lambda schedule: {"key": schedule.key}, load=_again)
