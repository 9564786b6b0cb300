"""What commands do to the members of a thread and to their markers."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.commands import Gone
from actors.errors import Conflict, Forbidden, NotFound
from actors.events import Event
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.members import (
    MEMBER_ADDED,
    MEMBER_REMOVED,
    MEMBER_UPDATED,
    READ_UPDATED,
    AddMember,
    ListMemberships,
    MarkRead,
    Member,
    MemberGone,
    ReadChange,
    RemoveMember,
    UpdateMember,
)
from actors.resources.notifications import MarkUnread
from actors.resources.user_events import THREAD_JOINED, THREAD_LEFT, UserEvent
from actors.resources.users import Author
from storage.compiled import Prepared
from storage.journal import results, user_log
from storage.journal.transaction import Transaction, changed, given
from storage.journal.user_log import Entry
from storage.journal.writers import writes
from storage.personal import Personal
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.letters.inviting import invite
from storage.resources.members import markers, ownership
from storage.resources.notifications import state as feed
from storage.resources.notifications import writing as notifications
from storage.resources.notifications.writing import Cause
from storage.resources.users import writing as users
from storage.schema import models


@writes(AddMember)
def add_member(tx: Transaction, command: AddMember) -> Done[Member]:
    key, uid, _ = tx.thread(command.thread_id)
    mine = tx.role(key, command.identity.user.key)
    permissions.must_manage(command.identity, mine, uid)
    user_key = users.user_key(tx, command.user_id)
    if tx.role(key, user_key):
        raise Conflict(f"User {command.user_id!r} is already a member; PATCH changes the role.", code="already_member")
    _must_have_room(tx, key)
    insert = models.Member.insert(thread=key, user=user_key, role=command.role, joined_at=tx.now, **_all_read(tx, key))
    tx.execute(insert)
    audit.intervene(tx, command, mine, "add_member", after={"user_id": command.user_id, "role": command.role})
    member = _read(tx, key, user_key)
    shared, seen = _as_seen(tx, member, command.identity)
    event = tx.log((key, uid), MEMBER_ADDED, command.identity.author, shared, ref=user_key)
    handed_on = ownership.hand_on(tx, (key, uid), command.identity.author)
    if command.invite:
        invite(tx, users.by_key(tx, user_key), command.identity.user.key, key)
    return Done(seen, (event, *handed_on), user_events=joined(tx, (key, uid), command.identity.author, [member]))


def joined(tx: Transaction, thread: tuple[int, str], actor: Author, members: Iterable[Member]) -> tuple[UserEvent, ...]:
    """Those who were added learn of their thread by their own logs, and are notified."""
    others = [member for member in members if member.user.key != actor.key]
    facts = user_log.tell(
        tx, (Entry(m.user.key, THREAD_JOINED, {"thread_id": thread[1], "role": m.role}) for m in others)
    )
    return facts + notifications.notify(tx, [Cause("added", m.user.key, thread, None, actor) for m in others])


def _all_read(tx: Transaction, thread_key: int) -> dict[str, int]:
    """A newcomer has nothing unread: what was said before they came is history."""
    Thread = models.Thread
    row = rows.first(tx.database, Thread.select(Thread.offset, Thread.message_count).where(Thread.id == thread_key))
    assert row is not None
    return {"last_read_offset": row[0], "last_read_number": row[1]}


def _must_have_room(tx: Transaction, thread_key: int) -> None:
    count = models.Member.select().where(models.Member.thread == thread_key).bind(tx.database).count()
    if count >= limits.MEMBERS_PER_THREAD:
        raise Conflict(f"A thread may have at most {limits.MEMBERS_PER_THREAD} members; this one has {count}.")


@writes(UpdateMember)
def update_member(tx: Transaction, command: UpdateMember) -> Done[Member]:
    """Owners give roles; each member sets `muted` for themselves."""
    key, uid, _ = tx.thread(command.thread_id)
    user_key = _member_key(tx, key, command.user_id)
    member = _read(tx, key, user_key)
    fields = given(role=command.role, muted=command.muted)
    _must_be_allowed(command.identity, tx, key, uid, user_key, fields)
    must_match(command.if_version, member.version)
    difference = changed(((name, getattr(member, name)) for name in fields), fields)
    if not difference:
        return Done(_as_seen(tx, member, command.identity)[1])
    if member.role == "OWNER" and difference.get("role", "OWNER") != "OWNER":
        ownership.must_leave_an_owner(tx, key, user_key)
    _write(tx, key, user_key, **difference, version=models.Member.version + 1)
    facts = {"user_id": command.user_id}
    mine = tx.role(key, command.identity.user.key)
    before = {name: getattr(member, name) for name in difference}
    audit.intervene(
        tx, command, mine, "update_member", facts | before, facts | difference, is_own=difference.keys() == {"muted"}
    )
    shared, seen = _as_seen(tx, _read(tx, key, user_key), command.identity)
    event = tx.log((key, uid), MEMBER_UPDATED, command.identity.author, shared, ref=user_key)
    own = feed.muted_events(tx, uid, member, difference) if "muted" in difference else ()
    return Done(seen, (event,), user_events=own)


def _must_be_allowed(
    identity: Identity, tx: Transaction, key: int, uid: str, user_key: int, fields: dict[str, Any]
) -> None:
    oneself = user_key == identity.user.key
    if not (oneself and fields.keys() <= {"muted"}):
        permissions.must_manage(identity, tx.role(key, identity.user.key), uid)
    if not oneself and "muted" in fields:
        raise Forbidden("You can mute a thread only for yourself.")


@writes(RemoveMember)
def remove_member(tx: Transaction, command: RemoveMember) -> Done[Gone]:
    """An owner removes any member; any member may leave, but the last owner."""
    key, uid, _ = tx.thread(command.thread_id)
    mine = tx.role(key, command.identity.user.key)
    permissions.must_see(command.identity, mine, uid)
    user_key = _member_key(tx, key, command.user_id)
    if user_key != command.identity.user.key:
        permissions.must_manage(command.identity, mine, uid)
    must_match(command.if_version, _read(tx, key, user_key).version)
    if tx.role(key, user_key) == "OWNER":
        ownership.must_leave_an_owner(tx, key, user_key)
    gone = MemberGone(tx.author(user_key))
    tx.execute(models.Member.delete().where(_is(key, user_key)))
    audit.intervene(
        tx,
        command,
        mine,
        "remove_member",
        before={"user_id": command.user_id},
        is_own=user_key == command.identity.user.key,
    )
    event = tx.log((key, uid), MEMBER_REMOVED, command.identity.author, gone, ref=user_key)
    return Done(Gone(command.user_id), (event,), user_events=left(tx, (key, uid), user_key, "removed"))


def left(tx: Transaction, thread: tuple[int, str], user_key: int, reason: str) -> tuple[UserEvent, ...]:
    """What they were notified of there is not theirs to read any more."""
    notifications.forget_member(tx, thread, user_key)
    return user_log.tell(tx, [Entry(user_key, THREAD_LEFT, {"thread_id": thread[1], "reason": reason})])


@writes(MarkRead)
def mark_read(tx: Transaction, command: MarkRead) -> Done[Member]:
    key, uid, _ = tx.thread(command.thread_id)
    user_key = command.identity.user.key
    permissions.must_see(command.identity, tx.role(key, user_key), uid)
    member = _read(tx, key, _must_be_member(tx, key, user_key, command.identity.user.id))
    offset, number = _point(tx, key, command.offset)
    # What was read already may have notified since: by an edit, a reaction, or because its reader was added.
    cancelled = notifications.read_up_to(tx, (key, uid), user_key, offset)
    if offset <= member.last_read_offset:
        return Done(member, user_events=cancelled)
    has_own = _OWN_AFTER.all(tx.database, thread=key, user=user_key)[0][0] > 0
    moved = _move_marker(tx, (key, uid), ReadChange(command.identity.author, offset, number), has_own=has_own)
    return replace(moved, user_events=moved.user_events + cancelled)


@writes(MarkUnread)
def mark_unread(tx: Transaction, command: MarkUnread) -> Done[Member]:
    """The only way back for a marker."""
    key, uid, _ = tx.thread(command.thread_id)
    user_key = command.identity.user.key
    permissions.must_see(command.identity, tx.role(key, user_key), uid)
    member = _read(tx, key, _must_be_member(tx, key, user_key, command.identity.user.id))
    offset, number = max(feed.before_offset(tx, key, command.offset), feed.furthest_back(tx, key))
    if offset >= member.last_read_offset:
        return Done(member)
    return _move_marker(tx, (key, uid), ReadChange(command.identity.author, offset, number), has_own=True)


def _move_marker(tx: Transaction, thread: tuple[int, str], change: ReadChange, *, has_own: bool) -> Done[Member]:
    """`has_own`: some of the reader's own messages may be after the marker; to write moves it, so mostly none are.

    Of a member who does not want others to know how far they have read only their own log tells."""
    key, reader = thread[0], change.user
    where = {"last_read_offset": change.last_read_offset, "last_read_number": change.last_read_number}
    own = feed.own_after(tx, key, reader.key, change.last_read_offset) if has_own else 0
    _MOVE.execute(tx.database, thread=key, user=reader.key, own_after=own, **where)
    events: tuple[Event, ...] = ()
    if feed.shows_read(tx, reader.key):
        events = (tx.log(thread, READ_UPDATED, reader, change, ref=reader.key, small=where),)
    return Done(_read(tx, key, reader.key), events, user_events=feed.read_events(tx, thread[1], change))


def _point(tx: Transaction, thread_key: int, offset: int | None) -> tuple[int, int]:
    """(offset, number) of the newest message at or before `offset`."""
    row = feed.BEFORE.first(tx.database, thread=thread_key, offset=_NEVER if offset is None else offset + 1)
    return (row[0], row[1]) if row else (0, 0)


_NEVER = 2**63 - 1
_MOVE = Prepared(
    lambda given: models.Member.update(
        last_read_offset=given.last_read_offset, last_read_number=given.last_read_number, own_after=given.own_after
    ).where(_is(given.thread, given.user))
)


_OWN_AFTER = Prepared(lambda given: models.Member.select(models.Member.own_after).where(_is(given.thread, given.user)))


def _is(thread_key: Any, user_key: Any) -> Any:
    return (models.Member.thread == thread_key) & (models.Member.user == user_key)


def _read(tx: Transaction, thread_key: int, user_key: int) -> Member:
    member = rows.member(tx.database, thread_key, user_key)
    assert member is not None
    return member


def _as_seen(tx: Transaction, member: Member, identity: Identity) -> tuple[Member, Member]:
    """As seen by all members, and by the caller."""
    return markers.shown(tx.database, [member], None)[0], markers.shown(tx.database, [member], identity.user.key)[0]


def _write(tx: Transaction, thread_key: int, user_key: int, **fields: Any) -> None:
    tx.execute(models.Member.update(**fields).where(_is(thread_key, user_key)))


def _member_key(tx: Transaction, thread_key: int, user_id: str) -> int:
    row = rows.first(tx.database, models.User.select(models.User.id).where(models.User.uid == user_id))
    return _must_be_member(tx, thread_key, row[0] if row else None, user_id)


def _must_be_member(tx: Transaction, thread_key: int, user_key: int | None, user_id: str) -> int:
    if user_key is None or tx.role(thread_key, user_key) is None:
        raise NotFound("member", user_id)
    return user_key


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Member | None:
    same = (models.Thread.uid == reference["thread"]) & (models.Member.user == reference["user"])
    row = rows.first(tx.database, rows.members_query().where(same))
    return markers.shown(tx.database, [rows.member_of(row)], identity.user.key)[0] if row else None


results.keep(Member, refer=lambda member: {"thread": member.thread_id, "user": member.user.key}, load=_again)


PERSONAL = (
    Personal(
        models.Member.user, export=ListMemberships,
        kept="the user leaves each thread by an event of its own; one that was deleted takes its members with it",
    ),
)  # fmt: skip
