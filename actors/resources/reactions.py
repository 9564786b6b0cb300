"""Reactions to messages."""

from dataclasses import KW_ONLY, dataclass
from typing import Final

from actors.commands import ThreadCommand
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery
from actors.resources.messages import Message
from actors.resources.users import Author


@dataclass(frozen=True, slots=True)
class Reaction:
    emoji: str
    user: Author
    created_at: int


@dataclass(frozen=True, slots=True)
class Reacted:
    added: bool
    """True: it is there now."""
    changed: bool
    message: Message


@dataclass(slots=True, kw_only=True)
class React(ThreadCommand[Reacted]):
    """Give (`wanted` True), take back (False) or toggle (None) a reaction. Answers a `Reacted`."""

    message_id: str
    emoji: str
    wanted: bool | None = None


@dataclass(frozen=True, slots=True)
class ReactionChange:
    """One reaction given or taken back, and how many of that emoji there are now."""

    message_id: str
    emoji: str
    user: Author
    count: int


# Events

REACTION_ADDED: Final = EventKind("reaction.added", ReactionChange, "message")
REACTION_REMOVED: Final = EventKind("reaction.removed", ReactionChange, "message")


@dataclass(frozen=True, slots=True)
class ListReactions(IdentityQuery[Page[Reaction]]):
    """Every single reaction, the oldest first."""

    message_id: str
    _: KW_ONLY
    limit: int
    after: int | None
