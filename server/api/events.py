"""Events as clients get them: JSON, encoded once for all transports and subscribers."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

import server.resources
from actors.delivery.ephemeral import Ephemeral
from actors.delivery.publication import Publication
from actors.event_kinds import EPHEMERAL_KINDS, KINDS, USER_EPHEMERAL_KINDS, USER_KINDS
from actors.events import Event
from actors.modules import import_named
from actors.resources.user_events import UserEphemeral, UserEvent
from server.api import render
from server.api.event_views import DataViews, EphemeralViews
from server.api.render import Json

_VIEWS: Final[dict[Any, Any]] = {
    kind: view
    for module in import_named(server.resources, "events")
    for kind, view in getattr(module, "VIEWS", {}).items()
}
THREAD_VIEWS: Final[DataViews] = {kind: _VIEWS[kind] for kind in KINDS.values()}
USER_VIEWS: Final[DataViews] = {kind: _VIEWS[kind] for kind in USER_KINDS.values()}
EPHEMERAL_VIEWS: Final[EphemeralViews] = {kind: _VIEWS[kind] for kind in EPHEMERAL_KINDS}
USER_EPHEMERAL_VIEWS: Final[EphemeralViews] = {kind: _VIEWS[kind] for kind in USER_EPHEMERAL_KINDS}


# In the log of a thread


def event_data(record: Event) -> Json:
    return THREAD_VIEWS[KINDS[record.type]].render(record, record.data)


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
        data = EPHEMERAL_VIEWS[record.kind].render(record, record.data)
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
        "data": USER_VIEWS[USER_KINDS[record.type]].render(record, record.data),
    }


def user_event_json(record: UserEvent | UserEphemeral) -> bytes:
    """As every device of the user gets it: encoded once."""
    if isinstance(record, UserEphemeral):
        data = USER_EPHEMERAL_VIEWS[record.kind].render(record, record.data)
        return orjson.dumps({"type": record.kind.name, "data": data})
    return orjson.dumps(user_event(record))


def user_publications(events: Sequence[UserEvent]) -> list[Publication]:
    return [Publication(e.offset, e.offset, e.type, user_event_json(e)) for e in events]
