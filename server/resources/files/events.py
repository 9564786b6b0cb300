"""Events about files, on the wire."""

from typing import Final

from actors.events import Event
from actors.resources.files import (
    FILE_ATTACHED,
    FILE_CREATED,
    FILE_DELETED,
    FILE_PREVIEW_READY,
    FILE_UPDATED,
    File,
)
from server.api import render
from server.api.event_views import DataView, DataViews
from server.resources.files.views import FileView


def _file(_: Event, file: File) -> render.Json:
    return render.file(file)


_FILE = DataView(FileView, _file)
VIEWS: Final[DataViews] = {
    FILE_CREATED: _FILE,
    FILE_UPDATED: _FILE,
    FILE_ATTACHED: _FILE,
    FILE_PREVIEW_READY: _FILE,
    FILE_DELETED: _FILE,
}
