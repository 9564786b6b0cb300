"""Messages that are still being written: what can be asked of them."""

from dataclasses import dataclass
from typing import Final, Literal

from actors.asks import Asks
from actors.auth.access_changes import AccessChanges
from actors.auth.identity import Identity
from actors.commands import UNSET, Makes, ThreadCommand, Unset
from actors.events import EphemeralKind
from actors.queries import Query
from actors.resources.messages import Message


@dataclass(slots=True, kw_only=True)
class AppendToMessage(Asks["Appended"]):
    """More text for a message that one streams. Never on disk by itself. Answers an `Appended`."""

    identity: Identity
    thread_id: str
    message_id: str
    text: str
    index: int | None = None
    """Where it starts, so that a retry does not duplicate text."""


@dataclass(frozen=True, slots=True)
class Appended:
    length: int
    """Of the text so far: where the next piece starts."""


@dataclass(slots=True, kw_only=True)
class FinishMessage(ThreadCommand[Message]):
    """Completed or failed by its author, or stopped (INTERRUPTED) by any member with the right to write. Answers the
    `Message`."""

    message_id: str
    status: Literal["COMPLETE", "FAILED", "INTERRUPTED"]
    content: str | Unset = UNSET
    """In place of what was appended; the thread's actor fills in the text so far."""
    blocks: str | Unset | None = UNSET
    metadata: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class AwaitEnd(Asks[None]):
    """Answers once a message is streamed no longer, however that came about."""

    message_id: str


@dataclass(frozen=True, slots=True)
class MayOpen(Asks[None]):
    """Asks a thread whether a message may be streamed into it now; raises what opening one would raise."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class EndMessage:
    """The request in which a message was written has ended: so does the message, with the text so far."""

    message_id: str
    status: Literal["FAILED", "INTERRUPTED"]
    reason: str


@dataclass(frozen=True, slots=True)
class AuthorsChanged:
    """To a live thread: end the streams whose credential has ended, or whose author has lost the right to write."""

    changes: AccessChanges


@dataclass(frozen=True, slots=True)
class SaveProgress(Makes[None]):
    """Keep the text so far of a message that is being written."""

    thread_id: str
    message_id: str
    content: str


@dataclass(frozen=True, slots=True)
class InterruptAbandoned(Makes[int]):
    """End up to `rows` messages that no process has saved since `before`; answers how many."""

    before: int
    rows: int = 100


@dataclass(frozen=True, slots=True)
class ListThreadsBeingWritten(Query[list[str]]):
    """Ids of threads in which messages are being written, or were when their process ended."""

    limit: int


@dataclass(frozen=True, slots=True)
class MessageDelta:
    """A piece of the text: what a client has from `index` on is replaced by it."""

    message_id: str
    index: int
    """In characters."""
    text: str


MESSAGE_DELTA: Final = EphemeralKind("message.delta", MessageDelta)
