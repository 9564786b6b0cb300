"""What commands do to documents: edits are appended, and folded into one state."""

from actors.errors import NotFound
from actors.outcomes import Done
from actors.resources.documents import AppendEdit, FoldEdits, NoteCut, StartDocument
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.artifacts import places
from storage.schema import artifact_models, document_models, models

_A, _T = artifact_models.Artifact, models.Thread
_D, _E = document_models.Document, document_models.Edit
_NEXT = Prepared(
    lambda given: (
        _D.update(newest=_D.newest + 1, updated_at=given.now).where(_D.artifact == given.artifact).returning(_D.newest)
    )
)
_APPEND = Prepared(lambda given: _E.insert(artifact=given.artifact, number=given.number, data=given.data))


@writes(StartDocument)
def start_document(tx: Transaction, command: StartDocument) -> Done[bool]:
    artifact = _there(tx, command.artifact_id)
    if rows.first(tx.database, _D.select(_D.id).where(_D.artifact == artifact)) is not None:
        return Done(False)
    tx.execute(_D.insert(artifact=artifact, state=command.state, version=command.version, updated_at=tx.now))
    return Done(True)


def _there(tx: Transaction, artifact_id: str) -> int:
    there = (_A.uid == artifact_id) & _A.deleted_at.is_null() & _T.deleted_at.is_null()
    row = rows.first(tx.database, _A.select(_A.id).join(_T, on=(_A.thread == _T.id)).where(there))
    if row is None:
        raise NotFound("artifact", artifact_id)
    return int(row[0])


@writes(AppendEdit)
def append_edit(tx: Transaction, command: AppendEdit) -> Done[int]:
    if command.identity is None:
        artifact = _there(tx, command.artifact_id)
    else:
        artifact = places.find_to_change(tx, command.artifact_id, command.identity).key
    found = _NEXT.all(tx.database, artifact=artifact, now=tx.now)
    if not found:
        raise NotFound("document", command.artifact_id)
    number = int(found[0][0])
    _APPEND.execute(tx.database, artifact=artifact, number=number, data=command.edit)
    if command.version is not None:
        tx.execute(_D.update(version=command.version).where(_D.artifact == artifact))
    return Done(number)


@writes(FoldEdits)
def fold_edits(tx: Transaction, command: FoldEdits) -> Done[None]:
    artifact = _there(tx, command.artifact_id)
    tx.execute(_D.update(state=command.state).where(_D.artifact == artifact))
    tx.execute(_E.delete().where((_E.artifact == artifact) & (_E.number <= command.newest)))
    return Done(None)


@writes(NoteCut)
def note_cut(tx: Transaction, command: NoteCut) -> Done[None]:
    artifact = _there(tx, command.artifact_id)
    tx.execute(_D.update(version=command.version, faults=command.faults).where(_D.artifact == artifact))
    return Done(None)


def forget_all(tx: Transaction, artifact: int) -> None:
    """Of an artifact that is deleted."""
    tx.execute(_E.delete().where(_E.artifact == artifact))
    tx.execute(_D.delete().where(_D.artifact == artifact))
