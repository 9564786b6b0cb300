"""A text of an artifact that grows while it is written, as an agent writes it: the record, the events, and who may do
what. Pure.

What was appended is durable when it is acknowledged. It becomes a version at the end: the text is put after what the
place has then, wherever the place was moved to.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from actors.auth.identity import Identity
from actors.commands import Makes, ThreadCommand
from actors.errors import Conflict
from actors.events import EphemeralKind, EventKind
from actors.page import Page
from actors.queries import IdentityQuery
from actors.resources.artifacts import json_patch
from actors.resources.artifacts.artifact import Artifact, Provenance
from actors.resources.artifacts.contents import Packed
from actors.resources.comments import anchors
from actors.resources.users import Author

StreamStatus = Literal["STREAMING", "COMPLETE", "INTERRUPTED"]
STREAM_STATUSES: Final[tuple[StreamStatus, ...]] = ("STREAMING", "COMPLETE", "INTERRUPTED")


@dataclass(frozen=True, slots=True)
class ArtifactStream:
    key: int
    id: str
    artifact_id: str
    thread_id: str
    author: Author
    pointer: str
    """Of the text that grows, in the version `base`."""
    base: int
    provenance: Provenance
    status: StreamStatus
    created_at: int
    ended_at: int | None = None
    version: int | None = None
    """The version that has the text; None where none has."""


@dataclass(frozen=True, slots=True)
class WrittenStream:
    """A stream, its text so far, and the contents that say where it belongs."""

    stream: ArtifactStream
    text: str
    base: str | None
    """JSON of the version it was begun on; None where that is no longer kept."""
    artifact: Artifact
    """With its content."""


@dataclass(frozen=True, slots=True)
class ArtifactDelta:
    """A piece of the text: what a client has from `index` on is replaced by it."""

    artifact_id: str
    stream_id: str
    pointer: str
    index: int
    """In characters."""
    text: str


@dataclass(frozen=True, slots=True)
class Grown:
    stream: ArtifactStream
    index: int
    """Where the piece starts."""
    length: int
    """Of the text so far: where the next piece starts."""


STREAM_STARTED: Final = EventKind("artifact.stream_started", ArtifactStream, "artifact_stream")
STREAM_ENDED: Final = EventKind("artifact.stream_ended", ArtifactStream, "artifact_stream")
ARTIFACT_DELTA: Final = EphemeralKind("artifact.delta", ArtifactDelta)


@dataclass(slots=True, kw_only=True)
class OpenArtifactStream(ThreadCommand[ArtifactStream]):
    """Answers the `ArtifactStream`."""

    artifact_id: str
    stream_id: str
    pointer: str
    base: int
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(slots=True, kw_only=True)
class AppendToArtifact(ThreadCommand[Grown]):
    """Answers what has `Grown`, once it is durable."""

    artifact_id: str
    stream_id: str
    text: str
    index: int | None = None
    """Where it starts, so that a retry does not duplicate text."""


@dataclass(slots=True, kw_only=True)
class FinishArtifactStream(ThreadCommand[ArtifactStream]):
    """Completed by its author, or stopped by any member who may write. Answers the `ArtifactStream`; again, as it is.

    Raises `PreconditionFailed` where `newest` is not the newest version, or `length` not the length of the text."""

    artifact_id: str
    stream_id: str
    status: Literal["COMPLETE", "INTERRUPTED"]
    newest: int
    length: int
    content: Packed | None
    """Of the newest version with the text; None: no version can have it, it stays with the stream."""


@dataclass(frozen=True, slots=True)
class InterruptArtifactStreams(Makes[int]):
    """End up to `rows` streams to which nothing was appended since `before`; answers how many."""

    before: int
    rows: int = 100


@dataclass(frozen=True, slots=True)
class GetArtifactStream(IdentityQuery[WrittenStream]):
    artifact_id: str
    stream_id: str


@dataclass(frozen=True, slots=True)
class ListArtifactStreams(IdentityQuery[Page[ArtifactStream]]):
    """Of an artifact, the newest first."""

    artifact_id: str
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)
    status: StreamStatus | None = field(kw_only=True, default=None)


# Rules


def must_be_streamed_by(identity: Identity, stream: ArtifactStream) -> None:
    if stream.status != "STREAMING" or stream.author.key != identity.user.key:
        raise Conflict(
            "There is no text of yours with this id that is being written here: it was completed or stopped.",
            code="not_streaming",
        )


def grown(base: Any, newest: Any, pointer: str, text: str) -> Any:
    """The newest content with the text after what its place has; None where the place is gone, or holds no text."""
    place = anchors.Comparison(base, newest).found(anchors.Anchor(pointer))
    there = None if place is None else json_patch.at(newest, place.pointer)
    if place is None or not isinstance(there, str):
        return None
    return json_patch.patched(newest, [{"op": "replace", "path": place.pointer, "value": there + text}])
