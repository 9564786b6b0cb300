"""Retention: what an operator's rules let go after so many days, how the rules are run, and the log of their runs.

A rule first looks (on a reader, page by page), then removes what it found in small transactions that ask the rule
again. What is under a legal hold is neither found nor removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from actors import limits
from actors.auth.identity import Identity
from actors.commands import Makes
from actors.page import Page
from actors.queries import Query

RetentionRule = Literal["delete_threads", "archive_threads", "message_revisions", "audit_entries"]
"""Threads in which nothing has happened; former versions of edited messages; the oldest entries of the audit log."""
LoggedRule = RetentionRule | Literal["files"]
"""Rules in the run log: files have rules of their own, see `actors/resources/files/retention.py`."""
RULES: Final[tuple[RetentionRule, ...]] = ("delete_threads", "archive_threads", "message_revisions", "audit_entries")
"""In the order in which they run."""
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """Days by rule; None: nothing goes by this rule."""

    delete_threads: int | None = None
    archive_threads: int | None = None
    message_revisions: int | None = None
    audit_entries: int | None = None

    def chosen(self) -> tuple[tuple[RetentionRule, int], ...]:
        """Those that are set, in the order in which they run."""
        days = ((rule, getattr(self, rule)) for rule in RULES)
        return tuple((rule, count) for rule, count in days if count is not None)


@dataclass(frozen=True, slots=True)
class Outdated:
    """An item that a rule lets go."""

    key: int
    """Of the thread, the message, or the entry of the audit log."""
    rows: int
    """That go with it; of a thread that is archived: the one that is changed."""
    size: int
    """Bytes of their contents, and of the files that belong to them."""


@dataclass(frozen=True, slots=True)
class OutdatedPage:
    found: tuple[Outdated, ...]
    next: int | None
    """Where the next page starts; None at the end. A page may be empty and still have a next one."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a rule has taken, or would take."""

    rule: LoggedRule
    items: int = 0
    """Threads, messages, entries of the audit log, or files."""
    rows: int = 0
    size: int = 0
    """Bytes."""

    def plus(self, found: Sequence[Outdated]) -> "Tally":
        rows, size = sum(each.rows for each in found), sum(each.size for each in found)
        return Tally(self.rule, self.items + len(found), self.rows + rows, self.size + size)


@dataclass(frozen=True, slots=True)
class RetentionRun:
    key: int
    started_at: int
    """Milliseconds since 1970."""
    tally: Tally


# Commands


@dataclass(frozen=True, slots=True)
class RemoveOutdated(Makes[tuple[int, ...]]):
    """Take these items, where the rule still lets them go: what happened `before` (milliseconds) is outdated. In the
    name of `identity`. Answers the keys of what was taken."""

    identity: Identity
    rule: RetentionRule
    before: int
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NoteRetentionRun(Makes[None]):
    """Write a run into the log. One that took nothing is not written."""

    started_at: int
    tally: Tally


# Queries


@dataclass(frozen=True, slots=True)
class ListOutdated(Query[OutdatedPage]):
    """What a rule lets go; looks at so many rows at most."""

    rule: RetentionRule
    before: int
    after: int = 0
    limit: int = limits.RETENTION_LOOKED_AT


@dataclass(frozen=True, slots=True)
class ListRetentionRuns(Query[Page[RetentionRun]]):
    """The newest first; `before`: the key of the last one of the previous page."""

    limit: int
    before: int | None = None
