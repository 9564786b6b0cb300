"""Documents read: with their artifact when editing begins, and who may edit while it lasts."""

from peewee import SqliteDatabase

from actors import permissions
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden
from actors.resources.artifacts.contents import unpacked
from actors.resources.documents import Access, EditedArtifact, GetDocumentAccess, GetEdited, StoredDocument
from storage.compiled import Prepared
from storage.readers import access, rows
from storage.readers.answers import answers
from storage.resources.artifacts import reading as artifacts
from storage.schema import artifact_models, document_models, models

_A, _V, _B = artifact_models.Artifact, artifact_models.ArtifactVersion, artifact_models.ArtifactBody
_D, _E = document_models.Document, document_models.Edit
_T = models.Thread
_STANDING = Prepared(
    lambda given: (
        _A.select(_A.version, _T.status, _T.id)
        .join(_T, on=(_A.thread == _T.id))
        .where(_A.uid == given.uid, _A.deleted_at.is_null(), _T.deleted_at.is_null())
    )
)


@answers(GetEdited)
def edited(database: SqliteDatabase, identity: Identity, artifact_id: str) -> EditedArtifact:
    artifact = artifacts.one(database, identity, artifact_id)
    document = _document(database, artifact.key)
    base = artifact.newest.content if artifact.newest is not None else None
    if document is not None and document.version != artifact.version:
        base = _content(database, artifact.key, document.version)
    return EditedArtifact(artifact, base, document, _may_write(database, identity, artifact.thread_id))


def _document(database: SqliteDatabase, artifact: int) -> StoredDocument | None:
    query = _D.select(_D.state, _D.newest, _D.version, _D.faults, _D.updated_at).where(_D.artifact == artifact)
    row = rows.first(database, query)
    if row is None:
        return None
    found = rows.fetch(database, _E.select(_E.data).where(_E.artifact == artifact).order_by(_E.number))
    state, newest, version, faults, updated = row
    return StoredDocument(bytes(state), tuple(bytes(data) for (data,) in found), newest, version, faults, updated)


def _content(database: SqliteDatabase, artifact: int, number: int) -> str | None:
    query = _V.select(_B.data).join(_B, on=(_V.body == _B.id))
    row = rows.first(database, query.where((_V.artifact == artifact) & (_V.number == number)))
    return unpacked(row[0]) if row else None


def _may_write(database: SqliteDatabase, identity: Identity, thread_id: str) -> bool:
    row = rows.first(database, _T.select(_T.id, _T.status).where(_T.uid == thread_id))
    if row is None:
        return False
    try:
        permissions.must_be_writer(access.role(database, row[0], identity.user.key), row[1])
    except (Forbidden, Conflict):
        return False
    return True


@answers(GetDocumentAccess)
def document_access(database: SqliteDatabase, artifact_id: str, user_keys: tuple[int, ...] = ()) -> Access:
    """Asked more than twice a second for each document: prepared, or it would take a fifth of what editing costs."""
    row = _STANDING.first(database, uid=artifact_id)
    if row is None:
        return Access(None, "CLOSED", {})
    version, status, thread = row
    roles = {key: access.role(database, thread, key) for key in user_keys}
    return Access(version, status, {key: role for key, role in roles.items() if role is not None})
