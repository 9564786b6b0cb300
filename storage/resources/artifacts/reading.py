"""Artifacts read: one, pages of them, their versions; and loaded for events."""

from typing import Any, Final

from peewee import SqliteDatabase

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
from storage.compiled import Prepared, Shaped
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


_ONE = Shaped(
    lambda given, *, with_content: records.artifacts_query(with_content=with_content).where(
        (_A.uid == given.id) & _THERE
    )
)
_THREAD_KEY = Prepared(lambda given: _T.select(_T.id).where(_T.uid == given.id))


@answers(GetArtifact)
def one(database: SqliteDatabase, identity: Identity, artifact_id: str, with_content: bool = True) -> Artifact:
    row = _ONE.of(with_content=with_content).first(database, id=artifact_id)
    if row is None:
        raise NotFound("artifact", artifact_id)
    artifact = records.artifact_of(row)
    _must_see(database, identity, artifact)
    return artifact


def _must_see(database: SqliteDatabase, identity: Identity, artifact: Artifact) -> None:
    row = _THREAD_KEY.first(database, id=artifact.thread_id)
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


def _page(
    given: Any, *, in_thread: bool, everything: bool, by_creator: bool, by_type: bool, updated: bool, with_words: bool,
    goes_on: bool, with_content: bool,
) -> Any:  # fmt: skip
    query = records.artifacts_query(with_content=with_content).where(_THERE)
    if in_thread:
        query = query.where(_A.thread == given.thread)
    elif not everything:
        query = query.where(_A.thread.in_(_M.select(_M.thread).where(_M.user == given.viewer)))
    if by_creator:
        query = query.where(_U.uid == given.creator)
    if by_type:
        query = query.where(_A.type == given.type)
    if updated:
        query = query.where(_A.updated_at >= given.updated_from)
    if with_words:
        query = query.where(_A.id.in_(_X.select(_X.rowid).where(_X.match(given.words))))
    if goes_on:
        query = query.where(_A.id < given.before)
    return query.order_by(_A.id.desc()).limit(given.limit)


_PAGE = Shaped(_page)


@answers(ListArtifacts)
def page(
    database: SqliteDatabase, identity: Identity, wanted: ArtifactFilter, *, limit: int, before: int | None,
    with_content: bool = True, everything: bool = False,
) -> Page[Artifact]:  # fmt: skip
    thread = None
    if wanted.thread_id is not None:
        thread, _ = access.visible_thread(database, identity, wanted.thread_id)
    words = _words(wanted.text) if wanted.text is not None else None
    if words == "":
        return Page((), None)
    statement = _PAGE.of(
        in_thread=thread is not None, everything=everything, by_creator=wanted.creator_id is not None,
        by_type=wanted.type is not None, updated=wanted.updated_from is not None, with_words=words is not None,
        goes_on=before is not None, with_content=with_content,
    )  # fmt: skip
    found = statement.execute(
        database, thread=thread, viewer=identity.user.key, creator=wanted.creator_id, type=wanted.type,
        updated_from=wanted.updated_from, words=words, before=before, limit=limit + 1,
    )  # fmt: skip
    shown, more = page_of(found, limit, lambda part: map(records.artifact_of, part), _weight)
    return Page(shown, str(shown[-1].key) if more else None)


def _words(given: str) -> str:
    """What the index is asked for; empty where nothing can be found."""
    asked = terms.parse(given)
    if not asked.wanted:
        return ""
    unwanted = f" NOT ({' OR '.join(asked.unwanted)})" if asked.unwanted else ""
    return f"({' AND '.join(asked.wanted)}){unwanted}"


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
