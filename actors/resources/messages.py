"""Messages, their revisions, and what can be asked of them."""

from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from actors.commands import UNSET, IfVersion, Makes, ThreadCommand, Unset
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.files.file import File
from actors.resources.users import Author

MessageType = Literal["USER", "ASSISTANT", "SYSTEM", "TOOL"]
MessageStatus = Literal["STREAMING", "COMPLETE", "INTERRUPTED", "FAILED"]
MESSAGE_TYPES: tuple[MessageType, ...] = ("USER", "ASSISTANT", "SYSTEM", "TOOL")
MESSAGE_STATUSES: tuple[MessageStatus, ...] = ("STREAMING", "COMPLETE", "INTERRUPTED", "FAILED")


@dataclass(frozen=True, slots=True)
class ReactionGroup:
    """All reactions of one emoji on one message."""

    emoji: str
    count: int
    users: tuple[Author, ...]
    """The first of them, oldest first."""
    reacted_by_me: bool


@dataclass(frozen=True, slots=True)
class AskToAcknowledge:
    """That readers confirm that they have read a message."""

    user_ids: tuple[str, ...] | None = None
    """Who; None: all people who are members when it is written, but its author."""
    urgent: bool = False
    """It notifies again until a recipient has acknowledged."""


@dataclass(frozen=True, slots=True)
class AskedToAcknowledge(AskToAcknowledge):
    asked: int = 0
    """How many users."""
    acknowledged: int = 0
    """How many of them have."""


@dataclass(slots=True)  # not frozen for the reason that commands are not
class Message:
    key: int
    id: str
    thread_id: str
    author: Author
    type: MessageType
    content: str
    blocks: str | None
    parent_id: str | None
    metadata: str
    status: MessageStatus
    reactions: tuple[ReactionGroup, ...]
    offset: int
    """Of the message.created event in the thread's log."""
    number: int
    """Ordinal in the thread: 1 for its first message."""
    version: int
    created_at: int
    edited_at: int | None = None
    deleted_at: int | None = None
    files: tuple[File, ...] = ()
    acknowledgement: AskedToAcknowledge | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """What a message said before an edit."""

    version: int
    content: str
    blocks: str | None
    metadata: str
    edited_by: Author
    replaced_at: int


@dataclass(slots=True, kw_only=True)
class PostMessage(ThreadCommand[Message]):
    message_id: str
    content: str
    type: MessageType = "USER"
    blocks: str | None = None
    parent_id: str | None = None
    metadata: str = "{}"
    status: MessageStatus = "COMPLETE"
    """STREAMING: what it says follows."""
    file_ids: tuple[str, ...] = ()
    """Which it shows; those that are in no thread yet join this one."""
    acknowledgement: AskToAcknowledge | None = None
    piece: str = ""
    """The first piece: published together with the message, before the reply to its author."""
    interrupts: "tuple[InterruptMessage, ...]" = ()
    """What is being written and ends with this, in the same transaction and before it, or not at all."""


@dataclass(frozen=True, slots=True)
class InterruptMessage(Makes[None]):
    """End a message that is being written, with the text so far where that is known. One that has ended is left."""

    thread_id: str
    message_id: str
    content: str | None
    status: Literal["FAILED", "INTERRUPTED"] = "INTERRUPTED"
    reason: str = ""
    """In a word; kept as `end_reason` in the message's metadata."""
    actor: Author | None = None
    """Whose act it is; None: the author's."""


@dataclass(slots=True, kw_only=True)
class EditMessage(ThreadCommand[Message]):
    message_id: str
    content: str | Unset = UNSET
    blocks: str | Unset | None = UNSET
    metadata: str | Unset = UNSET
    file_ids: tuple[str, ...] | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteMessage(ThreadCommand[Message]):
    message_id: str
    if_version: IfVersion = None


# Events

MESSAGE_CREATED: Final = EventKind("message.created", Message, "message")
MESSAGE_UPDATED: Final = EventKind("message.updated", Message, "message")
MESSAGE_DELETED: Final = EventKind("message.deleted", Message, "message")
MESSAGE_COMPLETED: Final = EventKind("message.completed", Message, "message")


@dataclass(frozen=True, slots=True)
class GetMessage(IdentityQuery[Message]):
    message_id: str


@dataclass(frozen=True, slots=True)
class ListMessages(IdentityQuery[Page[Message]]):
    """The newest first; `after` the oldest ones after it. Bounds are an offset or a message's id."""

    thread_id: str
    _: KW_ONLY
    limit: int
    before: str | None = None
    after: str | None = None
    around: str | None = None


@dataclass(frozen=True, slots=True)
class ListMessagesBy(Query[Page[Message]]):
    """What a user wrote, the oldest first. A page may be empty and still have a next one."""

    user_id: str
    _: KW_ONLY
    limit: int
    after: int | None

    @property
    def owner(self) -> Owner:
        return self.user_id


@dataclass(frozen=True, slots=True)
class GetThreadOf(Query[str]):
    """Id of the thread of a message; the thread's actor checks access."""

    message_id: str


@dataclass(frozen=True, slots=True)
class ListRevisions(IdentityQuery[Page[Revision]]):
    """What a message said before each edit, the newest first."""

    message_id: str
    _: KW_ONLY
    limit: int
    before: int | None
