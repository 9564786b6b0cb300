"""An artifact and its versions: the records, the events about them, and who may do what. Pure.

Its content is a typed body, or a Markdown text. Each change of title, content or metadata is another version; a version
never changes. Bytes are stored once: versions with the same content share a body.
"""

from dataclasses import dataclass
from typing import Final, Literal

from actors.auth.identity import Identity
from actors.commands import IfVersion
from actors.errors import Forbidden, NotFound, PreconditionRequired
from actors.events import EventKind
from actors.resources.members import MemberRole
from actors.resources.users import Author

ArtifactType = Literal["INSIGHT", "REPORT", "DASHBOARD", "PDF", "REFERENCE"]
ARTIFACT_TYPES: Final[tuple[ArtifactType, ...]] = ("INSIGHT", "REPORT", "DASHBOARD", "PDF", "REFERENCE")
Change = Literal["created", "replaced", "patched", "merged", "restored"]
CHANGES: Final[tuple[Change, ...]] = ("created", "replaced", "patched", "merged", "restored")
"""What made a version: the first one; other fields or a whole content; a JSON Patch; a merge patch; an older one."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a version comes from, as its author says."""

    message_id: str | None = None
    """A message of the same thread."""
    tool_call: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    """1, 2, 3, … of its artifact."""
    title: str
    metadata: str
    """JSON object."""
    digest: str
    """SHA-256 of the content as JSON, 64 hexadecimal digits."""
    size: int
    """Bytes of the content as JSON."""
    author: Author
    created_at: int
    change: Change
    label: str | None
    provenance: Provenance
    restored_from: int | None = None
    content: str | None = None
    """JSON; None where it was not asked for."""


@dataclass(frozen=True, slots=True)
class Artifact:
    key: int
    id: str
    thread_id: str
    creator: Author
    type: ArtifactType
    newest: Version | None
    """None of a tombstone."""
    version: int
    """Number of the newest version, also of a tombstone."""
    dropped: int
    """Versions that the history no longer has."""
    created_at: int
    updated_at: int
    deleted_at: int | None = None


# Events. They carry the record without its content, which may be large: it is read by id and version.

ARTIFACT_CREATED: Final = EventKind("artifact.created", Artifact, "artifact")
ARTIFACT_UPDATED: Final = EventKind("artifact.updated", Artifact, "artifact")
ARTIFACT_DELETED: Final = EventKind("artifact.deleted", Artifact, "artifact")


# Rules. Who sees a thread sees its artifacts; who may write there may change them.


def must_see_artifact(identity: Identity, role: MemberRole | None, artifact_id: str) -> None:
    if role is None and not identity.is_admin:
        raise NotFound("artifact", artifact_id)


def must_delete_artifact(identity: Identity, role: MemberRole | None, creator_key: int) -> None:
    own = creator_key == identity.user.key and role in ("OWNER", "MEMBER")
    if not (own or role == "OWNER" or identity.is_admin):
        raise Forbidden("Only its creator, the thread's owners and admins may delete an artifact.")


def must_not_overwrite(identity: Identity, if_version: IfVersion, author_key: int) -> None:
    """A whole content takes the place of another one's work only if its author says which version they have seen."""
    if if_version is None and author_key != identity.user.key:
        raise PreconditionRequired(
            "The newest version is by another user; send its ETag in `If-Match`, or a patch instead of the content."
        )
