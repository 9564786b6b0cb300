"""What commands do to threads."""

from dataclasses import replace
from typing import cast

from actors import commands, limits, rules
from actors.commands import Done, Gone
from actors.errors import Conflict
from actors.events import ControlChange, Event, ThreadGone
from actors.identifiers import new_id
from actors.records import Member, MemberRole, Thread, ThreadStatus
from actors.user_events import THREAD_LEFT, UserEvent
from storage import models, rows
from storage.searching import index
from storage.writing import audit, user_log, users
from storage.writing.members import joined
from storage.writing.transaction import Transaction, changed, given, must_match
from storage.writing.user_log import Entry


def create_thread(tx: Transaction, command: commands.CreateThread) -> Done:
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
    events = [_log(tx, thread, "thread.created", command)]
    events += (added := [_added(tx, thread, command, key) for key in members if key != creator.key])
    told = joined(tx, thread, creator, [event.data for event in added if isinstance(event.data, Member)])
    return Done(_read(tx, thread[0], command), tuple(events), told=told)


def _insert_members(tx: Transaction, thread_key: int, members: dict[int, MemberRole]) -> None:
    values = [{"thread": thread_key, "user": key, "role": role, "joined_at": tx.now} for key, role in members.items()]
    tx.execute(models.Member.insert_many(values))


def _added(tx: Transaction, thread: tuple[int, str], command: commands.CreateThread, user_key: int) -> Event:
    row = rows.first(
        tx.database,
        rows.members_query().where((models.Member.thread == thread[0]) & (models.Member.user == user_key)),
    )
    assert row is not None
    member: Member = rows.member_of(row)
    return tx.log(thread, "member.added", command.identity.author, member, ref=user_key)


def update_thread(tx: Transaction, command: commands.UpdateThread) -> Done:
    key, uid, _ = tx.thread(command.thread_id)
    role = tx.role(key, command.identity.user.key)
    rules.must_manage(command.identity, role, uid)
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
    with index.retitling(tx.database, key):
        tx.execute(update.where(models.Thread.id == key))
    audit.intervene(
        tx, command, role, "update_thread", {name: getattr(before, name) for name in difference}, difference
    )  # fmt: skip
    event = _log(tx, (key, uid), "thread.updated", command)
    return Done(event.data, (event,))


def hand_over(tx: Transaction, command: commands.HandOver) -> Done:
    key, uid, status = tx.thread(command.thread_id)
    rules.must_write(command.identity, tx.role(key, command.identity.user.key), uid, cast(ThreadStatus, status))
    before = _read(tx, key, command)
    if before.control == command.control:
        return Done(before)
    tx.execute(models.Thread.update(control=command.control).where(models.Thread.id == key))
    change = ControlChange(command.control, before.control, command.reason)
    small = {"control": change.control, "previous": change.previous, "reason": change.reason}
    event = tx.log((key, uid), "control.changed", command.identity.author, change, small=small)
    return Done(_read(tx, key, command), (event,))


def delete_thread(tx: Transaction, command: commands.DeleteThread) -> Done:
    """Gone for everybody at once; its rows follow in small steps (`purge`)."""
    key, uid, _ = tx.thread(command.thread_id)
    rules.must_manage(command.identity, tx.role(key, command.identity.user.key), uid)
    before = _read(tx, key, command)
    must_match(command.if_version, before.version)
    audit.act(tx, command, "delete_thread", ("thread", uid), {"message_count": before.message_count})
    event = tx.log((key, uid), "thread.deleted", command.identity.author, ThreadGone(uid))
    update = models.Thread.update(deleted_at=tx.now, title="", metadata="{}", memory="{}")
    with index.retitling(tx.database, key):
        tx.execute(update.where(models.Thread.id == key))
    return Done(Gone(uid), (event,), told=_told_gone(tx, (key, uid)))


def _told_gone(tx: Transaction, thread: tuple[int, str]) -> tuple[UserEvent, ...]:
    """By the logs of its members, where they are few; of a large thread the end of its own log has to tell."""
    query = models.Member.select(models.Member.user).where(models.Member.thread == thread[0])
    members = [row[0] for row in rows.fetch(tx.database, query.limit(limits.NOTIFIED_AT_ONCE + 1))]
    if len(members) > limits.NOTIFIED_AT_ONCE:
        return ()
    return user_log.tell(
        tx, (Entry(user, THREAD_LEFT, {"thread_id": thread[1], "reason": "deleted"}) for user in members)
    )


def _log(tx: Transaction, thread: tuple[int, str], event_type: str, command: commands.Command) -> Event:
    """An entry about the thread itself, which is told as it stands after it: the head of its log is this entry."""
    event = tx.log(thread, event_type, command.identity.author, ThreadGone(thread[1]))
    return replace(event, data=_read(tx, thread[0], command))


def _read(tx: Transaction, key: int, command: commands.Command) -> Thread:
    thread = rows.thread_by_key(tx.database, key, command.identity.author)
    assert thread is not None
    return thread
