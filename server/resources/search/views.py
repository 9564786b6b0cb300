"""Searches on the wire."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import Field, model_validator

from actors.resources.messages import MessageType
from actors.resources.search import Feature, Sort
from actors.search_kinds import BY_PLURAL, SEARCH_KINDS
from server.api.fields import Id, Moment, Paged, Query, View
from server.resources.messages.views import MessageView

if TYPE_CHECKING:
    Kind: TypeAlias = str
    Plural: TypeAlias = str
else:  # as many as resources declare
    Kind = Literal[tuple(kind.name for kind in SEARCH_KINDS)]
    Plural = Literal[tuple(BY_PLURAL)]


class SearchRequest(Paged):
    q: Query | None = None
    thread_id: Id | None = None
    author_id: Id | None = Field(
        default=None, description="Author of the message, creator of the thread or artifact, owner of the file."
    )
    type: MessageType | None = None
    kind: Plural | None = Field(default=None, description="By default all of them.")
    has: Feature | None = None
    after: Moment | None = Field(default=None, description="Created at this time or later.")
    before: Moment | None = Field(default=None, description="Created earlier than this.")
    sort: Sort = "relevance"
    all: bool = Field(default=False, description="For admins: search every thread, not only your own.")

    @model_validator(mode="after")
    def _looks_for_something(self) -> "SearchRequest":
        filters = (self.q, self.thread_id, self.author_id, self.type, self.has, self.after, self.before)
        if all(given is None for given in filters):
            raise ValueError("give `q`, or one of `thread_id`, `author_id`, `type`, `has`, `after` and `before`")
        return self


class PieceView(View):
    text: str
    hit: bool = Field(description="Whether the piece matches the query.")


class FoundThreadView(View):
    id: Id
    title: str


class SearchHitView(View):
    kind: Kind
    id: Id = Field(description="Of what was found.")
    score: float = Field(description="Comparable within one search only.")
    snippet: list[PieceView] = Field(description="Pieces of the text, in order; plain text, no markup.")
    message: MessageView | None = Field(description="Null if anything else was found, like a thread or a file.")
    thread: FoundThreadView
