"""An artifact as a command finds it: its thread, its newest version, and the role of the caller there."""

from dataclasses import dataclass

from actors import permissions
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.resources.artifacts.artifact import must_see_artifact
from actors.resources.members import MemberRole
from actors.resources.threads import ThreadStatus
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.schema import artifact_models, models

_A, _V, _T = artifact_models.Artifact, artifact_models.ArtifactVersion, models.Thread
_FIND = Prepared(
    lambda given: (
        _A.select(
            _A.id, _A.uid, _A.creator, _A.version, _T.id, _T.uid, _T.status,
            _V.title, _V.metadata, _V.body, _V.size, _V.author,
        )
        .join(_T, on=(_A.thread == _T.id))
        .join_from(_A, _V, on=((_V.artifact == _A.id) & (_V.number == _A.version)))
        .where(_A.uid == given.uid, _A.deleted_at.is_null(), _T.deleted_at.is_null())
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """What a version holds."""

    title: str
    metadata: str
    body: int
    """Key of its content."""
    size: int


@dataclass(frozen=True, slots=True)
class Place:
    key: int
    id: str
    creator: int
    version: int
    thread: tuple[int, str]
    status: ThreadStatus
    newest: State
    author: int
    """Of the newest version."""
    role: MemberRole | None
    """Of the caller in the thread."""


def find(tx: Transaction, artifact_id: str, identity: Identity) -> Place:
    """Raises `NotFound` where there is none that the caller may see."""
    place = find_edited(tx, artifact_id, identity)
    must_see_artifact(identity, place.role, artifact_id)
    return place


def find_edited(tx: Transaction, artifact_id: str, identity: Identity) -> Place:
    """The same for one who could see it when they edited it."""
    row = _FIND.first(tx.database, uid=artifact_id)
    if row is None:
        raise NotFound("artifact", artifact_id)
    key, uid, creator, version, thread_key, thread_id, status, *state, author = row
    role = tx.role(thread_key, identity.user.key)
    return Place(key, uid, creator, version, (thread_key, thread_id), status, State(*state), author, role)


def find_to_change(tx: Transaction, artifact_id: str, identity: Identity) -> Place:
    """Raises `NotFound`, `Forbidden`, or `Conflict` where the thread is closed."""
    place = find(tx, artifact_id, identity)
    permissions.must_be_writer(place.role, place.status)
    return place
