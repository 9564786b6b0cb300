"""Artifacts and their versions become JSON."""

from typing import Any

from actors.resources.artifacts.artifact import Artifact, Provenance, Version
from actors.resources.artifacts.data_sets import DataChanged, StoredData
from actors.resources.artifacts.shares import Share
from actors.resources.blocks.faults import Fault
from server.api import render
from server.api.render import Json

_NO_PROVENANCE = Provenance()


def shared(record: Artifact) -> Json:
    """Without the content; a tombstone is empty."""
    newest = record.newest
    return {
        "id": record.id,
        "thread_id": record.thread_id,
        "creator": render.author(record.creator),
        "type": record.type,
        "title": newest.title if newest else "",
        "metadata": render.carried(newest.metadata if newest else "{}"),
        "version": record.version,
        "size": newest.size if newest else 0,
        "sha256": newest.digest if newest else None,
        "label": newest.label if newest else None,
        "provenance": provenance(newest.provenance if newest else _NO_PROVENANCE),
        "updated_by": render.author(newest.author) if newest else None,
        "dropped_versions": record.dropped,
        "created_at": render.iso_time(record.created_at),
        "updated_at": render.iso_time(record.updated_at),
        "deleted_at": render.maybe_time(record.deleted_at),
    }


def artifact(record: Artifact) -> Json:
    content = record.newest.content if record.newest else None
    return {**shared(record), "content": render.carried(content)}


def version(record: Version) -> Json:
    """With its content where it was read."""
    content: Json = {} if record.content is None else {"content": render.carried(record.content)}
    return {
        "number": record.number,
        "title": record.title,
        "metadata": render.carried(record.metadata),
        "size": record.size,
        "sha256": record.digest,
        "author": render.author(record.author),
        "created_at": render.iso_time(record.created_at),
        "change": record.change,
        "label": record.label,
        "provenance": provenance(record.provenance),
        "restored_from": record.restored_from,
        **content,
    }


def provenance(record: Provenance) -> Json:
    return {"message_id": record.message_id, "tool_call": record.tool_call, "model": record.model}


def fault(record: Fault) -> dict[str, Any]:
    return {
        "pointer": record.pointer,
        "code": record.code,
        "expected": record.expected,
        "limit": record.limit,
        "actual": record.actual,
    }


def share(record: Share, url: str | None = None) -> Json:
    return {
        "id": record.id,
        "artifact_id": record.artifact_id,
        "creator": render.author(record.creator),
        "version": record.version,
        "label": record.label,
        "url": url,
        "views": record.views,
        "viewed_at": render.maybe_time(record.viewed_at),
        "created_at": render.iso_time(record.created_at),
        "expires_at": render.iso_time(record.expires_at),
        "revoked_at": render.maybe_time(record.revoked_at),
    }


def data_set(record: StoredData) -> Json:
    """With its rows where they were read."""
    rows: Json = {} if record.rows is None else {"rows": [render.carried(row) for row in record.rows]}
    return {
        "artifact_id": record.artifact_id,
        "name": record.name,
        "columns": list(record.columns),
        "count": record.count,
        "size": record.size,
        "revision": record.revision,
        "updated_by": render.author(record.updated_by),
        "updated_at": render.iso_time(record.updated_at),
        **rows,
    }


def data_changed(record: DataChanged) -> Json:
    return {
        "artifact_id": record.artifact_id,
        "name": record.name,
        "change": record.change,
        "revision": record.revision,
        "count": record.count,
    }
