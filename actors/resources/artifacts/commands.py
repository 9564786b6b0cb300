"""What can be asked to change of artifacts. Contents are checked and packed before: see `contents.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.commands import UNSET, Gone, IfVersion, ThreadCommand, Unset
from actors.resources.artifacts.artifact import Artifact, ArtifactType, Change, Provenance
from actors.resources.artifacts.contents import Packed, Words


@dataclass(slots=True, kw_only=True)
class CreateArtifact(ThreadCommand[Artifact]):
    """Answers the `Artifact`."""

    artifact_id: str
    type: ArtifactType
    title: str
    content: Packed
    metadata: str = "{}"
    label: str | None = None
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(slots=True, kw_only=True)
class ReviseArtifact(ThreadCommand[Artifact]):
    """Another version. Answers the `Artifact`; where nothing differs, as it was."""

    artifact_id: str
    change: Change
    title: str | Unset = UNSET
    content: Packed | Unset = UNSET
    metadata: str | Unset = UNSET
    label: str | None = None
    provenance: Provenance = field(default_factory=Provenance)
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class CutVersion(ReviseArtifact):
    """A version of what was edited together, by the user who edited last. Each edit was checked when it came: that
    right may have ended since. Raises `Conflict` where the thread is closed."""


@dataclass(slots=True, kw_only=True)
class RestoreArtifact(ThreadCommand[Artifact]):
    """Title, content and metadata of an earlier version become the newest version. Answers the `Artifact`."""

    artifact_id: str
    number: int
    words: Words
    """Of that version, as `contents.words` answers them."""
    deadlines: Mapping[str, int] = field(default_factory=dict)
    """Of that version, as `contents.deadlines` answers them."""
    label: str | None = None


@dataclass(slots=True, kw_only=True)
class DeleteArtifact(ThreadCommand[Gone]):
    """With all versions. Answers `Gone`."""

    artifact_id: str
    if_version: IfVersion = None
