"""What can be asked about messages that are still being written. See `actors/commands.py` for how commands work."""

from dataclasses import dataclass
from typing import Literal

from actors.commands import UNSET, ThreadCommand, Unset


@dataclass(slots=True, kw_only=True)
class AppendToMessage(ThreadCommand):
    """More text for a message that one streams. Never on disk by itself. Answers an `Appended`."""

    message_id: str
    text: str
    index: int | None = None
    """Where it starts, for who wants to retry."""


@dataclass(frozen=True, slots=True)
class Appended:
    length: int
    """Of the text so far: where the next piece starts."""


@dataclass(slots=True, kw_only=True)
class FinishMessage(ThreadCommand):
    """Its author completes or fails it, whoever may write stops it (INTERRUPTED). Answers the `Message`."""

    message_id: str
    status: Literal["COMPLETE", "FAILED", "INTERRUPTED"]
    content: str | Unset = UNSET
    """In place of what was appended; the thread's actor fills in the text so far."""
    blocks: str | Unset | None = UNSET
    metadata: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class AwaitEnd:
    """Answers once a message is streamed no longer, however that came about."""

    message_id: str


# The thread's actor and the housekeeper, to the journal


@dataclass(frozen=True, slots=True)
class SaveProgress:
    """Keep the text so far of a message that is being written."""

    thread_id: str
    message_id: str
    content: str


@dataclass(frozen=True, slots=True)
class InterruptMessage:
    """Its author has gone silent: end it, with the text so far where that is known."""

    thread_id: str
    message_id: str
    content: str | None


@dataclass(frozen=True, slots=True)
class InterruptAbandoned:
    """End up to `rows` messages that no process has saved since `before`; answers how many."""

    before: int
    rows: int = 100
