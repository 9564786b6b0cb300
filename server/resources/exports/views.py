"""Everything about a user, on the wire."""

from pydantic import Field

from actors.resources.members import MemberRole
from server.api.fields import Id, Paged, Time, View
from server.resources.auth.views import ApiKeyView, SessionView
from server.resources.files.views import FileView
from server.resources.users.views import UserView


class MembershipExportView(View):
    thread_id: Id
    title: str
    role: MemberRole
    joined_at: Time


class ExportNextView(View):
    """URLs of the next pages; null where this answer has all."""

    memberships: str | None
    sessions: str | None


class ExportView(View):
    user: UserView
    memberships: list[MembershipExportView] = Field(description="The first 100; `next` has the URL of more.")
    sessions: list[SessionView] = Field(description="The newest 100; `next` has the URL of more.")
    api_keys: list[ApiKeyView]
    next: ExportNextView
    messages: str = Field(description="URL of the messages, page by page.")
    files: str = Field(description="URL of the files, page by page.")
    artifacts: str = Field(description="URL of the artifacts, page by page.")
    proposals: str = Field(description="URL of the proposals to change artifacts, page by page.")
    comments: str = Field(description="URL of the comments on artifacts, page by page.")
    actions: str = Field(description="URL of the actions on blocks and answers to forms, page by page.")


class ExportedFileView(FileView):
    download: str | None = Field(
        description="Signed path of the content; null where there is none, or the user may no longer read it."
    )


class ExportPageRequest(Paged):
    id: Id
