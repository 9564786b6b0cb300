"""Events about acknowledgements, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.acknowledgements import MESSAGE_ACKNOWLEDGED, Acknowledged
from server.api import render
from server.api.event_views import DataView, DataViews
from server.resources.acknowledgements.views import AcknowledgedView, acknowledged


def _acknowledged(_: Event, record: Acknowledged) -> render.Json:
    return acknowledged(record)


VIEWS: Final[DataViews] = {MESSAGE_ACKNOWLEDGED: DataView(AcknowledgedView, _acknowledged)}
