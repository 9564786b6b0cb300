"""Streams into artifacts, on the wire."""

from typing import Annotated

from pydantic import Field, StringConstraints

from actors import limits
from actors.resources.artifact_streams import ArtifactStream, StreamStatus
from server.api import render
from server.api.fields import NO_NUL, Id, NoNul, Paged, Request, Time, View
from server.resources.artifacts import rendering as artifacts
from server.resources.artifacts.views import Number, ProvenanceView, Sourced
from server.resources.comments.views import Pointer
from server.resources.users.views import AuthorView


class ArtifactStreamView(View):
    """As lists and events have it, without its text."""

    id: Id
    artifact_id: Id
    thread_id: Id
    author: AuthorView
    pointer: str = Field(description="JSON pointer of the text that grows, in the version `base_version`.")
    base_version: int
    provenance: ProvenanceView
    status: StreamStatus
    created_at: Time
    ended_at: Time | None
    version: int | None = Field(description="The version of the artifact that has the text.")


class FullArtifactStreamView(ArtifactStreamView):
    text: str = Field(description="So far; empty where a version has it.")
    length: int = Field(description="Of the text, in characters: where the next piece starts.")


class ArtifactDeltaView(View):
    artifact_id: Id
    stream_id: Id
    pointer: str
    index: int = Field(description="In characters: what a client has from here on is replaced by `text`.")
    text: str


class GrownView(View):
    length: int = Field(description="Of the text so far, in characters: where the next piece starts.")


class OpenArtifactStreamRequest(Sourced):
    id: Id
    pointer: Pointer = ""
    version: Number | None = Field(
        default=None, description="The version that the pointer is for; the newest if left out."
    )


class ListArtifactStreamsRequest(Paged):
    id: Id
    status: StreamStatus | None = Field(default=None, description="Only those.")


class ArtifactStreamRequest(Request):
    id: Id
    stream_id: Id


class AppendToArtifactRequest(ArtifactStreamRequest):
    text: Annotated[
        str,
        StringConstraints(max_length=limits.STREAM_PIECE_CHARS),
        NoNul,
        Field(description="May be empty: a sign of life.", json_schema_extra=NO_NUL),
    ]
    index: Annotated[int, Field(ge=0, le=limits.ARTIFACT_BYTES)] | None = Field(
        default=None, description="Where it starts, so that a retry does not duplicate it."
    )


def stream_view(stream: ArtifactStream) -> render.Json:
    return {
        "id": stream.id,
        "artifact_id": stream.artifact_id,
        "thread_id": stream.thread_id,
        "author": render.author(stream.author),
        "pointer": stream.pointer,
        "base_version": stream.base,
        "provenance": artifacts.provenance(stream.provenance),
        "status": stream.status,
        "created_at": render.iso_time(stream.created_at),
        "ended_at": render.maybe_time(stream.ended_at),
        "version": stream.version,
    }
