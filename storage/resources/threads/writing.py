"""What commands do to threads."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from peewee import fn

from actors import commands, limits, permissions
from actors.auth.identity import Identity
from actors.commands import Gone
from actors.errors import Conflict
from actors.events import Event, EventKind
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.members import MEMBER_ADDED, Member, MemberRole
from actors.resources.threads import (
    CONTROL_CHANGED,
    THREAD_CREATED,
    THREAD_DELETED,
    THREAD_UPDATED,
    ControlChange,
    CreateThread,
    DeleteThread,
    HandOver,
    Thread,
    ThreadGone,
    ThreadStatus,
    UpdateThread,
)
from actors.resources.user_events import THREAD_LEFT, UserEvent
from actors.thread_parts import FIELDS
from storage.journal import results, user_log
from storage.journal.transaction import Transaction, changed, given
from storage.journal.user_log import Entry
from storage.journal.writers import writes
from storage.personal import Personal
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.holds.protection import held_users
from storage.resources.members.writing import joined
from storage.resources.schedules import writing as schedules
from storage.resources.threads.titles import retitling
from storage.resources.users import writing as users
from storage.schema import models


@writes(CreateThread)
def create_thread(tx: Transaction, command: CreateThread) -> Done[Thread]:
    """The creator owns it; other members may come with it. Their additions are entries of its log too."""
    uid = command.thread_id or new_id()
    if rows.first(tx.database, models.Thread.select(models.Thread.id).where(models.Thread.uid == uid)):
        raise Conflict(f"The id {uid!r} is taken.", code="id_taken")
    creator = command.identity.author
    insert = models.Thread.insert(
        uid=uid, title=command.title, creator=creator.key, metadata=command.metadata, created_at=tx.now,
        updated_at=tx.now,
    )  # fmt: skip
    thread = (int(tx.execute(insert)), uid)
    members: dict[int, MemberRole] = {users.user_key(tx, user_id): role for user_id, role in command.members}
    members[creator.key] = "OWNER"
    _insert_members(tx, thread[0], members)
    events = [_log(tx, thread, THREAD_CREATED, command)]
    events += (added := [_added(tx, thread, command, key) for key in members if key != creator.key])
    user_events = joined(tx, thread, creator, [event.data for event in added if isinstance(event.data, Member)])
    return Done(_read(tx, thread[0], command), tuple(events), user_events=user_events)


def _insert_members(tx: Transaction, thread_key: int, members: dict[int, MemberRole]) -> None:
    values = [{"thread": thread_key, "user": key, "role": role, "joined_at": tx.now} for key, role in members.items()]
    tx.execute(models.Member.insert_many(values))


def _added(tx: Transaction, thread: tuple[int, str], command: CreateThread, user_key: int) -> Event:
    member = rows.member(tx.database, thread[0], user_key)
    assert member is not None
    return tx.log(thread, MEMBER_ADDED, command.identity.author, member, ref=user_key)


@writes(UpdateThread)
def update_thread(tx: Transaction, command: UpdateThread) -> Done[Thread]:
    key, uid, _ = tx.thread(command.thread_id)
    role = tx.role(key, command.identity.user.key)
    permissions.must_manage(command.identity, role, uid)
    before = _read(tx, key, command)
    must_match(command.if_version, before.version)
    fields = given(
        title=command.title, status=command.status, metadata=command.metadata,
        while_streaming=command.while_streaming,
    )  # fmt: skip
    difference = changed(((name, getattr(before, name)) for name in fields), fields)
    if not difference:
        return Done(before)
    update = models.Thread.update(**difference, version=models.Thread.version + 1, updated_at=tx.now)
    with retitling(tx.database, key):
        tx.execute(update.where(models.Thread.id == key))
    audit.intervene(
        tx, command, role, "update_thread", {name: getattr(before, name) for name in difference}, difference
    )  # fmt: skip
    event = _log(tx, (key, uid), THREAD_UPDATED, command)
    assert isinstance(event.data, Thread)
    return Done(event.data, (event,))


@writes(HandOver)
def hand_over(tx: Transaction, command: HandOver) -> Done[Thread]:
    key, uid, status = tx.thread(command.thread_id)
    role, state = tx.role(key, command.identity.user.key), cast(ThreadStatus, status)  # the column has no other
    permissions.must_write(command.identity, role, uid, state)
    before = _read(tx, key, command)
    if before.control == command.control:
        return Done(before)
    tx.execute(models.Thread.update(control=command.control).where(models.Thread.id == key))
    change = ControlChange(command.control, before.control, command.reason)
    small = {"control": change.control, "previous": change.previous, "reason": change.reason}
    event = tx.log((key, uid), CONTROL_CHANGED, command.identity.author, change, small=small)
    return Done(_read(tx, key, command), (event,))


def forget_reasons(tx: Transaction, actor_key: int, after: int, up_to: int) -> None:
    """Why a user has handed threads over, in the entries of the log between two positions."""
    _E = models.Event
    there = (_E.position > after) & (_E.position <= up_to)
    theirs = there & (_E.actor == actor_key) & (_E.type == CONTROL_CHANGED.name)
    tx.execute(_E.update(data=fn.JSON_SET(_E.data, "$.reason", "")).where(theirs))


@writes(DeleteThread)
def delete_thread(tx: Transaction, command: DeleteThread) -> Done[Gone]:
    """Hidden from all at once; its rows are deleted in small steps (`purge`)."""
    key, uid, _ = tx.thread(command.thread_id)
    permissions.must_manage(command.identity, tx.role(key, command.identity.user.key), uid)
    before = _read(tx, key, command)
    must_match(command.if_version, before.version)
    audit.act(tx, command, "delete_thread", ("thread", uid), {"message_count": before.message_count})
    event = tx.log((key, uid), THREAD_DELETED, command.identity.author, ThreadGone(uid))
    update = models.Thread.update(deleted_at=tx.now, title="", metadata="{}", **_EMPTY_PARTS)
    with retitling(tx.database, key):
        tx.execute(update.where(models.Thread.id == key))
    return Done(Gone(uid), (event,), user_events=schedules.end_of_thread(tx, key) + _begin_telling(tx, (key, uid)))


_EMPTY_PARTS = {field.name: "{}" for field in FIELDS if field.is_json}


def _begin_telling(tx: Transaction, thread: tuple[int, str]) -> tuple[UserEvent, ...]:
    """All members where they are few; else some, the owners among them, whose memberships end: see `_half_told`. A
    legal hold keeps memberships, by which it protects the thread."""
    M = models.Member
    query = M.select(M.user, M.role, M.user.in_(held_users())).where(M.thread == thread[0])
    members = rows.fetch(tx.database, query)
    if len(members) <= limits.NOTIFIED_AT_ONCE:
        return _tell_gone(tx, thread, [user for user, *_ in members])
    first = [user for user, role, is_held in members if role == "OWNER" or is_held]
    return _end_memberships(tx, thread, first)


@writes(commands.NotifyThreadDeleted)
def notify_thread_deleted(tx: Transaction, command: commands.NotifyThreadDeleted) -> Done[int]:
    """Who does not follow the thread learns of its end by their own log alone; step by step where they are many."""
    M = models.Member
    thread = rows.first(tx.database, _half_told(command.thread_id))
    if thread is None:
        return Done(0)
    query = M.select(M.user).where((M.thread == thread[0]) & M.user.not_in(held_users())).limit(command.rows)
    user_events = _end_memberships(tx, (thread[0], thread[1]), [row[0] for row in rows.fetch(tx.database, query)])
    return Done(len(user_events), user_events=user_events)


def _half_told(thread_id: str | None) -> Any:
    """A deleted thread with members but no owner: its members still have to be notified. Not those under a legal hold:
    they were, with the owners."""
    T, M, Owner = models.Thread, models.Member, models.Member.alias("owner")
    is_owner = (Owner.thread == T.id) & (Owner.role == "OWNER") & Owner.user.not_in(held_users())
    query = T.select(T.id, T.uid).join(M, on=(M.thread == T.id)).where(T.deleted_at.is_null(False))
    query = query.where(M.user.not_in(held_users()), ~fn.EXISTS(Owner.select(Owner.user).where(is_owner)))
    return query.where(T.uid == thread_id) if thread_id is not None else query


def _end_memberships(tx: Transaction, thread: tuple[int, str], members: Sequence[int]) -> tuple[UserEvent, ...]:
    M = models.Member
    for start in range(0, len(members), limits.MEMBERSHIPS_ENDED):
        part = members[start : start + limits.MEMBERSHIPS_ENDED]
        theirs = (M.thread == thread[0]) & M.user.in_(part) & M.user.not_in(held_users())
        tx.execute(M.delete().where(theirs))
    return _tell_gone(tx, thread, members)


def _tell_gone(tx: Transaction, thread: tuple[int, str], members: Sequence[int]) -> tuple[UserEvent, ...]:
    return user_log.tell(
        tx, (Entry(user, THREAD_LEFT, {"thread_id": thread[1], "reason": "deleted"}) for user in members)
    )


def _log(tx: Transaction, thread: tuple[int, str], kind: EventKind, command: commands.Command[Any]) -> Event:
    """An entry about the thread itself, with the thread as it is after it: the head of its log is this entry."""
    event = tx.log(thread, kind, command.identity.author, ThreadGone(thread[1]))
    return replace(event, data=_read(tx, thread[0], command))


def _read(tx: Transaction, key: int, command: commands.Command[Any]) -> Thread:
    thread = rows.thread_by_key(tx.database, key, command.identity.author)
    assert thread is not None
    return thread


# Results, read again for an idempotency key


def read_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Thread | None:
    thread = rows.thread_by_key(tx.database, reference["key"], identity.author)
    if thread is None or thread.deleted_at is not None:
        return None
    return thread if thread.membership or identity.is_admin else None  # they may have left since


results.keep(Thread, refer=lambda thread: {"key": thread.key}, load=read_again)


PERSONAL = (
    Personal(models.Thread.creator, kept="the thread is its members'", withheld="the memberships show the thread"),
)
