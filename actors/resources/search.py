"""What can be searched for, and what a search finds."""

from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from actors.queries import IdentityQuery
from actors.resources.messages import Message, MessageType

Sort = Literal["relevance", "newest"]
Feature = Literal["link", "blocks", "reply"]
"""What a message may have. Another one is one more tag in the index: `storage/search/documents.py`."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchKind:
    """What a search may find. A resource declares its own; the server finds them in `actors/search_kinds.py`."""

    name: str
    plural: str
    """As a client asks for them."""
    tag: str
    """In the index: unique, and never changed."""


MESSAGES: Final = SearchKind("message", "messages", "m")
THREADS: Final = SearchKind("thread", "threads", "t")
FILES: Final = SearchKind("file", "files", "f")
"""Those in a thread, by their names and the text of their newest version."""
ARTIFACTS: Final = SearchKind("artifact", "artifacts", "r")
"""By the title and the text of their newest version."""


@dataclass(frozen=True, slots=True)
class Search:
    """All conditions hold together; None leaves one out."""

    text: str | None = None
    """As typed by the user: words, "phrases", -exclusions, prefixes*."""
    thread_id: str | None = None
    author_id: str | None = None
    type: MessageType | None = None
    kind: str | None = None
    """The name of a `SearchKind`."""
    has: Feature | None = None
    after: int | None = None
    """Made at this time or later."""
    before: int | None = None
    """Made earlier than this."""
    everything: bool = False
    """In all threads, for admins; otherwise in those of the caller."""
    sort: Sort = "relevance"


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of an snippet: what was searched for, or what stands between."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Hit:
    kind: str
    """The name of a `SearchKind`."""
    id: str
    """Of what was found."""
    score: float
    snippet: tuple[Piece, ...]
    message: Message | None
    """None where anything else was found."""
    thread_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Found:
    hits: tuple[Hit, ...]
    next_cursor: str | None
    indexed_up_to: int | None
    """While the index is made: what is older is found, what is newer may be missed. None: everything is found."""


@dataclass(frozen=True, slots=True)
class FindHits(IdentityQuery[Found]):
    """What the identity may see and the search asks for, in pages.

    Raises `Forbidden` where `everything` is for administrators, and `ValidationFailed` for a text with nothing to look
    for or a cursor that is none.
    """

    lane = "search"
    search: Search
    _: KW_ONLY
    limit: int
    cursor: str | None
