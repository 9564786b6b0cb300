"""Events about files, on the wire."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from actors.events import EphemeralKind, Event, EventKind
from actors.resources.files.file import (
    FILE_ATTACHED,
    FILE_CREATED,
    FILE_DELETED,
    FILE_PREVIEW_READY,
    FILE_UPDATED,
    File,
)
from actors.resources.files.uploads import FILE_PROGRESS, UPLOAD_PROGRESS, UploadProgress
from server.api import render
from server.api.event_views import DataView
from server.api.fields import Id, View
from server.resources.files.views import FileView


class FileProgressView(View):
    file_id: Id
    received: int = Field(description="Bytes that are there.")
    size: int | None = Field(description="Bytes in all; null where that is not known.")


class UploadProgressView(FileProgressView):
    upload_id: Id


def _file(_: Event, file: File) -> render.Json:
    return render.file(file)


def _progress(_: Any, progress: UploadProgress) -> render.Json:
    return {"file_id": progress.file_id, "received": progress.received, "size": progress.size}


def _own_progress(event: Any, progress: UploadProgress) -> render.Json:
    return {**_progress(event, progress), "upload_id": progress.upload_id}


_FILE = DataView(FileView, _file)
VIEWS: Final[Mapping[EventKind | EphemeralKind, DataView]] = {
    FILE_CREATED: _FILE,
    FILE_UPDATED: _FILE,
    FILE_ATTACHED: _FILE,
    FILE_PREVIEW_READY: _FILE,
    FILE_DELETED: _FILE,
    FILE_PROGRESS: DataView(FileProgressView, _progress),
    UPLOAD_PROGRESS: DataView(UploadProgressView, _own_progress),
}
