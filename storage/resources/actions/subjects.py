"""What actions are about, a message or an artifact: its blocks for a check, its state for a transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from peewee import ForeignKeyField, SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import Conflict
from actors.resources.actions import Subject, SubjectKind
from actors.resources.members import MemberRole
from actors.resources.threads import ThreadStatus
from actors.resources.users import Author
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.actions.records import blocks_in
from storage.resources.artifacts import places
from storage.resources.artifacts import reading as artifacts
from storage.resources.messages import reading as messages
from storage.resources.messages import writing as message_writing
from storage.schema import action_models, artifact_models

_A, _B = action_models.Action, artifact_models.ArtifactBody
COLUMNS: Final[Mapping[SubjectKind, ForeignKeyField]] = {"message": _A.message, "artifact": _A.artifact}
AUTHORS: Final[Mapping[SubjectKind, str]] = {
    "message": "the author of the message", "artifact": "the creator of the artifact",
}  # fmt: skip
"""Who answers."""


def must_be_there(*, deleted: bool) -> None:
    """An artifact that was deleted is not found at all; a message leaves a tombstone."""
    if deleted:
        raise Conflict("The message was deleted.", code="message_deleted")


# Read


@dataclass(frozen=True, slots=True)
class Offering:
    """What a subject offers at the moment."""

    thread_id: str
    author: Author
    metadata: str
    blocks: list[Any]
    mark: str
    """See `Checked.mark`."""


def offering(database: SqliteDatabase, identity: Identity, subject: Subject) -> Offering:
    """Raises `NotFound`, `Conflict`."""
    return _OFFERINGS[subject.kind](database, identity, subject.id)


def _of_message(database: SqliteDatabase, identity: Identity, message_id: str) -> Offering:
    message = messages.one(database, identity, message_id)
    must_be_there(deleted=message.deleted_at is not None)
    mark = message.blocks or "[]"
    return Offering(message.thread_id, message.author, message.metadata, orjson.loads(mark), mark)


def _of_artifact(database: SqliteDatabase, identity: Identity, artifact_id: str) -> Offering:
    artifact = artifacts.one(database, identity, artifact_id)
    newest = artifact.newest
    assert newest is not None, "only a tombstone has no version"
    assert newest.content is not None
    blocks = blocks_in(newest.content)
    return Offering(artifact.thread_id, artifact.creator, newest.metadata, blocks, newest.digest)


_OFFERINGS: Final[Mapping[SubjectKind, Callable[[SqliteDatabase, Identity, str], Offering]]] = {
    "message": _of_message, "artifact": _of_artifact,
}  # fmt: skip


# Found by a transaction


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an action is written: its subject, and what the caller is there."""

    subject: Subject
    key: int
    version: int
    author: int
    thread: tuple[int, str]
    role: MemberRole | None
    status: ThreadStatus
    mark: str
    deleted: bool = False


def find(tx: Transaction, thread_id: str, subject: Subject, identity: Identity) -> Ground:
    """Raises `NotFound` where there is none that the caller may see."""
    if subject.kind == "artifact":
        return _find_artifact(tx, subject, identity)
    place = message_writing.find(tx, thread_id, subject.id, identity)
    message = place.message
    return Ground(
        subject, message.key, message.version, message.author.key, place.thread, place.role, place.status,
        message.blocks or "[]", message.deleted_at is not None,
    )  # fmt: skip


def _find_artifact(tx: Transaction, subject: Subject, identity: Identity) -> Ground:
    place = places.find(tx, subject.id, identity)
    body = rows.first(tx.database, _B.select(_B.digest).where(_B.id == place.newest.body))
    assert body is not None
    return Ground(
        subject, place.key, place.version, place.creator, place.thread, place.role, place.status, body[0]
    )  # fmt: skip
