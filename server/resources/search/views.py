"""Searches on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from actors import limits
from actors.resources.messages import MessageType
from actors.resources.search import Feature, Kind, Sort
from server.api.fields import Id, NoNul, Paged, View
from server.resources.messages.views import MessageView


def _milliseconds(value: Any) -> int:
    """A date alone is its midnight, UTC."""
    told = "expected a date, or a time with its zone, such as 2026-11-23T07:00:00Z"
    if not isinstance(value, str):
        raise ValueError(told)
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(told) from None
    if time.tzinfo is None:
        if len(value) > len("2026-11-23"):
            raise ValueError(told)
        time = time.replace(tzinfo=UTC)
    return round(time.timestamp() * 1000)


Moment = Annotated[
    Any,
    BeforeValidator(_milliseconds),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
Query = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.SEARCH_CHARS),
    NoNul,
    Field(description='Words that must all occur; "an exact phrase"; -excluded; prefix*.'),
]


class SearchRequest(Paged):
    q: Query | None = None
    thread_id: Id | None = None
    author_id: Id | None = Field(default=None, description="Author of the message, or creator of the thread.")
    type: MessageType | None = None
    kind: Literal["messages", "threads"] | None = Field(default=None, description="By default both.")
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
    score: float = Field(description="Comparable within one search only.")
    snippet: list[PieceView] = Field(description="Pieces of the text, in order; plain text, no markup.")
    message: MessageView | None = Field(description="Null if a thread was found by its title.")
    thread: FoundThreadView
