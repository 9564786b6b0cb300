"""Acknowledgements: a message asks its readers to confirm that they have read it. Frozen records.

A request stands on a message from the start, and names users or all people who are members then: its recipients. Those
who have not acknowledged are pending. All who see the thread see which. An urgent request notifies its pending
recipients again, a bounded number of times. It ends with its message.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from actors.commands import Makes, ThreadCommand
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery
from actors.resources.messages import Message
from actors.resources.users import Author

Answer = Literal["given", "waiting"]
"""Whether a user has acknowledged."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One user who was asked."""

    user: Author
    acknowledged_at: int | None
    """Milliseconds since 1970; None: not yet."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    key: int
    """Of the message."""
    message_id: str
    user: Author
    acknowledged_at: int
    asked: int
    """How many users the message asks."""
    acknowledged: int
    """How many of them have answered, with this one."""


# Events

MESSAGE_ACKNOWLEDGED: Final = EventKind("message.acknowledged", Acknowledged, "message")


# Commands


@dataclass(slots=True, kw_only=True)
class Acknowledge(ThreadCommand[Acknowledged]):
    """Once: again it changes nothing. Raises `Forbidden` for a user who was not asked."""

    message_id: str


@dataclass(frozen=True, slots=True)
class RepeatUrgent(Makes[int]):
    """Notify again where an urgent request is due, `rows` requests at most; answers how many were due."""

    rows: int = 20


# Queries


@dataclass(frozen=True, slots=True)
class ListAcknowledgements(IdentityQuery[Page[Acknowledgement]]):
    """The users that a message asks, in the order of their accounts."""

    message_id: str
    _: KW_ONLY
    answer: Answer | None
    limit: int
    after: int | None


@dataclass(frozen=True, slots=True)
class ListUnacknowledged(IdentityQuery[Page[Message]]):
    """Messages that wait for the identity's acknowledgement, the newest first; only of its current threads."""

    _: KW_ONLY
    limit: int
    before: int | None
