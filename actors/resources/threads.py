"""Threads: conversations, each with a log of its own."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from actors.commands import UNSET, Command, Gone, IfVersion, ThreadCommand, Unset
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery
from actors.resources.members import Member, MemberRole
from actors.resources.messages import Message
from actors.resources.users import Author

ThreadStatus = Literal["ACTIVE", "ARCHIVED", "CLOSED"]
Control = Literal["bot", "human", "shared"]
WhileStreaming = Literal["queue", "interrupt", "parallel", "reject"]
THREAD_STATUSES: tuple[ThreadStatus, ...] = ("ACTIVE", "ARCHIVED", "CLOSED")
CONTROLS: tuple[Control, ...] = ("bot", "human", "shared")
WHILE_STREAMING: tuple[WhileStreaming, ...] = ("queue", "interrupt", "parallel", "reject")


@dataclass(frozen=True, slots=True)
class Thread:
    key: int
    id: str
    title: str
    creator: Author
    status: ThreadStatus
    metadata: str
    message_count: int
    offset: int
    """Head of the thread's log."""
    position: int
    """Of the thread's newest event in the log of all threads."""
    last_message: Message | None
    membership: Member | None
    """Of the caller."""
    version: int
    created_at: int
    updated_at: int
    deleted_at: int | None = None
    control: Control = "shared"
    """Who answers: assistants, people (then assistants may not write), or both."""
    while_streaming: WhileStreaming = "parallel"
    """What happens when a person writes while an answer is being written."""
    mention_count: int = 0
    """Unread mentions of the caller."""
    unread_count: int = 0
    """Unread messages of the caller: after the marker, written by others, not deleted."""
    parts: tuple[object, ...] = ()
    """Records of other resources: see `ThreadPart`."""


@dataclass(frozen=True, slots=True)
class PartField:
    name: str
    """Of the column, and of the field that clients see in a thread."""
    of: str
    """The field of the record."""
    description: str | None = None
    is_json: bool = False
    """A JSON object that the server only carries; empty once the thread is deleted."""


@dataclass(frozen=True, slots=True, eq=False)
class ThreadPart:
    """A record of another resource that stands in columns of the table of threads, and is shown with a thread (but not
    in its events). Declared beside that resource."""

    record: Callable[..., object]
    """Its class: made of the thread's id and the columns."""
    fields: tuple[PartField, ...]


@dataclass(slots=True, kw_only=True)
class CreateThread(Command[Thread]):
    title: str
    thread_id: str | None = None
    metadata: str = "{}"
    members: tuple[tuple[str, MemberRole], ...] = ()


@dataclass(slots=True, kw_only=True)
class UpdateThread(ThreadCommand[Thread]):
    title: str | Unset = UNSET
    status: ThreadStatus | Unset = UNSET
    metadata: str | Unset = UNSET
    while_streaming: WhileStreaming | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class HandOver(ThreadCommand[Thread]):
    """Set who answers from now on; for all members with the right to write, assistants too. Answers the `Thread`."""

    control: Control
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class DeleteThread(ThreadCommand[Gone]):
    if_version: IfVersion = None


@dataclass(frozen=True, slots=True)
class ControlChange:
    """The thread was handed over."""

    control: Control
    previous: Control
    reason: str


@dataclass(frozen=True, slots=True)
class ThreadGone:
    id: str


# Events

THREAD_CREATED: Final = EventKind("thread.created", Thread, "thread")
THREAD_UPDATED: Final = EventKind("thread.updated", Thread, "thread")
THREAD_DELETED: Final = EventKind("thread.deleted", ThreadGone, None, ends_access="everyone")
CONTROL_CHANGED: Final = EventKind("control.changed", ControlChange, None)


@dataclass(frozen=True, slots=True)
class GetThread(IdentityQuery[Thread]):
    thread_id: str


@dataclass(frozen=True, slots=True)
class ListThreads(IdentityQuery[Page[Thread]]):
    """Threads of the identity, the last active first; `everything` is for administrators: all there are."""

    _: KW_ONLY
    limit: int
    before: int | None
    status: ThreadStatus | None
    everything: bool
