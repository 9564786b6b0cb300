"""The document of an artifact that several people edit at once: what the store keeps of it, and who may do what. Pure.

A document is a CRDT: edits are stored as they arrive, small and in any order, and folded into one state now and then. A
version of the artifact is cut when editing rests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.auth.identity import Identity
from actors.commands import Makes
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.artifacts.artifact import Artifact
from actors.resources.members import MemberRole
from actors.resources.threads import ThreadStatus


@dataclass(frozen=True, slots=True)
class StoredDocument:
    state: bytes
    """Edits folded into one."""
    edits: tuple[bytes, ...]
    """Those after it, in the order in which they were stored."""
    newest: int
    """Number of the last of them; 0 for none yet."""
    version: int
    """Of the artifact, which the document had when it was last the same."""
    faults: str
    """JSON: why no version could be cut; `[]` where it could."""
    updated_at: int


@dataclass(frozen=True, slots=True)
class EditedArtifact:
    artifact: Artifact
    """With its content."""
    base: str | None
    """JSON of the version that the document was last the same as; None where that is gone."""
    document: StoredDocument | None
    may_write: bool


@dataclass(frozen=True, slots=True)
class Access:
    """Rights and state of the artifact while its document is edited."""

    version: int | None
    """Of the artifact; None: it is gone."""
    status: ThreadStatus
    roles: Mapping[int, MemberRole]
    """User → role in the thread, of those who are its members."""

    def may_write(self, user_key: int) -> bool:
        return self.status != "CLOSED" and self.roles.get(user_key) in ("OWNER", "MEMBER")

    def may_read(self, identity: Identity) -> bool:
        return self.version is not None and (identity.is_admin or identity.user.key in self.roles)


@dataclass(slots=True, kw_only=True)
class StartDocument(Makes[bool]):
    """Keep the first state of a document, unless there is one already. Answers whether it was kept."""

    artifact_id: str
    state: bytes
    version: int


@dataclass(slots=True, kw_only=True)
class AppendEdit(Makes[int]):
    """Keep an edit. Answers its number. Raises `NotFound`, `Forbidden` or `Conflict` where the user may not write."""

    artifact_id: str
    edit: bytes
    identity: Identity | None
    """None: what was changed of the artifact elsewhere."""
    version: int | None = None
    """The version that the document is the same as after it."""


@dataclass(slots=True, kw_only=True)
class FoldEdits(Makes[None]):
    """Keep `state` in place of the edits up to `newest`. Answers None."""

    artifact_id: str
    state: bytes
    newest: int


@dataclass(slots=True, kw_only=True)
class NoteCut(Makes[None]):
    """A version was cut, or could not be. Answers None."""

    artifact_id: str
    version: int
    faults: str = "[]"


@dataclass(frozen=True, slots=True)
class GetEdited(IdentityQuery[EditedArtifact]):
    artifact_id: str


@dataclass(frozen=True, slots=True)
class GetDocumentAccess(Query[Access]):
    artifact_id: str
    user_keys: tuple[int, ...] = field(default=())

    @property
    def owner(self) -> Owner:
        return self.artifact_id
