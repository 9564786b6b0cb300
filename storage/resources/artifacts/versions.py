"""Versions of an artifact: one is added, the oldest are dropped."""

from typing import Any

from actors import limits
from actors.errors import Conflict
from actors.resources.artifacts.artifact import Change, Provenance
from actors.resources.users import Author
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.artifacts import bodies
from storage.resources.artifacts.places import State
from storage.resources.files import room
from storage.schema import artifact_models

_A, _V = artifact_models.Artifact, artifact_models.ArtifactVersion
_INSERT = Prepared(
    lambda given: _V.insert(
        artifact=given.artifact, number=given.number, title=given.title, metadata=given.metadata, body=given.body,
        size=given.size, author=given.author, created_at=given.now, change=given.change, label=given.label,
        message=given.message, tool_call=given.tool_call, model=given.model, restored_from=given.restored_from,
    )
)  # fmt: skip
_OLD = Prepared(
    lambda given: (
        _V.select(_V.number, _V.body, _V.size)
        .where(_V.artifact == given.artifact, _V.number <= given.most, _V.label.is_null())
        .order_by(_V.number)
        .limit(given.count)
    )
)


def add(
    tx: Transaction, artifact: int, number: int, state: State, author: Author, change: Change, *,
    label: str | None = None, provenance: Provenance | None = None, restored_from: int | None = None,
) -> None:  # fmt: skip
    """The caller has counted the reference to its body, and its room."""
    if label is not None:
        _must_have_room_for_label(tx, artifact)
    source = provenance or Provenance()
    _INSERT.execute(
        tx.database, artifact=artifact, number=number, title=state.title, metadata=state.metadata, body=state.body,
        size=state.size, author=author.key, now=tx.now, change=change, label=label, message=source.message_id,
        tool_call=source.tool_call, model=source.model, restored_from=restored_from,
    )  # fmt: skip


def _must_have_room_for_label(tx: Transaction, artifact: int) -> None:
    labelled = _V.select(_V.number).where((_V.artifact == artifact) & _V.label.is_null(False))
    if len(rows.fetch(tx.database, labelled)) >= limits.ARTIFACT_LABELS:
        sentence = f"An artifact may have {limits.ARTIFACT_LABELS} versions with a label, and this one has them."
        raise Conflict(sentence, code="labels_full")


def drop_old(tx: Transaction, artifact: int, newest: int, owner: int, thread: int) -> int:
    """Those without a label before the newest so many; answers how many went."""
    most = newest - tx.artifact_versions
    if most < 1:
        return 0
    old = _OLD.all(tx.database, artifact=artifact, most=most, count=limits.ARTIFACT_VERSIONS_DROPPED)
    numbers = [number for number, _, _ in old]
    tx.execute(_V.delete().where((_V.artifact == artifact) & _V.number.in_(numbers)))
    _release(tx, [(body, size) for _, body, size in old], owner, thread)
    return len(old)


def forget_all(tx: Transaction, artifact: int, owner: int, thread: int) -> int:
    """All versions with their bodies; answers how many there were."""
    found: list[Any] = rows.fetch(tx.database, _V.select(_V.body, _V.size).where(_V.artifact == artifact))
    tx.execute(_V.delete().where(_V.artifact == artifact))
    _release(tx, found, owner, thread)
    return len(found)


def _release(tx: Transaction, found: list[Any], owner: int, thread: int) -> None:
    bodies.release(tx, [body for body, _ in found])
    room.take(tx, owner, thread, -sum(size for _, size in found), asked=False)
