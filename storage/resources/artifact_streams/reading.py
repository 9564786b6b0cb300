"""Streams into artifacts read: one with its text, pages of them; and loaded for events."""

from typing import Final

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.artifact_streams import (
    STREAM_ENDED,
    STREAM_STARTED,
    ArtifactStream,
    GetArtifactStream,
    ListArtifactStreams,
    StreamStatus,
    WrittenStream,
)
from actors.resources.artifacts.contents import unpacked
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.artifact_streams import records
from storage.resources.artifacts import reading as artifacts
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema import artifact_models, artifact_stream_models

_B, _V = artifact_models.ArtifactBody, artifact_models.ArtifactVersion
_S = artifact_stream_models.ArtifactStream


@answers(GetArtifactStream)
def one(database: SqliteDatabase, identity: Identity, artifact_id: str, stream_id: str) -> WrittenStream:
    artifact = artifacts.one(database, identity, artifact_id)
    row = rows.first(database, records.query().where((_S.uid == stream_id) & (_S.artifact == artifact.key)))
    if row is None:
        raise NotFound("stream", stream_id)
    stream = records.of(row)
    base = _V.select(_B.data).join(_B, on=(_V.body == _B.id))
    body = rows.first(database, base.where((_V.artifact == artifact.key) & (_V.number == stream.base)))
    text = records.text_of(database, stream.key)
    return WrittenStream(stream, text, unpacked(body[0]) if body else None, artifact)


@answers(ListArtifactStreams)
def of_artifact(
    database: SqliteDatabase, identity: Identity, artifact_id: str, *, limit: int, before: int | None,
    status: StreamStatus | None = None,
) -> Page[ArtifactStream]:  # fmt: skip
    artifact = artifacts.one(database, identity, artifact_id, with_content=False)
    query = records.query().where(_S.artifact == artifact.key)
    if status is not None:
        query = query.where(_S.status == status)
    if before is not None:
        query = query.where(_S.id < before)
    found = rows.fetch(database, query.order_by(_S.id.desc()).limit(limit + 1))
    shown = tuple(map(records.of, found[:limit]))
    return Page(shown, str(shown[-1].key) if len(found) > limit else None)


def _replayed(replay: Replay, entry: Entry) -> ArtifactStream:
    """As it is now."""
    found: dict[int, ArtifactStream] = replay.once(
        (ArtifactStream, entry.ref), lambda: records.by_key(replay.database, [entry.ref])
    )
    return found[entry.ref]


LOADERS: Final[Loaders] = dict.fromkeys((STREAM_STARTED, STREAM_ENDED), _replayed)
