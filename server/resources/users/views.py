"""Users on the wire."""

from typing import Any, Literal

from pydantic import Field

from actors.resources.users import UserKind, UserRole, UserStatus
from server.api.common_views import DeletedView
from server.api.fields import LEFT_OUT, Email, Id, Metadata, Name, Paged, Request, Time, Url, View


class AuthorView(View):
    id: Id
    name: str
    kind: UserKind
    avatar_url: str | None


class ActorView(View):
    """Who did it."""

    id: Id
    name: str
    kind: UserKind


class UserView(View):
    """The e-mail address and what follows it are shown to oneself and to admins."""

    id: Id
    name: str
    avatar_url: str | None
    kind: UserKind
    status: UserStatus
    email: str | None = None
    role: UserRole | None = None
    domain: str | None = None
    metadata: dict[str, Any] | None = None
    created_at: Time | None = None
    updated_at: Time | None = None


class ListUsersRequest(Paged):
    q: Name | None = Field(
        default=None, description="Part of the name, ignoring case and accents; for admins also of the e-mail address."
    )
    email: Email | None = Field(default=None, description="The complete e-mail address.")
    kind: UserKind | None = None
    status: UserStatus | None = None


class CreateUserRequest(Request):
    email: Email
    name: Name
    avatar_url: Url | None = None
    role: UserRole = "USER"
    kind: UserKind = "HUMAN"
    domain: Name | None = None
    metadata: Metadata = "{}"
    invite: bool = Field(default=False, description="Whether to send the user a mail with a link that signs in.")


class DeleteUserRequest(Request):
    id: Id
    content: Literal["anonymise", "remove"] = Field(
        default="anonymise", description="Whether the user's messages stay without a name, or are deleted."
    )


class RemovedFilesView(View):
    count: int
    size: int = Field(description="Bytes, of all versions.")


class KeptFilesView(View):
    reason: Literal["in_threads", "shown_by_others", "versions_of_others"]
    detail: str = Field(description="Why they stay.")
    count: int = Field(description="Files; with `versions_of_others`, versions.")
    size: int = Field(description="Bytes, of all versions.")


class ErasedFilesView(View):
    removed: RemovedFilesView
    kept: list[KeptFilesView]


class DeletedUserView(DeletedView):
    files: ErasedFilesView = Field(description="What becomes of the user's files.")


class UpdateMeRequest(Request):
    name: Name = LEFT_OUT
    avatar_url: Url | None = None
    metadata: Metadata = LEFT_OUT


class UpdateUserRequest(UpdateMeRequest):
    id: Id
    email: Email = LEFT_OUT
    role: UserRole = LEFT_OUT
    kind: UserKind = LEFT_OUT
    status: UserStatus = LEFT_OUT
