"""Documents that several people edit at once; they edit over a WebSocket (`server/collab/`)."""

from typing import Any, Literal

import orjson
from pydantic import Field

from actors.resources.documents import EditedArtifact, GetEdited
from server.api import render
from server.api.fields import ById, Id, Time, View
from server.api.registry import Call, Operations, Result

operations = Operations("artifacts")


class DocumentFaultView(View):
    field: str = Field(description="Path within the content.")
    message: str


class DocumentView(View):
    artifact_id: Id
    status: Literal["none", "saved", "draft"] = Field(
        description="`none`: it was never edited together; `saved`: a version has all edits, or will when editing "
        "rests; `draft`: its content is not valid, so that no version can be cut."
    )
    version: int = Field(description="Of the artifact, which the document was last the same as.")
    faults: list[DocumentFaultView] = Field(description="Of a draft: why no version could be cut.")
    editors: int = Field(description="Connected now.")
    may_write: bool = Field(description="Whether you may edit.")
    updated_at: Time | None


@operations("GET", "/artifacts/{id}/document", response=DocumentView)
async def get_artifact_document(call: Call, request: ById) -> Result:
    """How editing an artifact together stands: who is there, and why no version can be cut, if so."""
    edited = await call.services.ask(GetEdited(call.identity, request.id))
    return Result(_shown(edited, call.services.rooms.editors(request.id)))


def _shown(edited: EditedArtifact, editors: int) -> dict[str, Any]:
    document = edited.document
    faults = orjson.loads(document.faults) if document is not None else []
    return {
        "artifact_id": edited.artifact.id,
        "status": "none" if document is None else "draft" if faults else "saved",
        "version": document.version if document is not None else edited.artifact.version,
        "faults": faults,
        "editors": editors,
        "may_write": edited.may_write,
        "updated_at": render.maybe_time(document.updated_at if document is not None else None),
    }
