"""Legal holds: no rule purges a thread, or what a user has written, and nothing of it is erased. Frozen records.

A hold is placed and removed by administrators. While it is there, no rule of retention takes anything of it, deleted
threads stay in the database, and users cannot be deleted. Several holds may be on the same target.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from actors.commands import Command
from actors.page import Page
from actors.queries import ADMINISTRATORS, Owner, Query

HoldKind = Literal["thread", "user"]
HOLD_KINDS: tuple[HoldKind, ...] = ("thread", "user")


@dataclass(frozen=True, slots=True)
class LegalHold:
    key: int
    id: str
    kind: HoldKind
    target_id: str
    """Of the thread or the user."""
    name: str
    """Title of the thread, or name of the user."""
    reason: str
    creator_id: str
    created_at: int
    """Milliseconds since 1970."""


# Commands


@dataclass(slots=True, kw_only=True)
class AddHold(Command[LegalHold]):
    """Raises `NotFound` for a thread or a user that is not there."""

    kind: HoldKind
    target_id: str
    reason: str


@dataclass(slots=True, kw_only=True)
class RemoveHold(Command[LegalHold]):
    """Answers the hold that was removed."""

    hold_id: str


# Queries


@dataclass(frozen=True, slots=True)
class ListHolds(Query[Page[LegalHold]]):
    """The newest first; of one target, where `target_id` names it."""

    _: KW_ONLY
    limit: int
    before: int | None = None
    target_id: str | None = None

    @property
    def owner(self) -> Owner:
        return ADMINISTRATORS
