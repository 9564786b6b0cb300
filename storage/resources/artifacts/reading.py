"""Artifacts read: one, pages of them, their versions; and loaded for events."""

from typing import Any, Final

from peewee import Select, SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.artifacts.artifact import (
    ARTIFACT_CREATED,
    ARTIFACT_DELETED,
    ARTIFACT_UPDATED,
    Artifact,
    Version,
    must_see_artifact,
)
from actors.resources.artifacts.queries import (
    ArtifactFilter,
    GetArtifact,
    GetArtifactVersion,
    ListArtifacts,
    ListArtifactsBy,
    ListArtifactVersions,
)
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.artifacts import records
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema import artifact_models, models
from storage.search import terms

_A, _V, _X = artifact_models.Artifact, artifact_models.ArtifactVersion, artifact_models.ArtifactText
_T, _M, _U = models.Thread, models.Member, models.User
_THERE = _A.deleted_at.is_null() & _T.deleted_at.is_null()


@answers(GetArtifact)
def one(database: SqliteDatabase, identity: Identity, artifact_id: str, with_content: bool = True) -> Artifact:
    query = records.artifacts_query(with_content=with_content).where((_A.uid == artifact_id) & _THERE)
    row = rows.first(database, query)
    if row is None:
        raise NotFound("artifact", artifact_id)
    artifact = records.artifact_of(row)
    _must_see(database, identity, artifact)
    return artifact


def _must_see(database: SqliteDatabase, identity: Identity, artifact: Artifact) -> None:
    row = rows.first(database, _T.select(_T.id).where(_T.uid == artifact.thread_id))
    role = access.role(database, row[0], identity.user.key) if row else None
    must_see_artifact(identity, role, artifact.id)


@answers(GetArtifactVersion)
def version(
    database: SqliteDatabase, identity: Identity, artifact_id: str, number: int
) -> tuple[Artifact, Version]:  # fmt: skip
    artifact = one(database, identity, artifact_id, with_content=False)
    query = records.versions_query(with_content=True)
    row = rows.first(database, query.where((_V.artifact == artifact.key) & (_V.number == number)))
    if row is None:
        raise NotFound("version", str(number))
    return artifact, records.version_of(row)


@answers(ListArtifactVersions)
def versions(
    database: SqliteDatabase, identity: Identity, artifact_id: str, *, limit: int, before: int | None
) -> Page[Version]:
    artifact = one(database, identity, artifact_id, with_content=False)
    query = records.versions_query(with_content=False).where(_V.artifact == artifact.key).order_by(_V.number.desc())
    if before is not None:
        query = query.where(_V.number < before)
    found = rows.iterate(database, query.limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: map(records.version_of, part), _version_weight)
    return Page(shown, str(shown[-1].number) if more else None)


@answers(ListArtifacts)
def page(
    database: SqliteDatabase, identity: Identity, wanted: ArtifactFilter, *, limit: int, before: int | None,
    with_content: bool = True, everything: bool = False,
) -> Page[Artifact]:  # fmt: skip
    query = _wanted(database, identity, wanted, records.artifacts_query(with_content=with_content), everything)
    if before is not None:
        query = query.where(_A.id < before)
    found = rows.iterate(database, query.order_by(_A.id.desc()).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: map(records.artifact_of, part), _weight)
    return Page(shown, str(shown[-1].key) if more else None)


def _wanted(
    database: SqliteDatabase, identity: Identity, wanted: ArtifactFilter, query: Select, everything: bool
) -> Select:  # fmt: skip
    query = query.where(_THERE)
    if wanted.thread_id is not None:
        key, _ = access.visible_thread(database, identity, wanted.thread_id)
        query = query.where(_A.thread == key)
    elif not everything:
        query = query.where(_A.thread.in_(_M.select(_M.thread).where(_M.user == identity.user.key)))
    for condition in _conditions(wanted):
        query = query.where(condition)
    return query


def _conditions(wanted: ArtifactFilter) -> list[Any]:
    found: list[Any] = []
    if wanted.creator_id is not None:
        found.append(_U.uid == wanted.creator_id)
    if wanted.type is not None:
        found.append(_A.type == wanted.type)
    if wanted.updated_from is not None:
        found.append(_A.updated_at >= wanted.updated_from)
    if wanted.text is not None:
        found.append(_has_words(wanted.text))
    return found


def _has_words(given: str) -> Any:
    asked = terms.parse(given)
    if not asked.wanted:
        return _A.id == 0
    unwanted = f" NOT ({' OR '.join(asked.unwanted)})" if asked.unwanted else ""
    return _A.id.in_(_X.select(_X.rowid).where(_X.match(f"({' AND '.join(asked.wanted)}){unwanted}")))


@answers(ListArtifactsBy)
def artifacts_by(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[Artifact]:
    """Also those in threads that the user has left."""
    if rows.first(database, _U.select(_U.id).where(_U.uid == user_id)) is None:
        raise NotFound("user", user_id)
    creator = _U.select(_U.id).where(_U.uid == user_id)
    query = records.artifacts_query(with_content=True).where(_THERE & (_A.creator == creator) & (_A.id > (after or 0)))
    found = rows.iterate(database, query.order_by(_A.id).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: map(records.artifact_of, part), _weight)
    return Page(shown, str(shown[-1].key) if more else None)


@weight.of.register
def _weight(artifact: Artifact) -> int:
    newest = _version_weight(artifact.newest) if artifact.newest is not None else 0
    return weight.FIXED + weight.author(artifact.creator) + newest


@weight.of.register
def _version_weight(version: Version) -> int:
    text = weight.text(version.title) + weight.text(version.label or "")
    content = weight.carried(version.content) if version.content is not None else 0
    return weight.FIXED + weight.author(version.author) + text + weight.carried(version.metadata) + content


def _replayed(replay: Replay, entry: Entry) -> Artifact:
    """As it is now."""
    found: dict[int, Artifact] = replay.once(
        (Artifact, entry.ref), lambda: records.by_key(replay.database, [entry.ref])
    )
    return found[entry.ref]


LOADERS: Final[Loaders] = {
    ARTIFACT_CREATED: _replayed,
    ARTIFACT_UPDATED: _replayed,
    ARTIFACT_DELETED: _replayed,
}
