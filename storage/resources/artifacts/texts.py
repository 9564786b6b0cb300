"""Titles and texts of artifacts: for `GET /artifacts?text=`, in an index of their own; and for the full-text search,
among messages."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from peewee import SqliteDatabase, fn

from actors.resources.artifacts.artifact import ARTIFACT_CREATED
from actors.resources.artifacts.contents import Words
from actors.resources.search import ARTIFACTS
from actors.text.folding import fold
from storage.schema import models
from storage.schema.artifact_models import Artifact, ArtifactText, ArtifactVersion
from storage.search import index
from storage.search.searched import Searched

_E, _V = models.Event, ArtifactVersion


def _part(column: Any) -> Any:
    return fn.COALESCE(ArtifactText.select(column).where(ArtifactText.rowid == Artifact.id), "")


def _title() -> Any:
    return _V.select(_V.title).where((_V.artifact == Artifact.id) & (_V.number == Artifact.version))


FOUND: Final = Searched(
    ARTIFACTS,
    (ARTIFACT_CREATED,),
    source=Artifact,
    thread=Artifact.thread,
    position=Artifact.position,
    uid=Artifact.uid,
    author=Artifact.creator,
    text=fn.COALESCE(_title(), "").concat("\n").concat(_part(ArtifactText.excerpt)),
    made_at=_E.select(_E.time).where(_E.position == Artifact.position),
    there=Artifact.deleted_at.is_null() & Artifact.position.is_null(False),
    folded=_part(ArtifactText.title).concat("\n").concat(_part(ArtifactText.folded)),
)
SEARCHED: Final = (FOUND,)


def changing(database: SqliteDatabase, artifact_key: int) -> AbstractContextManager[None]:
    """Around a change of the title or the text, and around the deletion."""
    return index.changing(database, FOUND, Artifact.id == artifact_key)


def begin(database: SqliteDatabase, artifact_key: int, title: str, words: Words) -> None:
    ArtifactText.insert({ArtifactText.rowid: artifact_key, ArtifactText.title: fold(title), **_columns(words)}).execute(
        database
    )


@contextmanager
def revising(database: SqliteDatabase, artifact_key: int, title: str | None, words: Words | None) -> Iterator[None]:
    """Around the step to another version; None: what stays as it was."""
    changed = {ArtifactText.title: fold(title)} if title is not None else {}
    changed |= _columns(words) if words is not None else {}
    if not changed:
        yield
        return
    with changing(database, artifact_key):
        yield
        ArtifactText.update(changed).where(ArtifactText.rowid == artifact_key).execute(database)


def _columns(words: Words) -> dict[Any, str]:
    return {
        ArtifactText.text: words.folded,
        ArtifactText.excerpt: words.excerpt,
        ArtifactText.folded: words.folded_excerpt,
    }


def end(database: SqliteDatabase, artifact_key: int) -> None:
    """Within `changing`."""
    ArtifactText.delete().where(ArtifactText.rowid == artifact_key).execute(database)
