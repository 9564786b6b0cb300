"""Comments on the wire."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from actors import limits
from actors.text.normal import EMPTY, is_blank
from server.api.fields import LEFT_OUT, NO_NUL, Id, NoNul, Paged, Request, Time, View
from server.resources.artifacts.views import Number
from server.resources.users.views import AuthorView

Standing = Literal["there", "moved", "orphaned"]


class AnchorView(View):
    """A place of the version that the comment was made about."""

    pointer: str = Field(description="JSON pointer into the content; empty for the content itself.")
    start: int | None = Field(description="Of a range of the text there: its first character, in code points from 0.")
    end: int | None = Field(description="The character after its last one.")
    quote: str = Field(description="The text of the range.")
    before: str = Field(description="What stands before it.")
    after: str = Field(description="What stands after it.")


class CommentView(View):
    """As events have it. A tombstone has neither content nor anchor."""

    id: Id
    artifact_id: Id
    thread_id: Id
    parent_id: Id | None = Field(description="The comment that it replies to.")
    author: AuthorView
    content: str = Field(description="Markdown.")
    base_version: int = Field(description="The version that it was made about.")
    anchor: AnchorView | None = Field(description="Null for the artifact as a whole, and of a reply.")
    resolved: bool
    resolved_by: AuthorView | None
    resolved_at: Time | None
    version: int = Field(description="For `If-Match`.")
    created_at: Time
    updated_at: Time
    edited_at: Time | None
    deleted_at: Time | None


class PlaceView(View):
    """Of an anchor, in the newest version."""

    version: int = Field(description="Number of the newest version.")
    standing: Standing = Field(
        description="`there`: where it was made; `moved`: elsewhere, or with another text; `orphaned`: it is gone."
    )
    pointer: str | None = Field(description="Null where it is orphaned.")
    start: int | None
    end: int | None
    text: str | None = Field(description="Of the range, as it is now.")


class PlacedCommentView(CommentView):
    place: PlaceView | None = Field(description="Where its anchor is now; null without an anchor.")


def _must_be_seen(text: str) -> str:
    if is_blank(text):
        raise ValueError("expected visible text")
    return text


Said = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.COMMENT_CHARS),
    NoNul,
    AfterValidator(_must_be_seen),
    Field(
        description="Markdown; `@name` mentions a member of the thread.",
        json_schema_extra={"pattern": rf"^[^\x00]*[^{EMPTY}][^\x00]*$"},
    ),
]


_At = Annotated[int, Field(ge=0, le=limits.ARTIFACT_BYTES)]


Pointer = Annotated[
    str,
    StringConstraints(max_length=limits.COMMENT_POINTER_CHARS, pattern=r"^(?:/(?:[^~/]|~[01])*)*$"),
    NoNul,
    Field(description="JSON pointer into the content; empty for a content that is a text."),
]


class AnchorRequest(Request):
    pointer: Pointer = ""
    start: _At | None = Field(default=None, description="Of a range of the text there, in code points.")
    end: _At | None = Field(default=None, description="After its last character.")
    quote: Annotated[str, StringConstraints(max_length=limits.COMMENT_QUOTE_CHARS), NoNul] | None = Field(
        default=None,
        description="The text of the range, to be sure that it is the one meant.",
        json_schema_extra=NO_NUL,
    )

    @model_validator(mode="after")
    def _range_is_whole(self) -> "AnchorRequest":
        if (self.start is None) != (self.end is None):
            raise ValueError("expected `start` and `end` together")
        if self.quote is not None and self.start is None:
            raise ValueError("a `quote` comes with `start` and `end`")
        return self


class CreateCommentRequest(Request):
    id: Id
    content: Said
    anchor: AnchorRequest | None = Field(default=None, description="Left out: the artifact as a whole.")
    version: Number | None = Field(default=None, description="The version that it is about; the newest if left out.")
    parent_id: Id | None = Field(default=None, description="The comment that it replies to.")

    @model_validator(mode="after")
    def _reply_has_no_anchor(self) -> "CreateCommentRequest":
        if self.parent_id is not None and self.anchor is not None:
            raise ValueError("a reply has the anchor of its comment; leave out `anchor`")
        return self


class ListCommentsRequest(Paged):
    id: Id
    parent_id: Id | None = Field(default=None, description="Only replies to this comment.")
    resolved: bool | None = Field(default=None, description="Only conversations that are resolved, or that are not.")


class CommentRequest(Request):
    id: Id
    comment_id: Id


class UpdateCommentRequest(CommentRequest):
    content: Said = LEFT_OUT
    resolved: bool = Field(default=LEFT_OUT, description="Not of a reply.")
