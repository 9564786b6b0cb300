"""What the core knows of a person, a thread, a message: frozen records, as they were when they were read.

Times are integer milliseconds since 1970 UTC. `key` is the internal integer key, `id` the public CUID. JSON that the
server only carries (metadata, blocks, memory) stays JSON text from the request to the socket.
"""

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

UserRole = Literal["USER", "ADMIN"]
UserKind = Literal["HUMAN", "ASSISTANT", "SERVICE"]
UserStatus = Literal["ACTIVE", "DEACTIVATED"]
ThreadStatus = Literal["ACTIVE", "ARCHIVED", "CLOSED"]
Control = Literal["bot", "human", "shared"]
WhileStreaming = Literal["queue", "interrupt", "parallel", "reject"]
MemberRole = Literal["OWNER", "MEMBER", "VIEWER"]
MessageType = Literal["USER", "ASSISTANT", "SYSTEM", "TOOL"]
MessageStatus = Literal["STREAMING", "COMPLETE", "INTERRUPTED", "FAILED"]
Scope = Literal["read", "write", "admin"]

USER_ROLES: tuple[UserRole, ...] = ("USER", "ADMIN")
USER_KINDS: tuple[UserKind, ...] = ("HUMAN", "ASSISTANT", "SERVICE")
USER_STATUSES: tuple[UserStatus, ...] = ("ACTIVE", "DEACTIVATED")
THREAD_STATUSES: tuple[ThreadStatus, ...] = ("ACTIVE", "ARCHIVED", "CLOSED")
CONTROLS: tuple[Control, ...] = ("bot", "human", "shared")
WHILE_STREAMING: tuple[WhileStreaming, ...] = ("queue", "interrupt", "parallel", "reject")
MEMBER_ROLES: tuple[MemberRole, ...] = ("OWNER", "MEMBER", "VIEWER")
MESSAGE_TYPES: tuple[MessageType, ...] = ("USER", "ASSISTANT", "SYSTEM", "TOOL")
MESSAGE_STATUSES: tuple[MessageStatus, ...] = ("STREAMING", "COMPLETE", "INTERRUPTED", "FAILED")
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")


@dataclass(frozen=True, slots=True)
class Author:
    """The little of a user that stands beside everything they did."""

    key: int
    id: str
    name: str
    kind: UserKind
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    key: int
    id: str
    subject: str
    """The `sub` of the tokens that speak for this user."""
    email: str
    name: str
    avatar_url: str | None
    role: UserRole
    kind: UserKind
    domain: str
    status: UserStatus
    metadata: str
    version: int
    created_at: int
    updated_at: int
    log_offset: int = field(default=0, compare=False)
    """Where their own log stood when this was read."""

    @property
    def author(self) -> Author:
        return Author(self.key, self.id, self.name, self.kind, self.avatar_url)


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users are listed; None: whatever it is."""

    text: str | None = None
    """Part of the name, however it is written; for administrators of the e-mail address, too."""
    email: str | None = None
    """All of it."""
    kind: UserKind | None = None
    status: UserStatus | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a user, as a verified token, session or API key says."""

    user: User
    author: Author
    expires_at: int
    """Seconds since 1970; the token is good until then."""
    token_id: str = ""
    """Of a token that somebody else issued: its `jti`, or a hash of it."""
    session_id: str = ""
    api_key_id: str = ""
    scopes: frozenset[Scope] | None = None
    """What an API key may do; None: whatever the user may."""
    issuer: str = ""
    """Of a token that somebody else issued, where it names one."""

    @property
    def credential(self) -> str:
        """By what they ask: `session:<id>`, `api_key:<id>` or `token:<jti>`."""
        if self.session_id:
            return f"session:{self.session_id}"
        return f"api_key:{self.api_key_id}" if self.api_key_id else f"token:{self.token_id}"

    @property
    def is_admin(self) -> bool:
        return self.user.role == "ADMIN"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, for the audit log."""

    address: str
    user_agent: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Member:
    thread_id: str
    user: Author
    role: MemberRole
    last_read_offset: int
    last_read_number: int
    muted: bool
    version: int
    joined_at: int


@dataclass(frozen=True, slots=True)
class ReactionGroup:
    """All reactions of one emoji on one message."""

    emoji: str
    count: int
    users: tuple[Author, ...]
    """The first of them, oldest first."""
    reacted_by_me: bool


@dataclass(frozen=True, slots=True)
class Reaction:
    emoji: str
    user: Author
    created_at: int


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


@dataclass(frozen=True, slots=True)
class Revision:
    """What a message said before an edit."""

    version: int
    content: str
    blocks: str | None
    metadata: str
    edited_by: Author
    replaced_at: int


@dataclass(frozen=True, slots=True)
class Thread:
    key: int
    id: str
    title: str
    creator: Author
    status: ThreadStatus
    metadata: str
    memory: str
    message_count: int
    offset: int
    """Head of the thread's log."""
    position: int
    """Of the thread's newest event in the log of all threads."""
    last_message: Message | None
    membership: Member | None
    """Of the one who asks."""
    version: int
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    memory_version: int = 1
    control: Control = "shared"
    """Who answers: assistants, people (then assistants may not write), or both."""
    while_streaming: WhileStreaming = "parallel"
    """What happens when a person writes while an answer is being written."""
    mention_count: int = 0
    """Unread mentions of the one who asks."""
    unread_count: int = 0
    """Unread messages of the one who asks: after the marker, written by others, not deleted."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a conversation has come to know; `actors/memory.py` says what it may hold."""

    thread_id: str
    content: str
    """JSON object."""
    version: int
    """Its own: neither messages nor changes to the thread move it."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, and where the next one starts."""

    items: tuple[T, ...]
    next_cursor: str | None
    head: int | None = None
    """For pages of a thread: the offset of its log, read before the items."""
