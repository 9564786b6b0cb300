"""What a live thread is sent beside commands; more in `delivery/channel.py` and `resources/message_streams.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.asks import Asks
from actors.auth.identity import Identity
from actors.events import EphemeralKind, Event
from actors.resources.presence import Status
from actors.resources.users import Author


@dataclass(frozen=True, slots=True)
class EventsCommitted:
    """To a live thread: these entries of its log are durable, in order."""

    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class RetireIfIdle:
    before: float
    """Time of the event loop: retire only if last used before it."""


@dataclass(frozen=True, slots=True)
class SetTyping(Asks[None]):
    identity: Identity
    typing: bool


@dataclass(frozen=True, slots=True)
class TellEphemeral:
    """To the subscribers that the thread has now."""

    kind: EphemeralKind
    data: object
    """Of the type `kind.data`."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """To a live thread: a subscribed user has gone idle, or online again."""

    author: Author
    status: Status
