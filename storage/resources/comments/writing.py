"""What commands do to comments."""

from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.commands import Gone, Unset
from actors.errors import Conflict, NotFound
from actors.events import Event, EventKind
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.comments.comment import (
    COMMENT_CREATED,
    COMMENT_DELETED,
    COMMENT_UPDATED,
    AddComment,
    Comment,
    DeleteComment,
    UpdateComment,
    must_be_resolvable,
    must_delete_comment,
    must_edit_comment,
    must_take_replies,
)
from actors.resources.user_events import UserEvent
from actors.resources.users import Author
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.artifacts import bodies, places
from storage.resources.artifacts.places import Place
from storage.resources.audit import writing as audit
from storage.resources.comments import audience, records
from storage.resources.notifications import of_comments as notifications
from storage.schema import artifact_models, comment_models, models

_A, _V, _T = artifact_models.Artifact, artifact_models.ArtifactVersion, models.Thread
_C = comment_models.Comment
_EMPTY: dict[str, Any] = {"content": "", "anchor": None, "base_body": None}


@writes(AddComment)
def add_comment(tx: Transaction, command: AddComment) -> Done[Comment]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    _must_have_room(tx, place.key)
    parent = None
    if command.parent_id is not None:
        parent = _find(tx, place, command.parent_id)
        must_take_replies(parent)
        _must_have_replies_left(tx, parent.key)
    author = command.identity.author
    key = tx.execute(_C.insert(
        uid=command.comment_id, artifact=place.key, parent=parent.key if parent else None, author=author.key,
        content=command.content, base=command.base, base_body=_base_body(tx, place, command),
        anchor=records.encoded(command.anchor), created_at=tx.now, updated_at=tx.now,
    ))  # fmt: skip
    comment, events = _told(tx, key, place.thread, author, COMMENT_CREATED)
    return Done(comment, events, user_events=notifications.of_new(tx, audience.said(tx, comment, place.thread[0])))


def _base_body(tx: Transaction, place: Place, command: AddComment) -> int | None:
    """One more reference to the content that the anchor was made about."""
    version = (_V.artifact == place.key) & (_V.number == command.base)
    row = rows.first(tx.database, _V.select(_V.body).where(version))
    if row is None:
        raise NotFound("version", str(command.base))
    if command.anchor is None:
        return None
    bodies.again(tx, row[0])
    return int(row[0])


def _must_have_room(tx: Transaction, artifact: int) -> None:
    there = _C.select(_C.id).where((_C.artifact == artifact) & _C.deleted_at.is_null()).order_by(_C.id)
    if rows.first(tx.database, there.offset(limits.COMMENTS_PER_ARTIFACT - 1)) is not None:
        sentence = f"An artifact may have {limits.COMMENTS_PER_ARTIFACT} comments, and this one has them."
        raise Conflict(sentence, code="comments_full")


def _must_have_replies_left(tx: Transaction, parent: int) -> None:
    there = _C.select(_C.id).where((_C.parent == parent) & _C.deleted_at.is_null()).order_by(_C.id)
    if rows.first(tx.database, there.offset(limits.COMMENT_REPLIES - 1)) is not None:
        sentence = f"A comment may have {limits.COMMENT_REPLIES} replies, and this one has them."
        raise Conflict(sentence, code="comments_full")


@writes(UpdateComment)
def update_comment(tx: Transaction, command: UpdateComment) -> Done[Comment]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    before = _find(tx, place, command.comment_id)
    must_match(command.if_version, before.version)
    fields = _fields(tx, command, before)
    if not fields:
        return Done(before)
    tx.execute(_C.update(**fields, version=_C.version + 1, updated_at=tx.now).where(_C.id == before.key))
    comment, events = _told(tx, before.key, place.thread, command.identity.author, COMMENT_UPDATED)
    if "content" not in fields:
        return Done(comment, events)
    said = audience.said(tx, comment, place.thread[0])
    return Done(comment, events, user_events=notifications.of_edit(tx, said, before.content))


def _fields(tx: Transaction, command: UpdateComment, before: Comment) -> dict[str, Any]:
    """What the command changes."""
    if before.deleted_at is not None:
        raise Conflict("The comment was deleted.", code="comment_deleted")
    fields: dict[str, Any] = {}
    if not isinstance(command.content, Unset):
        must_edit_comment(command.identity, before.author.key)
        if command.content != before.content:
            fields |= {"content": command.content, "edited_at": tx.now}
    if not isinstance(command.is_resolved, Unset):
        must_be_resolvable(before)
        if command.is_resolved != (before.resolved_at is not None):
            is_now = command.is_resolved
            fields |= {
                "resolver": command.identity.user.key if is_now else None, "resolved_at": tx.now if is_now else None
            }  # fmt: skip
    return fields


@writes(DeleteComment)
def delete_comment(tx: Transaction, command: DeleteComment) -> Done[Gone]:
    """Leave a tombstone in its place; replies to it stay."""
    place = places.find(tx, command.artifact_id, command.identity)
    before = _find(tx, place, command.comment_id)
    must_delete_comment(command.identity, place.role, before.author.key)
    must_match(command.if_version, before.version)
    if before.deleted_at is not None:
        return Done(Gone(before.id))
    if before.author.key != command.identity.user.key:
        facts = {"comment_id": before.id, "author_id": before.author.id}
        audit.act(tx, command, "delete_comment", ("artifact", place.id), None, facts)
    cancelled = _bury(tx, before.key, place.thread[1])
    _, events = _told(tx, before.key, place.thread, command.identity.author, COMMENT_DELETED)
    return Done(Gone(before.id), events, user_events=cancelled)


def _bury(tx: Transaction, key: int, thread_id: str) -> tuple[UserEvent, ...]:
    row = rows.first(tx.database, _C.select(_C.base_body).where(_C.id == key))
    update = _C.update(**_EMPTY, deleted_at=tx.now, updated_at=tx.now, version=_C.version + 1)
    tx.execute(update.where(_C.id == key))
    if row is not None and row[0] is not None:
        bodies.release(tx, [row[0]])
    return notifications.forget(tx, key, thread_id)


def _find(tx: Transaction, place: Place, comment_id: str) -> Comment:
    row = rows.first(tx.database, records.query().where((_C.uid == comment_id) & (_C.artifact == place.key)))
    if row is None:
        raise NotFound("comment", comment_id)
    return records.of(row)


def _told(
    tx: Transaction, key: int, thread: tuple[int, str], actor: Author, kind: EventKind
) -> tuple[Comment, tuple[Event, ...]]:
    comment = records.by_key(tx.database, [key])[key]
    return comment, (tx.log(thread, kind, actor, comment, ref=key),)


# Erased


def erase(tx: Transaction, author: int) -> Done[None]:
    """Some of the comments that a user has written."""
    there = _A.deleted_at.is_null() & _T.deleted_at.is_null() & _C.deleted_at.is_null()
    query = (
        _C.select(_C.id, _T.id, _T.uid).join(_A, on=(_C.artifact == _A.id)).join_from(_A, _T, on=(_A.thread == _T.id))
    )
    mine = query.where((_C.author == author) & there).order_by(_C.id).limit(limits.COMMENTS_ERASED)
    actor, done = tx.author(author), Done(None)
    for key, *thread in rows.fetch(tx.database, mine):
        done.user_events += _bury(tx, key, thread[1])
        done.events += _told(tx, key, (thread[0], thread[1]), actor, COMMENT_DELETED)[1]
    return done


ERASURES = (erase,)


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Comment | None:
    places.find(tx, reference["artifact"], identity)
    return records.by_key(tx.database, [reference["key"]]).get(reference["key"])


results.keep(Comment, refer=lambda found: {"artifact": found.artifact_id, "key": found.key}, load=_again)
