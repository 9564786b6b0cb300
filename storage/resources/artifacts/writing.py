"""What commands do to artifacts."""

from dataclasses import replace
from typing import Any

from actors import limits, permissions
from actors.auth.identity import Identity
from actors.commands import Gone, Unset
from actors.errors import Conflict, NotFound, ValidationFailed
from actors.events import EventKind
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.artifacts.artifact import (
    ARTIFACT_CREATED,
    ARTIFACT_DELETED,
    ARTIFACT_UPDATED,
    Artifact,
    Change,
    Provenance,
    must_delete_artifact,
    must_not_overwrite,
)
from actors.resources.artifacts.commands import (
    CreateArtifact,
    CutVersion,
    DeleteArtifact,
    RestoreArtifact,
    ReviseArtifact,
)
from actors.resources.artifacts.contents import Packed, Words
from actors.resources.users import Author
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.actions import deadlines
from storage.resources.actions import telling as actions
from storage.resources.artifact_streams import forgetting as streams
from storage.resources.artifacts import bodies, data_sets, places, reading, records, texts, versions
from storage.resources.artifacts.places import Place, State
from storage.resources.audit import writing as audit
from storage.resources.comments import forgetting as comments
from storage.resources.documents import writing as documents
from storage.resources.files import room
from storage.resources.proposals import forgetting as proposals
from storage.schema import artifact_models, models

_A, _V, _B = artifact_models.Artifact, artifact_models.ArtifactVersion, artifact_models.ArtifactBody
_S = artifact_models.ArtifactShare


@writes(CreateArtifact)
def create_artifact(tx: Transaction, command: CreateArtifact) -> Done[Artifact]:
    key, uid, status = tx.thread(command.thread_id)
    permissions.must_write(command.identity, tx.role(key, command.identity.user.key), uid, status)  # type: ignore[arg-type]
    _must_have_room(tx, key)
    must_be_message(tx, key, command.provenance)
    author, content = command.identity.author, command.content
    room.take(tx, author.key, key, content.size)
    inserted = _A.insert(
        uid=command.artifact_id, thread=key, creator=author.key, type=command.type, version=1, created_at=tx.now,
        updated_at=tx.now,
    )  # fmt: skip
    artifact = int(tx.execute(inserted))
    state = State(command.title, command.metadata, bodies.refer(tx, content), content.size)
    versions.add(
        tx, artifact, 1, state, author, "created", label=command.label, provenance=command.provenance
    )  # fmt: skip
    texts.begin(tx.database, artifact, command.title, content.words)
    deadlines.replace(tx, "artifact", artifact, content.deadlines)
    return _logged(tx, artifact, (key, uid), author, ARTIFACT_CREATED)


def _must_have_room(tx: Transaction, thread: int) -> None:
    there = _A.select(_A.id).where((_A.thread == thread) & _A.deleted_at.is_null())
    if rows.first(tx.database, there.order_by(_A.id).offset(limits.ARTIFACTS_PER_THREAD - 1)) is not None:
        sentence = f"A thread may have {limits.ARTIFACTS_PER_THREAD} artifacts, and this one has them."
        raise Conflict(sentence, code="artifacts_full")


def must_be_message(tx: Transaction, thread: int, provenance: Provenance) -> None:
    if provenance.message_id is None:
        return
    M = models.Message
    query = M.select(M.id).where((M.uid == provenance.message_id) & (M.thread == thread))
    if rows.first(tx.database, query) is None:
        raise ValidationFailed({"message_id": ["There is no such message in this thread."]})


@writes(ReviseArtifact)
def revise_artifact(tx: Transaction, command: ReviseArtifact) -> Done[Artifact]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    must_match(command.if_version, place.version)
    if command.change == "replaced" and not isinstance(command.content, Unset):
        must_not_overwrite(command.identity, command.if_version, place.author)
    must_be_message(tx, place.thread[0], command.provenance)
    return _revise(tx, place, command, command.identity.author)


@writes(CutVersion)
def cut_version(tx: Transaction, command: CutVersion) -> Done[Artifact]:
    place = places.find_edited(tx, command.artifact_id, command.identity)
    permissions.must_be_open(place.status)
    must_match(command.if_version, place.version)
    return _revise(tx, place, command, tx.author(command.identity.user.key))


def _revise(tx: Transaction, place: Place, command: ReviseArtifact, author: Author) -> Done[Artifact]:
    state = _revised(tx, place, command)
    if state == place.newest and command.label is None:
        return Done(records.by_key(tx.database, [place.key])[place.key])
    words = None
    if not isinstance(command.content, Unset):
        words = command.content.words
        deadlines.replace(tx, "artifact", place.key, command.content.deadlines)
    new = None if isinstance(command.content, Unset) else command.content
    return _add(
        tx, place, state, author, command.change, words=words, new=new, label=command.label,
        provenance=command.provenance,
    )  # fmt: skip


def _revised(tx: Transaction, place: Place, command: ReviseArtifact) -> State:
    """What the version will hold; its body is 0 where no content like it is stored yet."""
    before = place.newest
    title = before.title if isinstance(command.title, Unset) else command.title
    metadata = before.metadata if isinstance(command.metadata, Unset) else command.metadata
    if isinstance(command.content, Unset):
        return State(title, metadata, before.body, before.size)
    return State(title, metadata, bodies.stored(tx, command.content), command.content.size)


def _add(
    tx: Transaction, place: Place, state: State, author: Author, change: Change, *, words: Words | None,
    new: Packed | None = None, label: str | None = None, provenance: Provenance | None = None,
    restored_from: int | None = None,
) -> Done[Artifact]:  # fmt: skip
    """Another version, and the index of its words where they may differ."""
    thread, number = place.thread[0], place.version + 1
    room.take(tx, place.creator, thread, state.size)
    if new is not None:
        state = replace(state, body=bodies.refer(tx, new))
    else:
        bodies.again(tx, state.body)
    versions.add(
        tx, place.key, number, state, author, change, label=label, provenance=provenance, restored_from=restored_from
    )
    dropped = versions.drop_old(tx, place.key, number, place.creator, thread)
    update = _A.update(version=number, updated_at=tx.now, dropped=_A.dropped + dropped)
    title = state.title if state.title != place.newest.title else None
    with texts.revising(tx.database, place.key, title, words):
        tx.execute(update.where(_A.id == place.key))
    return _logged(tx, place.key, place.thread, author, ARTIFACT_UPDATED)


@writes(RestoreArtifact)
def restore_artifact(tx: Transaction, command: RestoreArtifact) -> Done[Artifact]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    query = _V.select(_V.title, _V.metadata, _V.body, _V.size)
    row = rows.first(tx.database, query.where((_V.artifact == place.key) & (_V.number == command.number)))
    if row is None:
        raise NotFound("version", str(command.number))
    state = State(*row)
    if state == place.newest and command.label is None:
        return Done(records.by_key(tx.database, [place.key])[place.key])
    deadlines.replace(tx, "artifact", place.key, command.deadlines)
    return _add(
        tx, place, state, command.identity.author, "restored", words=command.words, label=command.label,
        restored_from=command.number,
    )  # fmt: skip


@writes(DeleteArtifact)
def delete_artifact(tx: Transaction, command: DeleteArtifact) -> Done[Gone]:
    place = places.find(tx, command.artifact_id, command.identity)
    must_delete_artifact(command.identity, place.role, place.creator)
    must_match(command.if_version, place.version)
    if place.creator != command.identity.user.key:
        audit.act(tx, command, "delete_artifact", ("artifact", place.id))
    removed = _remove(tx, place.key, place.creator, place.thread, command.identity.author)
    return Done(Gone(place.id), removed.events, user_events=removed.user_events)


def _remove(tx: Transaction, key: int, creator: int, thread: tuple[int, str], actor: Author) -> Done[Artifact]:
    """Leave a tombstone."""
    deadlines.forget(tx, "artifact", key)
    cancelled = (*comments.forget_all(tx, key, thread[1]), *actions.forget_artifact(tx, key, thread[1]))
    with texts.changing(tx.database, key):
        _forget(tx, key, creator, thread[0])
        tx.execute(_A.update(deleted_at=tx.now, updated_at=tx.now).where(_A.id == key))
    return replace(_logged(tx, key, thread, actor, ARTIFACT_DELETED), user_events=cancelled)


def _forget(tx: Transaction, key: int, creator: int, thread: int) -> int:
    texts.end(tx.database, key)
    tx.execute(_S.delete().where(_S.artifact == key))
    data_sets.forget_all(tx, key, creator, thread)
    proposals.forget_all(tx, key)
    documents.forget_all(tx, key)
    streams.forget_all(tx, key)
    return versions.forget_all(tx, key, creator, thread)


def erase(tx: Transaction, creator: int) -> Done[None]:
    """Some of the artifacts that a user has created."""
    T = models.Thread
    query = _A.select(_A.id, T.id, T.uid).join(T, on=(_A.thread == T.id))
    there = (_A.creator == creator) & _A.deleted_at.is_null() & T.deleted_at.is_null()
    found = rows.fetch(tx.database, query.where(there).order_by(_A.id).limit(limits.ARTIFACTS_ERASED))
    author, done = tx.author(creator), Done(None)
    for key, *thread in found:
        removed = _remove(tx, key, creator, (thread[0], thread[1]), author)
        done.events += removed.events
        done.user_events += removed.user_events
    return done


def purge_thread(tx: Transaction, thread_key: int, count: int) -> int:
    """Artifacts of a deleted thread, `count` rows at most, or one with all of its versions; answers how many."""
    taken = 0
    found = rows.fetch(tx.database, _A.select(_A.id, _A.creator).where(_A.thread == thread_key).limit(count))
    for key, creator in found:
        comments.release(tx, key)
        with texts.changing(tx.database, key):
            taken += 1 + _forget(tx, key, creator, thread_key)
            tx.execute(_A.delete().where(_A.id == key))
        if taken >= count:
            break
    return min(taken, count)


ERASURES = (erase,)
THREAD_PURGES = (purge_thread,)


def _logged(tx: Transaction, key: int, thread: tuple[int, str], actor: Author, kind: EventKind) -> Done[Artifact]:
    artifact = records.by_key(tx.database, [key])[key]
    event = tx.log(thread, kind, actor, artifact, ref=key)
    if kind is ARTIFACT_CREATED:
        tx.execute(_A.update(position=event.position).where(_A.id == key))
    return Done(artifact, (event,))


# Results, read again for an idempotency key


def _read_again(tx: Transaction, identity: Identity, reference: results.Reference) -> Artifact:
    return reading.one(tx.database, identity, reference["id"], with_content=False)


def _reference(artifact: Artifact) -> dict[str, Any]:
    return {"id": artifact.id}


results.keep(Artifact, refer=_reference, load=_read_again)
