"""Texts that grew in an artifact are forgotten with it."""

from typing import Any

from storage.journal.transaction import Transaction
from storage.schema import artifact_stream_models

_S, _P = artifact_stream_models.ArtifactStream, artifact_stream_models.ArtifactPiece


def forget_all(tx: Transaction, artifact: int) -> None:
    """Of an artifact that is deleted."""
    mine = _S.select(_S.id).where(_S.artifact == artifact)
    tx.execute(_P.delete().where(_P.stream.in_(mine)))
    fields: dict[str, Any] = {"status": "INTERRUPTED", "ended_at": tx.now}
    tx.execute(_S.update(**fields).where((_S.artifact == artifact) & (_S.status == "STREAMING")))
    tx.execute(_S.update(length=0, size=0).where(_S.artifact == artifact))
