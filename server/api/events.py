"""Events as clients get them: JSON, encoded once for all transports and subscribers."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import orjson

import server.resources
from actors.delivery.ephemeral import Ephemeral
from actors.delivery.publication import Publication
from actors.event_kinds import KINDS, USER_KINDS
from actors.events import EphemeralKind, Event, EventKind
from actors.modules import import_named
from actors.resources.user_events import UserEphemeral, UserEvent
from server.api import render
from server.api.event_views import DataView
from server.api.render import Json


@cache
def views() -> Mapping[EventKind | EphemeralKind, DataView]:
    """Of every kind: `VIEWS` in the `events.py` of each resource. Found when first asked for: a small resource has its
    operations, which need events, in the same file."""
    declared = (getattr(module, "VIEWS", {}) for module in import_named(server.resources, "events"))
    return {kind: view for found in declared for kind, view in found.items()}


# In the log of a thread


def event_data(record: Event) -> Json:
    return _render(record.type)(record, record.data)


@cache
def _render(type_name: str) -> Callable[[Any, Any], Json]:
    return _render_of(KINDS.get(type_name))


@cache
def _render_own(type_name: str) -> Callable[[Any, Any], Json]:
    return _render_of(USER_KINDS.get(type_name))


def _render_of(kind: EventKind | None) -> Callable[[Any, Any], Json]:
    """Nothing for a kind of a newer release: its entries stay in the log when this one comes back."""
    return _nothing if kind is None else views()[kind].render


def _nothing(_: object, __: object) -> Json:
    return {}


def event(record: Event) -> Json:
    return {
        "type": record.type,
        "thread_id": record.thread_id,
        "offset": record.offset,
        "time": render.iso_time(record.time),
        "actor": render.actor(record.actor),
        "data": event_data(record),
    }


def event_json(record: Event | Ephemeral) -> bytes:
    """The event as every subscriber gets it: encoded once."""
    if isinstance(record, Ephemeral):
        data = views()[record.kind].render(record, record.data)
        return orjson.dumps({"type": record.kind.name, "thread_id": record.thread_id, "data": data})
    return orjson.dumps(event(record))


def publications(events: Sequence[Event]) -> list[Publication]:
    return [Publication(e.offset, e.position, e.type, event_json(e)) for e in events]


# In a user's own log


def user_event(record: UserEvent) -> Json:
    """An entry of a user's own log, as the user sees it."""
    return {
        "type": record.type,
        "offset": record.offset,
        "time": render.iso_time(record.time),
        "data": _render_own(record.type)(record, record.data),
    }


def user_event_json(record: UserEvent | UserEphemeral) -> bytes:
    """As every device of the user gets it: encoded once."""
    if isinstance(record, UserEphemeral):
        data = views()[record.kind].render(record, record.data)
        return orjson.dumps({"type": record.kind.name, "data": data})
    return orjson.dumps(user_event(record))


def user_publications(events: Sequence[UserEvent]) -> list[Publication]:
    return [Publication(e.offset, e.offset, e.type, user_event_json(e)) for e in events]
