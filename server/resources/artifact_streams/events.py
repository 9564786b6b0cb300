"""Events about texts that grow in artifacts, on the wire."""

from collections.abc import Mapping
from typing import Final

from actors.delivery.ephemeral import Ephemeral
from actors.events import EphemeralKind, Event, EventKind
from actors.resources.artifact_streams import (
    ARTIFACT_DELTA,
    STREAM_ENDED,
    STREAM_STARTED,
    ArtifactDelta,
    ArtifactStream,
)
from server.api import render
from server.api.event_views import DataView
from server.resources.artifact_streams.views import ArtifactDeltaView, ArtifactStreamView, stream_view


def _stream(_: Event, stream: ArtifactStream) -> render.Json:
    return stream_view(stream)


def _delta(_: Ephemeral, delta: ArtifactDelta) -> render.Json:
    return {
        "artifact_id": delta.artifact_id,
        "stream_id": delta.stream_id,
        "pointer": delta.pointer,
        "index": delta.index,
        "text": delta.text,
    }


_STREAM = DataView(ArtifactStreamView, _stream)
VIEWS: Final[Mapping[EventKind | EphemeralKind, DataView]] = {
    STREAM_STARTED: _STREAM,
    STREAM_ENDED: _STREAM,
    ARTIFACT_DELTA: DataView(ArtifactDeltaView, _delta),
}
