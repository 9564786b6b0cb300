"""Links to artifacts on the wire."""

from typing import Annotated

from pydantic import Field

from actors import limits
from server.api.fields import Id, Request, Time, View
from server.resources.artifacts.views import Label
from server.resources.users.views import AuthorView


class ShareView(View):
    id: Id
    artifact_id: Id
    creator: AuthorView
    version: int | None = Field(description="Null: the newest one, as it is when the link is used.")
    label: str | None
    url: str | None = Field(description="Path and query on this server; shown once, when the link is created.")
    views: int
    viewed_at: Time | None
    created_at: Time
    expires_at: Time
    revoked_at: Time | None


class ShareArtifactRequest(Request):
    id: Id
    seconds: Annotated[int, Field(ge=1, le=limits.SHARE_SECONDS_MAX)] = limits.SHARE_SECONDS
    version: Annotated[int, Field(ge=1, le=2**31)] | None = Field(default=None, description="The newest if left out.")
    label: Label | None = Field(default=None, description="For whom it is.")


class ShareRequest(Request):
    id: Id
    share_id: Id
