"""Messages and reactions on the wire."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from actors import limits
from actors.resources.messages import MessageStatus, MessageType
from actors.text.normal import is_blank
from server.api.emoji import resolve
from server.api.fields import LEFT_OUT, Blocks, Content, Id, Limit, Metadata, Paged, Request, Time, View
from server.resources.users.views import AuthorView

Emoji = Annotated[
    str,
    StringConstraints(min_length=1, max_length=limits.EMOJI_CHARS),
    AfterValidator(resolve),
    Field(json_schema_extra={"format": "emoji"}),
]
Bound = Annotated[
    str, StringConstraints(pattern=r"^([0-9]{1,18}|c[0-9a-z]{24})$"), Field(description="An offset or a message's id.")
]


class ReactionGroupView(View):
    emoji: str
    count: int
    reacted_by_me: bool
    users: list[AuthorView]


class MessageView(View):
    id: Id
    thread_id: Id
    author: AuthorView
    type: MessageType
    content: str
    blocks: list[dict[str, Any]] | None
    files: list[dict[str, Any]]
    parent_id: Id | None
    metadata: dict[str, Any]
    status: MessageStatus
    reactions: list[ReactionGroupView]
    offset: int
    version: int
    created_at: Time
    edited_at: Time | None
    deleted_at: Time | None


class RevisionView(View):
    version: int
    content: str
    blocks: list[dict[str, Any]] | None
    metadata: dict[str, Any]
    edited_by: AuthorView
    replaced_at: Time


class ReactionView(View):
    emoji: str
    user: AuthorView
    created_at: Time


class ReactedView(View):
    added: bool
    message: MessageView


class CreateMessageRequest(Request):
    thread_id: Id
    content: Content = ""
    id: Id | None = Field(default=None, description="Made by the client, so that it can show the message at once.")
    type: MessageType | None = None
    blocks: Blocks = None
    parent_id: Id | None = None
    metadata: Metadata = "{}"
    status: Literal["COMPLETE", "STREAMING"] = Field(
        default="COMPLETE", description="STREAMING: its text follows, piece by piece."
    )

    @model_validator(mode="after")
    def _says_something(self) -> "CreateMessageRequest":
        if self.status == "COMPLETE" and is_blank(self.content) and self.blocks in (None, "[]"):
            raise ValueError("a message needs `content` or `blocks`")
        return self


class ListMessagesRequest(Request):
    thread_id: Id
    limit: Limit = limits.PAGE_DEFAULT
    before: Bound | None = None
    after: Bound | None = None
    around: Bound | None = None
    cursor: Annotated[str, StringConstraints(pattern=r"^(before|after):[0-9]{1,18}$")] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "ListMessagesRequest":
        if sum(bound is not None for bound in (self.before, self.after, self.around, self.cursor)) > 1:
            raise ValueError("give only one of `before`, `after`, `around` and `cursor`")
        return self


class ListRevisionsRequest(Paged):
    id: Id
    limit: Limit = limits.REVISIONS_KEPT


class UpdateMessageRequest(Request):
    id: Id
    content: Content = LEFT_OUT
    blocks: Blocks = None
    metadata: Metadata = LEFT_OUT


class ReactRequest(Request):
    message_id: Id
    emoji: Emoji


class ListReactionsRequest(Paged):
    message_id: Id
