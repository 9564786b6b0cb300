"""What commands do to messages that are there: edit, delete."""

from dataclasses import dataclass, replace
from typing import Any

from peewee import Case

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.commands import Unset
from actors.errors import Conflict, NotFound, ValidationFailed
from actors.events import Event, EventKind
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.members import MemberRole
from actors.resources.messages import MESSAGE_DELETED, MESSAGE_UPDATED, DeleteMessage, EditMessage, Message
from actors.resources.threads import ThreadStatus
from actors.resources.user_events import UserEvent
from actors.resources.users import Author
from actors.text.mentions import may_mention
from actors.text.normal import is_blank
from storage.compiled import Prepared
from storage.journal import results
from storage.journal.transaction import Transaction, changed, given
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.acknowledgements import forgetting as acknowledgements
from storage.resources.actions import deadlines
from storage.resources.actions import telling as actions
from storage.resources.audit import writing as audit
from storage.resources.files import attaching
from storage.resources.files import writing as files
from storage.resources.notifications import writing as notifications
from storage.resources.notifications.mention_lookup import mentions
from storage.resources.notifications.writing import Written
from storage.schema import models
from storage.search import index


@dataclass(frozen=True, slots=True)
class Place:
    """A message, where it stands, and what the caller is there."""

    message: Message
    thread: tuple[int, str]
    role: MemberRole | None
    status: ThreadStatus


@writes(EditMessage)
def edit_message(tx: Transaction, command: EditMessage) -> Done[Message]:
    place = find(tx, command.thread_id, command.message_id, command.identity)
    message = place.message
    permissions.must_edit(command.identity, place.role, message.author.key)
    permissions.must_be_writer(place.role, place.status)
    must_be_there(message)
    if message.status == "STREAMING":
        raise Conflict("The message is still being streamed; complete or stop it first.", code="message_streaming")
    must_match(command.if_version, message.version)
    fields = given(content=command.content, blocks=command.blocks, metadata=command.metadata)
    difference = changed(((name, getattr(message, name)) for name in fields), fields)
    shown = _new_files(tx, place, command)
    if not difference and shown is None:
        return Done(message)
    says = {"content": message.content, "blocks": message.blocks, **difference}
    must_say_something(says, has_files=bool(message.files if shown is None else shown))
    _keep_revision(tx, message, command.identity)
    write(tx, message.key, **difference, edited_at=tx.now)
    joined = _show(tx, place, command, shown)
    made = done(tx, place, MESSAGE_UPDATED, command.identity)
    return replace(made, events=(*joined, *made.events), user_events=_rename(tx, place, says))


def _new_files(tx: Transaction, place: Place, command: EditMessage) -> tuple[str, ...] | None:
    """Where the edit changes which files the message shows; raises what speaks against one of them."""
    wanted = command.file_ids
    if isinstance(wanted, Unset) or wanted == tuple(file.id for file in place.message.files):
        return None
    fault = attaching.fault(tx, command.identity, place.thread[1], wanted)
    if fault is not None:
        raise fault
    return wanted


def _show(tx: Transaction, place: Place, command: EditMessage, shown: tuple[str, ...] | None) -> tuple[Event, ...]:
    if shown is None:
        return ()
    return attaching.attach(tx, command.identity, place.thread, place.message.key, shown)[1]


def _rename(tx: Transaction, place: Place, now: dict[str, Any]) -> tuple[UserEvent, ...]:
    """An edit notifies those whom the message did not name before, and no more those whom it names no more. One that
    was stopped or failed has notified nobody, and notifies nobody."""
    message = place.message
    if message.status != "COMPLETE":
        return ()
    if not (may_mention(now["content"], now["blocks"]) or may_mention(message.content, message.blocks)):
        return ()
    said = replace(message, content=now["content"], blocks=now["blocks"])
    before = mentions(message.content, message.blocks)
    answers = answered(tx, message.parent_id)
    return notifications.of_edit(tx, Written(said, place.thread[0], answers), before)


def answered(tx: Transaction, parent_id: str | None) -> int | None:
    """Author of the message that another one answers, unless it was deleted."""
    row = _ANSWERED.first(tx.database, uid=parent_id) if parent_id else None
    return row[0] if row else None


def must_say_something(fields: dict[str, Any], status: str = "COMPLETE", *, has_files: bool = False) -> None:
    if not has_files and status == "COMPLETE" and is_blank(fields["content"]) and fields["blocks"] in (None, "[]"):
        raise ValidationFailed({"body": ["a message needs `content`, `blocks` or `files`; delete it instead."]})


def _keep_revision(tx: Transaction, message: Message, identity: Identity) -> None:
    _KEEP_REVISION.execute(
        tx.database, message=message.key, version=message.version, content=message.content, blocks=message.blocks,
        metadata=message.metadata, edited_by=identity.user.key, now=tx.now,
    )  # fmt: skip
    _DROP_REVISIONS.execute(tx.database, message=message.key, version=message.version - limits.REVISIONS_KEPT)


@writes(DeleteMessage)
def delete_message(tx: Transaction, command: DeleteMessage) -> Done[Message]:
    """Leave a tombstone in its place; content, revisions and reactions are gone for good."""
    place = find(tx, command.thread_id, command.message_id, command.identity)
    message = place.message
    permissions.must_delete(command.identity, place.role, message.author.key)
    must_be_there(message)
    must_match(command.if_version, message.version)
    cancelled = _bury(tx, message.key, message.thread_id)
    before = {"message_id": message.id, "author_id": message.author.id}
    is_own = message.author.key == command.identity.user.key
    audit.intervene(tx, command, place.role, "delete_message", before, is_own=is_own)
    made = done(tx, place, MESSAGE_DELETED, command.identity)
    gone = files.with_message(tx, message.key, message.author, command.identity.author)
    return replace(made, events=(*made.events, *gone), user_events=cancelled)


def _bury(tx: Transaction, key: int, thread_id: str) -> tuple[UserEvent, ...]:
    with index.rewriting(tx.database, [key]):
        _BURY.execute(tx.database, key=key, now=tx.now)
    _FORGET_REVISIONS.execute(tx.database, key=key)
    _FORGET_REACTIONS.execute(tx.database, key=key)
    acknowledgements.forget_message(tx, key)
    deadlines.forget(tx, "message", key)
    gone = actions.forget_message(tx, key, thread_id)
    return (*gone, *notifications.forget_message(tx, key, thread_id))


def erase(tx: Transaction, key: int, thread_id: str) -> Done[None]:
    """Delete a message because its author is to be forgotten."""
    cancelled = _bury(tx, key, thread_id)
    event = logged(tx, key, MESSAGE_DELETED)
    return Done(None, (event, *files.with_message(tx, key, event.actor, event.actor)), user_events=cancelled)


def logged(tx: Transaction, key: int, kind: EventKind, actor: Author | None = None) -> Event:
    """Log what became of a message, as its author's own act where there is no other."""
    message = rows.message_by_key(tx.database, key, None)
    assert message is not None
    thread = rows.first(tx.database, models.Message.select(models.Message.thread).where(models.Message.id == key))
    assert thread is not None
    return tx.log((thread[0], message.thread_id), kind, actor or message.author, message, ref=key)


_M = models.Message
_ANSWERED = Prepared(lambda given: _M.select(_M.author).where(_M.uid == given.uid, _M.deleted_at.is_null()))


def find(tx: Transaction, thread_id: str, message_id: str, identity: Identity) -> Place:
    key, uid, status = tx.thread(thread_id)
    role = tx.role(key, identity.user.key)
    permissions.must_see(identity, role, uid)
    found = rows.messages_of(tx.database, _FIND.all(tx.database, uid=message_id, thread=key), identity.user.key)
    if not found:
        raise NotFound("message", message_id)
    return Place(found[0], (key, uid), role, status)  # type: ignore[arg-type]  # CHECK holds the statuses


_FIND = Prepared(lambda given: rows.messages_query().where(_M.uid == given.uid, _M.thread == given.thread))


def must_be_there(message: Message) -> None:
    if message.deleted_at is not None:
        raise Conflict("The message was deleted.", code="message_deleted")


def write(tx: Transaction, key: int, **fields: Any) -> None:
    """Make another version of a message."""
    names = tuple(sorted(fields))
    if names not in _WRITES:
        _WRITES[names] = Prepared(lambda given: _update(**{name: getattr(given, name) for name in names}, given=given))
    with index.rewriting(tx.database, [key] if fields.keys() & _FOUND_BY else ()):
        _WRITES[names].execute(tx.database, **fields, key=key)
    if "blocks" in fields:
        deadlines.of_message(tx, key, fields["blocks"])


def _update(*, given: Any, **fields: Any) -> Any:
    return _M.update(**fields, version=_M.version + 1).where(_M.id == given.key)


_WRITES: dict[tuple[str, ...], Prepared] = {}
"""Names of fields → what writes them."""
_FOUND_BY = frozenset({"content", "blocks", "status"})
"""Fields by which a search finds a message, or does not."""
_ENDED = Case(None, [(_M.status == "STREAMING", "INTERRUPTED")], _M.status)
_BURY = Prepared(
    lambda given: _update(content="", blocks=None, metadata="{}", status=_ENDED, deleted_at=given.now, given=given)
)
_V = models.MessageRevision
_KEEP_REVISION = Prepared(
    lambda given: _V.insert(
        message=given.message, version=given.version, content=given.content, blocks=given.blocks,
        metadata=given.metadata, edited_by=given.edited_by, replaced_at=given.now,
    )
)  # fmt: skip
_DROP_REVISIONS = Prepared(lambda given: _V.delete().where(_V.message == given.message, _V.version <= given.version))
_FORGET_REVISIONS = Prepared(lambda given: _V.delete().where(_V.message == given.key))
_FORGET_REACTIONS = Prepared(lambda given: models.Reaction.delete().where(models.Reaction.message == given.key))


def done(tx: Transaction, place: Place, kind: EventKind, identity: Identity) -> Done[Message]:
    mine = current(tx, place.message, identity)
    event = tx.log(place.thread, kind, identity.author, _as_seen_by_all(mine), ref=mine.key)
    return Done(mine, (event,))


def _as_seen_by_all(message: Message) -> Message:
    if not message.reactions:
        return message
    return replace(message, reactions=tuple(replace(group, reacted_by_me=False) for group in message.reactions))


def current(tx: Transaction, message: Message, identity: Identity) -> Message:
    """As it is now, for them."""
    again = rows.message_by_key(tx.database, message.key, identity.user.key)
    assert again is not None
    return again


# The result, read again for an idempotency key


def _read_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Message | None:
    return rows.message_by_key(tx.database, reference["key"], identity.user.key)


results.keep(Message, refer=lambda message: {"key": message.key}, load=_read_again)
