"""Rows of artifacts become records: the newest version along, and its content where it is asked for."""

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import JOIN, Database, Select

from actors.resources.artifacts.artifact import Artifact, Provenance, Version
from actors.resources.artifacts.contents import unpacked
from actors.resources.users import Author
from storage.compiled import ManyRows
from storage.schema import artifact_models, models

_A, _V, _B = artifact_models.Artifact, artifact_models.ArtifactVersion, artifact_models.ArtifactBody
_T, _U = models.Thread, models.User
_Writer = _U.alias("version_author")
_VERSION = (
    _V.number, _V.title, _V.metadata, _B.digest, _V.size, _V.created_at, _V.change, _V.label, _V.message,
    _V.tool_call, _V.model, _V.restored_from,
    _Writer.id, _Writer.uid, _Writer.name, _Writer.kind, _Writer.avatar_url,
)  # fmt: skip
_COLUMNS = (
    _A.id, _A.uid, _T.uid, _A.type, _A.version, _A.dropped, _A.created_at, _A.updated_at, _A.deleted_at,
    _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url, *_VERSION,
)  # fmt: skip
_CREATOR, _NEWEST = 9, 14
"""Where their columns begin."""
_WRITER, _DATA = 12, 17
"""The same, in the columns of a version; packed contents come last."""


def artifacts_query(*, with_content: bool) -> Select:
    newest = (_V.artifact == _A.id) & (_V.number == _A.version)
    return (
        _A.select(*_COLUMNS, *([_B.data] if with_content else []))
        .join(_U, on=(_A.creator == _U.id))
        .join_from(_A, _T, on=(_A.thread == _T.id))
        .join_from(_A, _V, JOIN.LEFT_OUTER, on=newest)
        .join_from(_V, _B, JOIN.LEFT_OUTER, on=(_V.body == _B.id))
        .join_from(_V, _Writer, JOIN.LEFT_OUTER, on=(_V.author == _Writer.id))
    )


def versions_query(*, with_content: bool) -> Select:
    return (
        _V.select(*_VERSION, *([_B.data] if with_content else []))
        .join(_B, on=(_V.body == _B.id))
        .join_from(_V, _Writer, on=(_V.author == _Writer.id))
    )


def artifact_of(row: Sequence[Any]) -> Artifact:
    key, uid, thread, kind, version, dropped, created, updated, deleted = row[:_CREATOR]
    newest = version_of(row[_NEWEST:]) if row[_NEWEST] is not None else None
    return Artifact(
        key=key, id=uid, thread_id=thread, creator=Author(*row[_CREATOR:_NEWEST]), type=kind, newest=newest,
        version=version, dropped=dropped, created_at=created, updated_at=updated, deleted_at=deleted,
    )  # fmt: skip


def version_of(row: Sequence[Any]) -> Version:
    number, title, metadata, digest, size, created, change, label, message, tool_call, model, origin = row[:_WRITER]
    return Version(
        number=number, title=title, metadata=metadata, digest=digest, size=size, author=Author(*row[_WRITER:_DATA]),
        created_at=created, change=change, label=label, provenance=Provenance(message, tool_call, model),
        restored_from=origin, content=unpacked(row[_DATA]) if len(row) > _DATA else None,
    )  # fmt: skip


_BY_KEY = ManyRows(lambda count: artifacts_query(with_content=False).where(_A.id.in_([0] * count)))


def by_key(database: Database, keys: Iterable[int]) -> dict[int, Artifact]:
    """Without their contents."""
    found = map(artifact_of, _BY_KEY.run(database, [(key,) for key in set(keys)]))
    return {artifact.key: artifact for artifact in found}
