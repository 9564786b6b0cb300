"""What a command came to."""

from dataclasses import dataclass

from actors.events import Event
from actors.resources.user_events import UserEvent


@dataclass(frozen=True, slots=True)
class Gone:
    """What a delete answers."""

    id: str


@dataclass(slots=True)
class Done:
    """What the store made of a command."""

    result: object
    events: tuple[Event, ...] = ()
    replayed: bool = False
    """The idempotency key was seen before: this is the first one's result, and nothing was done now."""
    user_events: tuple[UserEvent, ...] = ()
    """What users' own logs tell of it."""
