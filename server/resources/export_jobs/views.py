"""Export jobs on the wire."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from actors.resources.exports import Export, ExportKind, ExportStatus
from server.api import render
from server.api.fields import Id, NoNul, Request, Time, View
from server.artifacts.printing import Format
from server.exports.threads import ThreadFormat
from server.resources.artifacts.views import Number

Short = Literal["md"]


class ExportJobView(View):
    id: Id
    kind: ExportKind
    subject_id: Id = Field(description="Of the artifact, or of the thread.")
    format: Format
    version: int | None = Field(description="Of the artifact; null: the newest, as it was.")
    chart: str | None
    status: ExportStatus
    done: int = Field(description="Steps that are done: one for each chart, and one for the document.")
    steps: int
    name: str | None = Field(description="Of its file.")
    media_type: str | None
    size: int | None
    pages: int | None
    missing_scripts: str | None = Field(
        description="Scripts of which no font of the server has all characters that are in the text."
    )
    undrawn_charts: int = Field(description="Charts that could not be drawn; their data stand in their place.")
    left_out: int = Field(description="Older messages of the thread than the export has.")
    error: str | None = Field(description="Why it failed, in a sentence.")
    code: str | None = Field(description="Of the error.")
    url: str | None = Field(description="Where its file is fetched, once it is there.")
    created_at: Time
    expires_at: Time = Field(description="Then it goes.")


class ExportArtifactRequest(Request):
    id: Id
    format: Format | Short
    version: Number | None = Field(default=None, description="The newest if left out.")
    chart: Annotated[str, StringConstraints(min_length=1, max_length=64), NoNul] | None = Field(
        default=None, description="Id or number of one chart, for `svg` and `png`."
    )


class ExportThreadRequest(Request):
    thread_id: Id
    format: ThreadFormat | Short


def export_view(export: Export) -> render.Json:
    is_done = export.status == "DONE"
    return {
        "id": export.id,
        "kind": export.kind,
        "subject_id": export.subject_id,
        "format": export.format,
        "version": export.version,
        "chart": export.chart,
        "status": export.status,
        "done": export.done,
        "steps": export.steps,
        "name": export.name,
        "media_type": export.media_type,
        "size": export.size,
        "pages": export.pages,
        "missing_scripts": export.missing_scripts,
        "undrawn_charts": export.undrawn,
        "left_out": export.left_out,
        "error": export.error,
        "code": export.code,
        "url": f"/api/v1/exports/{export.id}/content" if is_done else None,
        "created_at": render.iso_time(export.created_at),
        "expires_at": render.iso_time(export.expires_at),
    }
