"""Rows of streams become records."""

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import Database, Select

from actors.resources.artifact_streams import ArtifactStream
from actors.resources.artifacts.artifact import Provenance
from actors.resources.users import Author
from storage.compiled import ManyRows, Prepared
from storage.schema import artifact_models, artifact_stream_models, models

_A, _T, _U = artifact_models.Artifact, models.Thread, models.User
_S, _P = artifact_stream_models.ArtifactStream, artifact_stream_models.ArtifactPiece
_COLUMNS = (
    _S.id, _S.uid, _A.uid, _T.uid, _S.pointer, _S.base, _S.message, _S.tool_call, _S.model, _S.status, _S.created_at,
    _S.ended_at, _S.version, _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url,
)  # fmt: skip
_AUTHOR = 13
"""Where its columns begin."""


def query() -> Select:
    return (
        _S.select(*_COLUMNS)
        .join(_A, on=(_S.artifact == _A.id))
        .join_from(_A, _T, on=(_A.thread == _T.id))
        .join_from(_S, _U, on=(_S.author == _U.id))
    )


def of(row: Sequence[Any]) -> ArtifactStream:
    (key, uid, artifact, thread, pointer, base, message, tool_call, model, status, created, ended,
     version) = row[:_AUTHOR]  # fmt: skip
    return ArtifactStream(
        key=key, id=uid, artifact_id=artifact, thread_id=thread, author=Author(*row[_AUTHOR:]), pointer=pointer,
        base=base, provenance=Provenance(message, tool_call, model), status=status, created_at=created,
        ended_at=ended, version=version,
    )  # fmt: skip


_BY_KEY = ManyRows(lambda count: query().where(_S.id.in_([0] * count)))
_PIECES = Prepared(lambda given: _P.select(_P.text).where(_P.stream == given.key).order_by(_P.start))


def by_key(database: Database, keys: Iterable[int]) -> dict[int, ArtifactStream]:
    found = map(of, _BY_KEY.run(database, [(key,) for key in set(keys)]))
    return {stream.key: stream for stream in found}


def text_of(database: Database, key: int) -> str:
    """So far; nothing where a version has it."""
    return "".join(text for (text,) in _PIECES.all(database, key=key))
