"""What the actor of a user is sent; see also `actors/delivery/channel.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.resources.user_events import (
    UserEvent,
)
from actors.runtime.loop_actor import Ref


@dataclass(frozen=True, slots=True)
class UserEventsCommitted:
    """These entries of the log of the user are durable, in order."""

    events: Sequence[UserEvent]


@dataclass(frozen=True, slots=True)
class CheckLog:
    """Another process may have written into the log of the user."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Messages `first` to `newest` were written into a thread of the user's, `own` being the user's newest."""

    thread_id: str
    first: int
    newest: int
    own: int
    began: int
    """Log positions of the first and the newest."""
    ended: int


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    number: int
    author_key: int
    position: int
    """Of its deletion in the log of all threads."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages of others are gone from a thread of the user's."""

    thread_id: str
    messages: Sequence[DeletedMessage]


@dataclass(frozen=True, slots=True)
class SendUnread:
    """To the actor of a user: this connection has missed counts."""

    connection: Ref
