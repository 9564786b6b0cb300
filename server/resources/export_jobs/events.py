"""Events about export jobs, on the wire."""

from collections.abc import Mapping
from typing import Any, Final

from actors.events import EphemeralKind, EventKind
from actors.resources.exports import EXPORT_PROGRESS, Export
from server.api import render
from server.api.event_views import DataView
from server.resources.export_jobs.views import ExportJobView, export_view


def _export(_: Any, export: Export) -> render.Json:
    return export_view(export)


VIEWS: Final[Mapping[EventKind | EphemeralKind, DataView]] = {EXPORT_PROGRESS: DataView(ExportJobView, _export)}
