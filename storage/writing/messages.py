"""What commands do to messages that are there: edit, delete, react."""

from dataclasses import dataclass
from typing import Any

from actors import commands, limits, rules
from actors.commands import Done, Reacted
from actors.errors import Conflict, NotFound, ValidationFailed
from actors.events import Event, ReactionChange
from actors.records import Identity, MemberRole, Message, ThreadStatus
from storage import models, rows
from storage.writing.transaction import Transaction, changed, given, must_match


@dataclass(frozen=True, slots=True)
class _Place:
    """A message, where it stands, and what the caller is there."""

    message: Message
    thread: tuple[int, str]
    role: MemberRole | None
    status: ThreadStatus


def edit_message(tx: Transaction, command: commands.EditMessage) -> Done:
    place = _find(tx, command.thread_id, command.message_id, command.identity)
    message = place.message
    rules.must_edit(command.identity, place.role, message.author.key)
    rules.must_write(command.identity, place.role, place.thread[1], place.status)
    _must_be_there(message)
    must_match(command.if_version, message.version)
    fields = given(content=command.content, blocks=command.blocks, metadata=command.metadata)
    difference = changed(((name, getattr(message, name)) for name in fields), fields)
    if not difference:
        return Done(message)
    _must_say_something({"content": message.content, "blocks": message.blocks, **difference})
    _keep_revision(tx, message, command.identity)
    _write(tx, message.key, **difference, edited_at=tx.now, version=models.Message.version + 1)
    return _done(tx, place, "message.updated", command.identity)


def _must_say_something(fields: dict[str, Any]) -> None:
    if not fields["content"] and fields["blocks"] in (None, "[]"):
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
    place = _find(tx, command.thread_id, command.message_id, command.identity)
    message = place.message
    rules.must_delete(command.identity, place.role, message.author.key)
    _must_be_there(message)
    must_match(command.if_version, message.version)
    blank = {"content": "", "blocks": None, "metadata": "{}"}
    _write(tx, message.key, **blank, deleted_at=tx.now, version=models.Message.version + 1)
    tx.execute(models.MessageRevision.delete().where(models.MessageRevision.message == message.key))
    tx.execute(models.Reaction.delete().where(models.Reaction.message == message.key))
    return _done(tx, place, "message.deleted", command.identity)


def react(tx: Transaction, command: commands.React) -> Done:
    place = _find(tx, command.thread_id, command.message_id, command.identity)
    rules.must_write(command.identity, place.role, place.thread[1], place.status)
    _must_be_there(place.message)
    there = _has_reacted(tx, place.message.key, command)
    wanted = not there if command.wanted is None else command.wanted
    if wanted == there:
        return Done(Reacted(wanted, False, place.message))
    event = _give(tx, place, command) if wanted else _take_back(tx, place, command)
    return Done(Reacted(wanted, True, _again(tx, place.message, command.identity)), (event,))


def _give(tx: Transaction, place: _Place, command: commands.React) -> Event:
    groups = place.message.reactions
    if len(groups) >= limits.REACTIONS_PER_MESSAGE and all(group.emoji != command.emoji for group in groups):
        raise Conflict(f"A message takes at most {limits.REACTIONS_PER_MESSAGE} different emoji; it has them.")
    insert = models.Reaction.insert(
        message=place.message.key, emoji=command.emoji, user=command.identity.user.key, position=tx.position + 1,
        created_at=tx.now,
    )  # fmt: skip
    tx.execute(insert)
    return _log_reaction(tx, place, command, "reaction.added")


def _take_back(tx: Transaction, place: _Place, command: commands.React) -> Event:
    tx.execute(models.Reaction.delete().where(_reaction(place.message.key, command)))
    return _log_reaction(tx, place, command, "reaction.removed")


def _log_reaction(tx: Transaction, place: _Place, command: commands.React, event_type: str) -> Event:
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


def _find(tx: Transaction, thread_id: str, message_id: str, identity: Identity) -> _Place:
    key, uid, status = tx.thread(thread_id)
    role = tx.role(key, identity.user.key)
    rules.must_see(identity, role, uid)
    query = rows.messages_query().where((models.Message.uid == message_id) & (models.Message.thread == key))
    found = rows.messages_of(tx.database, rows.fetch(tx.database, query), identity.user.key)
    if not found:
        raise NotFound("message", message_id)
    return _Place(found[0], (key, uid), role, status)  # type: ignore[arg-type]  # CHECK holds the statuses


def _must_be_there(message: Message) -> None:
    if message.deleted_at is not None:
        raise Conflict("The message was deleted.", code="message_deleted")


def _write(tx: Transaction, key: int, **fields: Any) -> None:
    tx.execute(models.Message.update(**fields).where(models.Message.id == key))


def _done(tx: Transaction, place: _Place, event_type: str, identity: Identity) -> Done:
    key = place.message.key
    told = rows.message_by_key(tx.database, key, None)
    assert told is not None
    event = tx.log(place.thread, event_type, identity.author, told, ref=key)
    return Done(_again(tx, place.message, identity), (event,))


def _again(tx: Transaction, message: Message, identity: Identity) -> Message:
    again = rows.message_by_key(tx.database, message.key, identity.user.key)
    assert again is not None
    return again
