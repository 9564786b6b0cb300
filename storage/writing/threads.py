"""What commands do to threads."""

from dataclasses import replace

from actors import commands, rules
from actors.commands import Done, Gone
from actors.errors import Conflict
from actors.events import Event, ThreadGone
from actors.identifiers import new_id
from actors.records import Member, MemberRole, Thread
from storage import models, rows
from storage.writing import users
from storage.writing.transaction import Transaction, changed, given, must_match


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
    events += [_added(tx, thread, command, key) for key in members if key != creator.key]
    return Done(_read(tx, thread[0], command), tuple(events))


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
    rules.must_manage(command.identity, tx.role(key, command.identity.user.key), uid)
    before = _read(tx, key, command)
    must_match(command.if_version, before.version)
    fields = given(title=command.title, status=command.status, metadata=command.metadata)
    difference = changed(((name, getattr(before, name)) for name in fields), fields)
    if not difference:
        return Done(before)
    update = models.Thread.update(**difference, version=models.Thread.version + 1, updated_at=tx.now)
    tx.execute(update.where(models.Thread.id == key))
    event = _log(tx, (key, uid), "thread.updated", command)
    return Done(event.data, (event,))


def delete_thread(tx: Transaction, command: commands.DeleteThread) -> Done:
    """Gone for everybody at once; its rows follow in small steps (`purge`)."""
    key, uid, _ = tx.thread(command.thread_id)
    rules.must_manage(command.identity, tx.role(key, command.identity.user.key), uid)
    must_match(command.if_version, _read(tx, key, command).version)
    event = tx.log((key, uid), "thread.deleted", command.identity.author, ThreadGone(uid))
    update = models.Thread.update(deleted_at=tx.now, title="", metadata="{}", memory="{}")
    tx.execute(update.where(models.Thread.id == key))
    return Done(Gone(uid), (event,))


def _log(tx: Transaction, thread: tuple[int, str], event_type: str, command: commands.Command) -> Event:
    """An entry about the thread itself, which is told as it stands after it: the head of its log is this entry."""
    event = tx.log(thread, event_type, command.identity.author, ThreadGone(thread[1]))
    return replace(event, data=_read(tx, thread[0], command))


def _read(tx: Transaction, key: int, command: commands.Command) -> Thread:
    thread = rows.thread_by_key(tx.database, key, command.identity.author)
    assert thread is not None
    return thread
