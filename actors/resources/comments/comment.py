"""A comment on an artifact: the record, the events about it, what can be asked, and who may do what. Pure.

It is about the whole artifact, or anchored to a place of its content: see `anchors.py`. Replies follow a comment that
is none itself; resolving a comment ends the conversation about it, until it is reopened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from actors.auth.identity import Identity
from actors.commands import UNSET, Gone, IfVersion, ThreadCommand, Unset
from actors.errors import Conflict, Forbidden, ValidationFailed
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.comments.anchors import Anchor
from actors.resources.members import MemberRole
from actors.resources.users import Author


@dataclass(frozen=True, slots=True)
class Comment:
    key: int
    id: str
    artifact_id: str
    thread_id: str
    parent_id: str | None
    """The comment that it replies to."""
    author: Author
    content: str
    """Markdown; empty of a tombstone."""
    base: int
    """Number of the version that it was made about."""
    anchor: Anchor | None
    """In that version; None: the whole artifact, or a reply."""
    version: int
    created_at: int
    updated_at: int
    edited_at: int | None = None
    resolver: Author | None = None
    resolved_at: int | None = None
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Commented:
    """Comments, and the contents that say where their anchors are now."""

    comments: Page[Comment]
    bases: Mapping[int, str]
    """Number of a version → its content as JSON, of every anchor of the page."""
    newest: str
    """Content as JSON."""
    version: int
    """Number of the newest version."""


COMMENT_CREATED: Final = EventKind("comment.created", Comment, "comment")
COMMENT_UPDATED: Final = EventKind("comment.updated", Comment, "comment")
COMMENT_DELETED: Final = EventKind("comment.deleted", Comment, "comment")


@dataclass(slots=True, kw_only=True)
class AddComment(ThreadCommand[Comment]):
    """Answers the `Comment`."""

    artifact_id: str
    comment_id: str
    content: str
    base: int
    anchor: Anchor | None = None
    parent_id: str | None = None


@dataclass(slots=True, kw_only=True)
class UpdateComment(ThreadCommand[Comment]):
    """Edit a comment of the caller's, resolve or reopen any. Answers the `Comment`."""

    artifact_id: str
    comment_id: str
    content: str | Unset = UNSET
    is_resolved: bool | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteComment(ThreadCommand[Gone]):
    artifact_id: str
    comment_id: str
    if_version: IfVersion = None


@dataclass(frozen=True, slots=True)
class GetComment(IdentityQuery[Commented]):
    """A page of one."""

    artifact_id: str
    comment_id: str


@dataclass(frozen=True, slots=True)
class ListComments(IdentityQuery[Commented]):
    """Of an artifact, the newest first."""

    artifact_id: str
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)
    parent_id: str | None = field(kw_only=True, default=None)
    """Only the replies to it."""
    is_resolved: bool | None = field(kw_only=True, default=None)
    """Only conversations that are, or are not; with their replies."""


@dataclass(frozen=True, slots=True)
class ListCommentsBy(Query[Page[Comment]]):
    """That a user has written, the oldest first."""

    user_id: str
    limit: int = field(kw_only=True)
    after: int | None = field(kw_only=True)

    @property
    def owner(self) -> Owner:
        return self.user_id


# Rules


def must_edit_comment(identity: Identity, author_key: int) -> None:
    if identity.user.key != author_key:
        raise Forbidden("Only its author edits a comment; reply to it instead.")


def must_delete_comment(identity: Identity, role: MemberRole | None, author_key: int) -> None:
    if identity.user.key != author_key and role != "OWNER" and not identity.is_admin:
        raise Forbidden("Only its author, the thread's owners and admins may delete a comment.")


def must_take_replies(parent: Comment) -> None:
    if parent.parent_id is not None:
        raise ValidationFailed({"parent_id": [f"expected a comment that is no reply itself: {parent.parent_id}."]})
    if parent.deleted_at is not None:
        raise Conflict("The comment was deleted; it takes no more replies.", code="comment_deleted")


def must_be_resolvable(comment: Comment) -> None:
    if comment.parent_id is not None:
        raise ValidationFailed({"resolved": [f"A reply is resolved with its comment: {comment.parent_id}."]})
