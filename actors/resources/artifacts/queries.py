"""What can be asked about artifacts."""

from dataclasses import dataclass, field

from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.artifacts.artifact import Artifact, ArtifactType, Version


@dataclass(frozen=True, slots=True)
class ArtifactFilter:
    """Which artifacts; None: whichever."""

    thread_id: str | None = None
    creator_id: str | None = None
    type: ArtifactType | None = None
    updated_from: int | None = None
    """Milliseconds since 1970."""
    text: str | None = None
    """Words of the title and of the content."""


@dataclass(frozen=True, slots=True)
class GetArtifact(IdentityQuery[Artifact]):
    artifact_id: str
    with_content: bool = True


@dataclass(frozen=True, slots=True)
class ListArtifacts(IdentityQuery[Page[Artifact]]):
    """The newest first."""

    wanted: ArtifactFilter
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)
    with_content: bool = field(kw_only=True, default=True)
    everything: bool = field(kw_only=True, default=False)
    """For administrators at a terminal: also of threads in which the identity is no member."""


@dataclass(frozen=True, slots=True)
class ListArtifactsBy(Query[Page[Artifact]]):
    """Artifacts that a user has created, the oldest first, with their contents."""

    user_id: str
    limit: int = field(kw_only=True)
    after: int | None = field(kw_only=True)

    @property
    def owner(self) -> Owner:
        return self.user_id


@dataclass(frozen=True, slots=True)
class GetArtifactVersion(IdentityQuery[tuple[Artifact, Version]]):
    """With its content."""

    artifact_id: str
    number: int


@dataclass(frozen=True, slots=True)
class ListArtifactVersions(IdentityQuery[Page[Version]]):
    """The newest first, without their contents."""

    artifact_id: str
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)
