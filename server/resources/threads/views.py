"""Threads and members on the wire."""

from typing import Any, Self

from pydantic import ConfigDict, Field, create_model, model_validator

from actors import limits
from actors.resources.members import MemberRole
from actors.resources.threads import Control, PartField, ThreadStatus, WhileStreaming
from actors.thread_parts import FIELDS
from server.api.fields import LEFT_OUT, Email, Id, Limit, Metadata, Offset, Paged, Reason, Request, Time, Title, View
from server.resources.messages.views import MessageView
from server.resources.users.views import AuthorView


class MembershipView(View):
    role: MemberRole
    last_read_offset: int
    unread_count: int
    mention_count: int = Field(description="Number of unread messages that mention you.")
    muted: bool


class _ThreadView(View):
    id: Id
    title: str
    creator: AuthorView
    status: ThreadStatus
    control: Control = Field(description="Who answers: assistants, people, or both.")
    while_streaming: WhileStreaming = Field(
        description="What happens when a person writes while an answer is streamed."
    )
    metadata: dict[str, Any]
    message_count: int
    offset: int = Field(description="Head of the thread's log: events after it bring this state up to date.")
    last_message: MessageView | None
    membership: MembershipView | None
    version: int
    created_at: Time
    updated_at: Time
    deleted_at: Time | None


def _part(field: PartField) -> Any:
    return (dict[str, Any] if field.is_json else int, Field(description=field.description))


ThreadView: type[View] = create_model(
    "ThreadView", __base__=_ThreadView, **{field.name: _part(field) for field in FIELDS}
)
"""With the records of other resources that a thread carries."""


class MemberView(View):
    thread_id: Id
    user: AuthorView
    role: MemberRole
    last_read_offset: int = Field(description="0 for other members who hide their read marker.")
    muted: bool
    joined_at: Time


class MemberInput(Request):
    user_id: Id
    role: MemberRole = "MEMBER"


class CreateThreadRequest(Request):
    title: Title
    id: Id | None = None
    metadata: Metadata = "{}"
    members: list[MemberInput] = Field(default_factory=list, max_length=limits.INITIAL_MEMBERS)


class ListThreadsRequest(Paged):
    status: ThreadStatus | None = None
    all: bool = Field(default=False, description="For admins: every thread, not only your own.")


class UpdateThreadRequest(Request):
    id: Id
    title: Title = LEFT_OUT
    status: ThreadStatus = LEFT_OUT
    metadata: Metadata = LEFT_OUT
    while_streaming: WhileStreaming = LEFT_OUT


class HandOverRequest(Request):
    id: Id
    control: Control
    reason: Reason = ""


class ThreadRequest(Request):
    thread_id: Id


class ListMembersRequest(Paged):
    thread_id: Id


class AddMemberRequest(Request):
    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["user_id"]}, {"required": ["email"]}]})

    thread_id: Id
    user_id: Id = Field(default=LEFT_OUT, description="The user to add; or give `email`.")
    email: Email = Field(default=LEFT_OUT, description="E-mail address of the user to add; or give `user_id`.")
    role: MemberRole = "MEMBER"
    invite: bool = Field(default=False, description="Whether to send the user a mail with a link that signs in.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.user_id is None) == (self.email is None):
            raise ValueError("expected either `user_id` or `email`")
        return self


class MemberRequest(Request):
    thread_id: Id
    user_id: Id


class UpdateMemberRequest(MemberRequest):
    role: MemberRole = LEFT_OUT
    muted: bool = LEFT_OUT


class MarkReadRequest(Request):
    thread_id: Id
    offset: Offset | None = Field(
        default=None, description="Everything up to this offset is read; by default up to the newest message."
    )


class ListLogRequest(Request):
    thread_id: Id
    after: Offset = 0
    limit: Limit = limits.PAGE_DEFAULT


class EventView(View):
    type: str
    thread_id: Id
    offset: int
    time: Time
    actor: dict[str, Any]
    data: dict[str, Any]
