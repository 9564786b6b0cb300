"""What a command came to."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from actors.events import Event
from actors.resources.user_events import UserEvent

T_co = TypeVar("T_co", covariant=True)


@dataclass(slots=True)
class Done(Generic[T_co]):
    """What the store made of a command."""

    result: T_co
    events: tuple[Event, ...] = ()
    replayed: bool = False
    """The idempotency key was seen before: this is the first one's result, and nothing was done now."""
    user_events: tuple[UserEvent, ...] = ()
    """What users' own logs tell of it."""
