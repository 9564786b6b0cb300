"""What commands do to messages that are there: edit, delete, react."""

from dataclasses import dataclass, replace
from typing import Any

from peewee import Case

from actors import commands, limits, rules
from actors.commands import Done, Reacted
from actors.errors import Conflict, NotFound, ValidationFailed
from actors.events import Event, ReactionChange
from actors.mentions import may_mention, mentions
from actors.records import Identity, MemberRole, Message, ThreadStatus
from actors.user_events import UserEvent
from storage import models, rows
from storage.searching import index
from storage.writing import audit, notifications
from storage.writing.notifications import Cause, Written
from storage.writing.transaction import Transaction, changed, given, must_match


@dataclass(frozen=True, slots=True)
class Place:
    """A message, where it stands, and what the caller is there."""

    message: Message
    thread: tuple[int, str]
    role: MemberRole | None
    status: ThreadStatus


def edit_message(tx: Transaction, command: commands.EditMessage) -> Done:
    place = find(tx, command.thread_id, command.message_id, command.identity)
    message = place.message
    rules.must_edit(command.identity, place.role, message.author.key)
    rules.must_write(command.identity, place.role, place.thread[1], place.status)
    _must_be_there(message)
    if message.status == "STREAMING":
        raise Conflict("The message is still being written; complete it, or stop it, first.", code="message_streaming")
    must_match(command.if_version, message.version)
    fields = given(content=command.content, blocks=command.blocks, metadata=command.metadata)
    difference = changed(((name, getattr(message, name)) for name in fields), fields)
    if not difference:
        return Done(message)
    must_say_something({"content": message.content, "blocks": message.blocks, **difference})
    _keep_revision(tx, message, command.identity)
    write(tx, message.key, **difference, edited_at=tx.now, version=models.Message.version + 1)
    made = done(tx, place, "message.updated", command.identity)
    return replace(made, told=_name_more(tx, place, {"content": message.content, "blocks": message.blocks, **fields}))


def _name_more(tx: Transaction, place: Place, now: dict[str, Any]) -> tuple[UserEvent, ...]:
    """An edit notifies those whom the message did not name before."""
    message = place.message
    if not may_mention(now["content"], now["blocks"]):
        return ()
    said = replace(message, content=now["content"], blocks=now["blocks"])
    before = mentions(message.content, message.blocks)
    return notifications.of_messages(tx, [Written(said, place.thread[0], None, before)])


def must_say_something(fields: dict[str, Any], status: str = "COMPLETE") -> None:
    if status == "COMPLETE" and not fields["content"] and fields["blocks"] in (None, "[]"):
        raise ValidationFailed({"body": ["a message needs `content` or `blocks`; delete it instead."]})


def _keep_revision(tx: Transaction, message: Message, identity: Identity) -> None:
    Revision = models.MessageRevision
    insert = Revision.insert(
        message=message.key, version=message.version, content=message.content, blocks=message.blocks,
        metadata=message.metadata, edited_by=identity.user.key, replaced_at=tx.now,
    )  # fmt: skip
    tx.execute(insert)
    outdated = (Revision.message == message.key) & (Revision.version <= message.version - limits.REVISIONS_KEPT)
    tx.execute(Revision.delete().where(outdated))


def delete_message(tx: Transaction, command: commands.DeleteMessage) -> Done:
    """Leave a tombstone in its place; content, revisions and reactions are gone for good."""
    place = find(tx, command.thread_id, command.message_id, command.identity)
    message = place.message
    rules.must_delete(command.identity, place.role, message.author.key)
    _must_be_there(message)
    must_match(command.if_version, message.version)
    cancelled = _bury(tx, message.key, message.thread_id)
    before = {"message_id": message.id, "author_id": message.author.id}
    is_own = message.author.key == command.identity.user.key
    audit.intervene(tx, command, place.role, "delete_message", before, is_own=is_own)
    return replace(done(tx, place, "message.deleted", command.identity), told=cancelled)


def _bury(tx: Transaction, key: int, thread_id: str) -> tuple[UserEvent, ...]:
    Message = models.Message
    ended = Case(None, [(Message.status == "STREAMING", "INTERRUPTED")], Message.status)
    blank = {"content": "", "blocks": None, "metadata": "{}", "status": ended}
    write(tx, key, **blank, deleted_at=tx.now, version=models.Message.version + 1)
    tx.execute(models.MessageRevision.delete().where(models.MessageRevision.message == key))
    tx.execute(models.Reaction.delete().where(models.Reaction.message == key))
    return notifications.forget_message(tx, key, thread_id)


def erase(tx: Transaction, key: int, thread_id: str) -> Done:
    """Delete a message because its author is to be forgotten."""
    cancelled = _bury(tx, key, thread_id)
    return Done(None, (told(tx, key, "message.deleted"),), told=cancelled)


def told(tx: Transaction, key: int, event_type: str) -> Event:
    """Log what became of a message as its author's own act."""
    message = rows.message_by_key(tx.database, key, None)
    assert message is not None
    thread = rows.first(tx.database, models.Message.select(models.Message.thread).where(models.Message.id == key))
    assert thread is not None
    return tx.log((thread[0], message.thread_id), event_type, message.author, message, ref=key)


def react(tx: Transaction, command: commands.React) -> Done:
    place = find(tx, command.thread_id, command.message_id, command.identity)
    rules.must_write(command.identity, place.role, place.thread[1], place.status)
    _must_be_there(place.message)
    there = _has_reacted(tx, place.message.key, command)
    wanted = not there if command.wanted is None else command.wanted
    if wanted == there:
        return Done(Reacted(wanted, False, place.message))
    event = _give(tx, place, command) if wanted else _take_back(tx, place, command)
    reacted = Reacted(wanted, True, _again(tx, place.message, command.identity))
    tell = _notify_author if wanted else _take_notification_back
    return Done(reacted, (event,), told=tell(tx, place, command))


def _notify_author(tx: Transaction, place: Place, command: commands.React) -> tuple[UserEvent, ...]:
    author, actor = place.message.author, command.identity.author
    if author.key == actor.key:
        return ()
    return notifications.notify(tx, [Cause("reaction", author.key, place.thread, place.message, actor)])


def _take_notification_back(tx: Transaction, place: Place, command: commands.React) -> tuple[UserEvent, ...]:
    """Unless they have left another emoji."""
    R, actor = models.Reaction, command.identity.user.key
    others = R.select(R.emoji).where((R.message == place.message.key) & (R.user == actor)).limit(1)
    if rows.first(tx.database, others) is not None:
        return ()
    return notifications.forget_reactions(tx, place.message.key, place.thread[1], actor)


def _give(tx: Transaction, place: Place, command: commands.React) -> Event:
    groups = place.message.reactions
    if len(groups) >= limits.REACTIONS_PER_MESSAGE and all(group.emoji != command.emoji for group in groups):
        raise Conflict(f"A message takes at most {limits.REACTIONS_PER_MESSAGE} different emoji; it has them.")
    insert = models.Reaction.insert(
        message=place.message.key, emoji=command.emoji, user=command.identity.user.key, position=tx.position + 1,
        created_at=tx.now,
    )  # fmt: skip
    tx.execute(insert)
    return _log_reaction(tx, place, command, "reaction.added")


def _take_back(tx: Transaction, place: Place, command: commands.React) -> Event:
    tx.execute(models.Reaction.delete().where(_reaction(place.message.key, command)))
    return _log_reaction(tx, place, command, "reaction.removed")


def _log_reaction(tx: Transaction, place: Place, command: commands.React, event_type: str) -> Event:
    Reaction = models.Reaction
    same = (Reaction.message == place.message.key) & (Reaction.emoji == command.emoji)
    count = Reaction.select().where(same).bind(tx.database).count()
    author = command.identity.author
    change = ReactionChange(place.message.id, command.emoji, author, count)
    small = {"emoji": command.emoji, "count": count}
    return tx.log(place.thread, event_type, author, change, ref=place.message.key, small=small)


def _has_reacted(tx: Transaction, message_key: int, command: commands.React) -> bool:
    query = models.Reaction.select(models.Reaction.emoji).where(_reaction(message_key, command))
    return rows.first(tx.database, query) is not None


def _reaction(message_key: int, command: commands.React) -> Any:
    Reaction = models.Reaction
    mine = (Reaction.message == message_key) & (Reaction.user == command.identity.user.key)
    return mine & (Reaction.emoji == command.emoji)


def find(tx: Transaction, thread_id: str, message_id: str, identity: Identity) -> Place:
    key, uid, status = tx.thread(thread_id)
    role = tx.role(key, identity.user.key)
    rules.must_see(identity, role, uid)
    query = rows.messages_query().where((models.Message.uid == message_id) & (models.Message.thread == key))
    found = rows.messages_of(tx.database, rows.fetch(tx.database, query), identity.user.key)
    if not found:
        raise NotFound("message", message_id)
    return Place(found[0], (key, uid), role, status)  # type: ignore[arg-type]  # CHECK holds the statuses


def _must_be_there(message: Message) -> None:
    if message.deleted_at is not None:
        raise Conflict("The message was deleted.", code="message_deleted")


def write(tx: Transaction, key: int, **fields: Any) -> None:
    with index.rewriting(tx.database, [key] if fields.keys() & _FOUND_BY else ()):
        tx.execute(models.Message.update(**fields).where(models.Message.id == key))


_FOUND_BY = frozenset({"content", "blocks", "status", "deleted_at"})
"""Fields by which a search finds a message, or does not."""


def done(tx: Transaction, place: Place, event_type: str, identity: Identity) -> Done:
    key = place.message.key
    message = rows.message_by_key(tx.database, key, None)
    assert message is not None
    event = tx.log(place.thread, event_type, identity.author, message, ref=key)
    return Done(_again(tx, place.message, identity), (event,))


def _again(tx: Transaction, message: Message, identity: Identity) -> Message:
    again = rows.message_by_key(tx.database, message.key, identity.user.key)
    assert again is not None
    return again
