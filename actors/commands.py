"""What can be asked to change: commands, imperative, each answered once it is durable.

Every command carries who asks. `Once` makes a retry the same request: the store answers it with the first one's result.

Commands are never changed once they are made. They are not frozen, because making a frozen dataclass takes three times
as long (1.6 µs for eleven fields), and each message makes several.
"""

from dataclasses import dataclass
from typing import Final, Literal

from actors.events import Event
from actors.records import (
    Author,
    Control,
    Identity,
    MemberRole,
    Message,
    MessageStatus,
    MessageType,
    Origin,
    ThreadStatus,
    UserKind,
    UserRole,
    UserStatus,
    WhileStreaming,
)
from actors.user_events import UserEvent

IfVersion = int | frozenset[int] | None
"""The version that must be found, or several of which one must be; None for any."""


class _Unset:
    """Type of UNSET: a field that a partial update leaves as it is (None may be a value)."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()
Unset = _Unset


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotency key and a fingerprint of the request it came with."""

    key: str
    fingerprint: str


@dataclass(slots=True, kw_only=True)
class Command:
    identity: Identity
    once: Once | None = None
    origin: Origin | None = None
    """Where it comes from, for the audit log; None: from the terminal."""


@dataclass(slots=True, kw_only=True)
class ThreadCommand(Command):
    """A command to one thread; its actor serializes them."""

    thread_id: str


# Users


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureUser:
    """Make the user that a verified token speaks of, or bring them up to its claims. Answers the `User`.

    The user is known by `subject`; one who is known by another is the same where the address is: `email` is empty
    where it is not verified.
    """

    subject: str
    email: str
    name: str
    domain: str
    role: UserRole | None
    kind: UserKind
    issuer: str = ""


@dataclass(slots=True, kw_only=True)
class CreateUser(Command):
    email: str
    name: str
    subject: str | None = None
    avatar_url: str | None = None
    role: UserRole = "USER"
    kind: UserKind = "HUMAN"
    domain: str = ""
    metadata: str = "{}"


@dataclass(slots=True, kw_only=True)
class UpdateUser(Command):
    user_id: str
    email: str | Unset = UNSET
    name: str | Unset = UNSET
    avatar_url: str | Unset | None = UNSET
    role: UserRole | Unset = UNSET
    kind: UserKind | Unset = UNSET
    status: UserStatus | Unset = UNSET
    metadata: str | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteUser(Command):
    user_id: str
    content: Literal["anonymise", "remove"] = "anonymise"
    """What becomes of their messages: they stay, by a nameless author, or are deleted, step by step."""
    if_version: IfVersion = None


# Threads


@dataclass(slots=True, kw_only=True)
class CreateThread(Command):
    title: str
    thread_id: str | None = None
    metadata: str = "{}"
    members: tuple[tuple[str, MemberRole], ...] = ()


@dataclass(slots=True, kw_only=True)
class UpdateThread(ThreadCommand):
    title: str | Unset = UNSET
    status: ThreadStatus | Unset = UNSET
    metadata: str | Unset = UNSET
    while_streaming: WhileStreaming | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class HandOver(ThreadCommand):
    """Say who answers from now on; for everybody who may write, assistants too. Answers the `Thread`."""

    control: Control
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class DeleteThread(ThreadCommand):
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class AddMember(ThreadCommand):
    user_id: str
    role: MemberRole = "MEMBER"


@dataclass(slots=True, kw_only=True)
class UpdateMember(ThreadCommand):
    user_id: str
    role: MemberRole | Unset = UNSET
    muted: bool | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class RemoveMember(ThreadCommand):
    user_id: str
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class MarkRead(ThreadCommand):
    """Move the caller's marker to `offset`, or to the head; never backwards. Answers the `Member`."""

    offset: int | None = None


@dataclass(slots=True, kw_only=True)
class ReplaceMemory(ThreadCommand):
    """Answers the `Memory`."""

    memory: str
    """JSON object: all of it."""
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class UpdateMemory(ThreadCommand):
    """Answers the `Memory`."""

    patch: str
    """JSON object: a merge patch."""
    if_version: IfVersion = None


# Messages


@dataclass(slots=True, kw_only=True)
class PostMessage(ThreadCommand):
    message_id: str
    content: str
    type: MessageType = "USER"
    blocks: str | None = None
    parent_id: str | None = None
    metadata: str = "{}"
    status: MessageStatus = "COMPLETE"
    """STREAMING: what it says follows."""
    piece: str = ""
    """Of what follows, the first: told with the message itself, before its author knows that it is open."""
    interrupts: "tuple[InterruptMessage, ...]" = ()
    """What is being written and ends with this, in the same transaction and before it, or not at all."""


@dataclass(frozen=True, slots=True)
class InterruptMessage:
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
class EditMessage(ThreadCommand):
    message_id: str
    content: str | Unset = UNSET
    blocks: str | Unset | None = UNSET
    metadata: str | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteMessage(ThreadCommand):
    message_id: str
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class React(ThreadCommand):
    """Give (`wanted` True), take back (False) or toggle (None) a reaction. Answers a `Reacted`."""

    message_id: str
    emoji: str
    wanted: bool | None = None


@dataclass(frozen=True, slots=True)
class Reacted:
    added: bool
    """True: it is there now."""
    changed: bool
    message: Message


@dataclass(frozen=True, slots=True)
class Gone:
    """What a delete answers."""

    id: str


# Housekeeping


@dataclass(frozen=True, slots=True)
class TellThreadGone:
    """End the memberships of a deleted thread, `rows` at most, and tell those members; answers how many. Without
    `thread_id`: of one where that was broken off."""

    thread_id: str | None = None
    rows: int = 500


@dataclass(frozen=True, slots=True)
class Purge:
    """Take up to `rows` rows that nobody needs any more; answers how many were taken."""

    rows: int = 500


@dataclass(slots=True)
class Done:
    """What the store made of a command."""

    result: object
    events: tuple[Event, ...] = ()
    replayed: bool = False
    """The idempotency key was seen before: this is the first one's result, and nothing was done now."""
    told: tuple[UserEvent, ...] = ()
    """What users' own logs tell of it."""
