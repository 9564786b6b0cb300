"""Comments become JSON."""

from collections.abc import Mapping, Sequence

import orjson

from actors.resources.comments.anchors import Anchor, Comparison, Place
from actors.resources.comments.comment import Comment, Commented
from server.api import render
from server.api.render import Json


def comment(record: Comment) -> Json:
    return {
        "id": record.id,
        "artifact_id": record.artifact_id,
        "thread_id": record.thread_id,
        "parent_id": record.parent_id,
        "author": render.author(record.author),
        "content": record.content,
        "base_version": record.base,
        "anchor": _anchor(record.anchor) if record.anchor else None,
        "resolved": record.resolved_at is not None,
        "resolved_by": render.author(record.resolver) if record.resolver else None,
        "resolved_at": render.maybe_time(record.resolved_at),
        "version": record.version,
        "created_at": render.iso_time(record.created_at),
        "updated_at": render.iso_time(record.updated_at),
        "edited_at": render.maybe_time(record.edited_at),
        "deleted_at": render.maybe_time(record.deleted_at),
    }


def _anchor(anchor: Anchor) -> Json:
    return {
        "pointer": anchor.pointer, "start": anchor.start, "end": anchor.end, "quote": anchor.quote,
        "before": anchor.before, "after": anchor.after,
    }  # fmt: skip


def places(found: Commented, base: int) -> dict[str, Json]:
    """Id of a comment about this version → its place in the newest one. Takes up to 0.4 s: not for the event loop."""
    comparison = Comparison(orjson.loads(found.bases[base]), orjson.loads(found.newest))
    anchored = [(each, each.anchor) for each in found.comments.items if each.anchor is not None and each.base == base]
    return {each.id: _place(anchor, comparison.found(anchor), found.version) for each, anchor in anchored}


def placed(found: Commented, places: Mapping[str, Json]) -> Sequence[Json]:
    return [{**comment(record), "place": places.get(record.id)} for record in found.comments.items]


def _place(anchor: Anchor, place: Place | None, version: int) -> Json:
    if place is None:
        return {
            "version": version, "standing": "orphaned", "pointer": None, "start": None, "end": None, "text": None
        }  # fmt: skip
    was = (anchor.pointer, anchor.start, anchor.end, anchor.quote if anchor.start is not None else None)
    is_there = was == (place.pointer, place.start, place.end, place.text)
    return {
        "version": version, "standing": "there" if is_there else "moved", "pointer": place.pointer,
        "start": place.start, "end": place.end, "text": place.text,
    }  # fmt: skip
