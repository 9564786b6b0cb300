"""Proposals become JSON."""

import orjson

from actors.resources.proposals.hunks import Hunk, Standing, standings
from actors.resources.proposals.proposal import Compared, Proposal, decoded
from server.api import render
from server.api.render import Json
from server.resources.artifacts import rendering as artifacts


def proposal(record: Proposal) -> Json:
    return {
        "id": record.id,
        "artifact_id": record.artifact_id,
        "thread_id": record.thread_id,
        "author": render.author(record.author),
        "base_version": record.base,
        "comment": record.comment,
        "provenance": artifacts.provenance(record.provenance),
        "status": record.status,
        "hunk_count": record.count,
        "resolved_by": render.author(record.resolver) if record.resolver else None,
        "resolved_at": render.maybe_time(record.resolved_at),
        "reason": record.reason,
        "accepted_hunks": list(record.accepted),
        "version": record.version,
        "created_at": render.iso_time(record.created_at),
        "updated_at": render.iso_time(record.updated_at),
    }


def compared(found: Compared) -> Json:
    """With its hunks, and what becomes of each on the newest version. Takes milliseconds: not for the event loop."""
    record, newest = found.proposal, found.artifact.newest
    shown: list[Json] | None = None
    if record.hunks is not None:
        hunks = decoded(record.hunks)
        standing: tuple[Standing | None, ...] = (None,) * len(hunks)
        if found.base is not None and newest is not None:
            standing = standings(orjson.loads(found.base), orjson.loads(newest.content or ""), hunks)
        shown = [_hunk(number, hunk, standing[number]) for number, hunk in enumerate(hunks)]
    return {
        **proposal(record),
        "newest_version": found.artifact.version,
        "patch": None if record.patch is None else render.carried(record.patch),
        "hunks": shown,
    }


def full(record: Proposal) -> Json:
    """Of an export: as `compared`, without another version to compare with."""
    hunks = None if record.hunks is None else decoded(record.hunks)
    return {
        **proposal(record),
        "newest_version": record.version or record.base,
        "patch": None if record.patch is None else render.carried(record.patch),
        "hunks": None if hunks is None else [_hunk(number, hunk, None) for number, hunk in enumerate(hunks)],
    }


def _hunk(number: int, hunk: Hunk, standing: Standing | None) -> Json:
    return {
        "number": number,
        "kind": hunk.kind,
        "pointer": hunk.pointer,
        "start": hunk.start,
        "before": list(hunk.before),
        "after": list(hunk.after),
        "standing": standing,
    }
