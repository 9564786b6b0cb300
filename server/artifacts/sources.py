"""What of an artifact is exported, with the rights of the caller: a version, its data sets, what a PDF is made from."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict
from actors.resources.artifacts.artifact import Artifact, Version
from actors.resources.artifacts.data_sets import ListData
from actors.resources.artifacts.queries import GetArtifact, GetArtifactVersion
from server.artifacts.exporting import Source

Ask = Callable[[Any], Awaitable[Any]]


async def source_of(
    ask: Ask, identity: Identity, artifact_id: str, number: int | None, depth: int | None = None
) -> Source:  # fmt: skip
    """`depth`: PDFs that may still be generated from another.

    Raises `NotFound`, also where a PDF is generated from what the caller may not see, and `Conflict`.
    """
    sets = await ask(ListData(identity, artifact_id, with_rows=True))
    artifact, version = await _version(ask, identity, artifact_id, number)
    source = Source(artifact, version, {each.name: each.table for each in sets})
    return await _with_origin(ask, identity, source, limits.PDF_ORIGINS if depth is None else depth)


async def _version(ask: Ask, identity: Identity, artifact_id: str, number: int | None) -> tuple[Artifact, Version]:
    if number is not None:
        found: tuple[Artifact, Version] = await ask(GetArtifactVersion(identity, artifact_id, number))
        return found
    artifact: Artifact = await ask(GetArtifact(identity, artifact_id))
    assert artifact.newest is not None
    return artifact, artifact.newest


async def _with_origin(ask: Ask, identity: Identity, source: Source, depth: int) -> Source:
    content = source.content
    if source.artifact.type != "PDF" or not isinstance(content, dict) or not content.get("artifact_id"):
        return source
    if not depth:
        raise Conflict("This PDF is generated from a PDF that is generated from it.", code="export_failed")
    origin = await source_of(ask, identity, content["artifact_id"], content.get("version"), depth - 1)
    return replace(source, source=origin)
