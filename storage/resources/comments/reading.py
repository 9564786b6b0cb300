"""Comments read: one, pages of them with the contents that say where their anchors are; and loaded for events."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from peewee import Select, SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.artifacts.artifact import Artifact
from actors.resources.artifacts.contents import unpacked
from actors.resources.comments.comment import (
    COMMENT_CREATED,
    COMMENT_DELETED,
    COMMENT_UPDATED,
    Comment,
    Commented,
    GetComment,
    ListComments,
    ListCommentsBy,
)
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import Row, page_of
from storage.resources.artifacts import reading as artifacts
from storage.resources.comments import records
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema import artifact_models, comment_models, models

_A, _B, _T, _U = artifact_models.Artifact, artifact_models.ArtifactBody, models.Thread, models.User
_C = comment_models.Comment
_First = _C.alias("first")


@answers(GetComment)
def one(database: SqliteDatabase, identity: Identity, artifact_id: str, comment_id: str) -> Commented:
    artifact = artifacts.one(database, identity, artifact_id)
    row = rows.first(database, _of_artifact(artifact).where(_C.uid == comment_id))
    if row is None:
        raise NotFound("comment", comment_id)
    return _commented(database, artifact, Page((records.of(row),), None), [row])


@answers(ListComments)
def of_artifact(
    database: SqliteDatabase, identity: Identity, artifact_id: str, *, limit: int, before: int | None,
    parent_id: str | None = None, is_resolved: bool | None = None,
) -> Commented:  # fmt: skip
    artifact = artifacts.one(database, identity, artifact_id)
    query = _of_artifact(artifact)
    if parent_id is not None:
        query = query.where(_C.parent == _C.select(_C.id).where(_C.uid == parent_id))
    if is_resolved is not None:
        resolved = _is_resolved(artifact)
        query = query.where(resolved if is_resolved else ~resolved)
    if before is not None:
        query = query.where(_C.id < before)
    seen: list[Row] = []
    found = _few_bases(rows.iterate(database, query.order_by(_C.id.desc()).limit(limit + 1)), seen)
    shown, more = page_of(found, limit, lambda part: map(records.of, part), _weight)
    more = more or len(shown) < len(seen)
    page = Page(shown, str(shown[-1].key) if more else None)
    return _commented(database, artifact, page, seen[: len(shown)])


def _is_resolved(artifact: Artifact) -> Any:
    """Of a comment, or of the one that it replies to."""
    resolved = _First.select(_First.id).where(_First.artifact == artifact.key, _First.resolved_at.is_null(False))
    is_reply_to_one = _C.parent.is_null(False) & _C.parent.in_(resolved)
    return (_C.parent.is_null() & _C.resolved_at.is_null(False)) | is_reply_to_one


def _of_artifact(artifact: Artifact) -> Select:
    return records.query(_C.base_body).where(_C.artifact == artifact.key)


def _few_bases(found: Iterable[Row], seen: list[Row]) -> Iterator[Row]:
    """As many as have few bases among them; `seen` gets them, and the one after them."""
    bases: set[int] = set()
    for row in found:
        seen.append(row)
        if row[records.END] is not None:
            bases.add(row[records.END])
        if len(bases) > limits.COMMENT_BASES:
            return
        yield row


def _commented(
    database: SqliteDatabase, artifact: Artifact, page: Page[Comment], found: Sequence[Row]
) -> Commented:  # fmt: skip
    assert artifact.newest is not None
    anchored = {row[records.END]: one.base for one, row in zip(page.items, found, strict=True) if row[records.END]}
    stored = rows.fetch(database, _B.select(_B.id, _B.data).where(_B.id.in_(list(anchored))))
    bases = {anchored[key]: unpacked(data) for key, data in stored}
    return Commented(page, bases, artifact.newest.content or '""', artifact.version)


@answers(ListCommentsBy)
def comments_by(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[Comment]:
    """Also those in threads that the user has left."""
    user = rows.first(database, _U.select(_U.id).where(_U.uid == user_id))
    if user is None:
        raise NotFound("user", user_id)
    there = _A.deleted_at.is_null() & _T.deleted_at.is_null() & _C.deleted_at.is_null()
    query = records.query().where((_C.author == user[0]) & (_C.id > (after or 0)) & there)
    found = rows.iterate(database, query.order_by(_C.id).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: map(records.of, part), _weight)
    return Page(shown, str(shown[-1].key) if more else None)


@weight.of.register
def _weight(comment: Comment) -> int:
    people = weight.author(comment.author) + (weight.author(comment.resolver) if comment.resolver else 0)
    quote = weight.text(comment.anchor.quote) if comment.anchor else 0
    return weight.FIXED + people + weight.text(comment.content) + quote


def _replayed(replay: Replay, entry: Entry) -> Comment:
    """As it is now."""
    found: dict[int, Comment] = replay.once((Comment, entry.ref), lambda: records.by_key(replay.database, [entry.ref]))
    return found[entry.ref]


LOADERS: Final[Loaders] = dict.fromkeys((COMMENT_CREATED, COMMENT_UPDATED, COMMENT_DELETED), _replayed)
