"""Events about artifacts, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.artifacts.artifact import ARTIFACT_CREATED, ARTIFACT_DELETED, ARTIFACT_UPDATED, Artifact
from actors.resources.artifacts.data_sets import ARTIFACT_DATA_UPDATED, DataChanged
from server.api import render
from server.api.event_views import DataView, DataViews
from server.resources.artifacts import rendering
from server.resources.artifacts.data_views import DataChangedView
from server.resources.artifacts.views import SharedArtifactView


def _artifact(_: Event, artifact: Artifact) -> render.Json:
    return rendering.shared(artifact)


def _data(_: Event, changed: DataChanged) -> render.Json:
    return rendering.data_changed(changed)


_ARTIFACT = DataView(SharedArtifactView, _artifact)
VIEWS: Final[DataViews] = {
    ARTIFACT_CREATED: _ARTIFACT,
    ARTIFACT_UPDATED: _ARTIFACT,
    ARTIFACT_DELETED: _ARTIFACT,
    ARTIFACT_DATA_UPDATED: DataView(DataChangedView, _data),
}
