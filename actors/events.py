"""What happened: the entries of the durable log, each with the resource it is about, as it is now."""

from dataclasses import dataclass
from typing import Any, Final

from actors.resources.members import Member, MemberGone, ReadChange
from actors.resources.memory import Memory
from actors.resources.messages import Message
from actors.resources.reactions import ReactionChange
from actors.resources.threads import ControlChange, Thread, ThreadGone
from actors.resources.users import Author

MESSAGE_CREATED: Final = "message.created"

MESSAGE_DELETED: Final = "message.deleted"

MEMORY_UPDATED: Final = "memory.updated"

EVENT_TYPES: Final = (
    "thread.created",
    "thread.updated",
    "thread.deleted",
    "member.added",
    "member.updated",
    "member.removed",
    MESSAGE_CREATED,
    "message.updated",
    MESSAGE_DELETED,
    "message.completed",
    "reaction.added",
    "reaction.removed",
    "read.updated",
    "control.changed",
    MEMORY_UPDATED,
)

EventData = Thread | Member | Message | Memory | ReactionChange | ReadChange | ControlChange | MemberGone | ThreadGone


@dataclass(slots=True)  # not frozen for the reason that commands are not
class Event:
    """One entry of the log."""

    thread_key: int
    thread_id: str
    position: int
    """In the log of all threads: one total order, in commit order."""
    offset: int
    """In this thread's log: 1, 2, 3, … without a gap."""
    type: str
    time: int
    actor: Author
    data: EventData


@dataclass(slots=True)
class Ephemeral:
    """Something that matters only now: told to whoever listens, never logged."""

    thread_id: str
    type: str
    data: dict[str, Any]
    """As clients get it."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """A piece of the log, and where the log stood when it was read."""

    epoch: str
    events: tuple[Event, ...]
    head: int
    """Offset (one thread) or position (many) of the newest entry."""
    position: int
    """Of the newest entry of all threads."""
    more: bool
