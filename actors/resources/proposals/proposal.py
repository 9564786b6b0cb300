"""A proposal to change an artifact: the record, the events about it, what can be asked, and who may do what. Pure.

It is a JSON Patch against one version. Members see it in hunks, and accept all of it, some hunks, or none; a proposal
is resolved once. What it says about an older version is applied to the newest one: see `hunks.py`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from actors import limits
from actors.auth.identity import Identity
from actors.commands import ThreadCommand
from actors.errors import Conflict, Forbidden, ValidationFailed
from actors.events import EventKind
from actors.page import Page
from actors.queries import IdentityQuery, Owner, Query
from actors.resources.artifacts.artifact import Artifact, Provenance
from actors.resources.artifacts.contents import Packed
from actors.resources.proposals.hunks import Hunk
from actors.resources.users import Author

Status = Literal["open", "accepted", "partly_accepted", "rejected", "withdrawn"]
STATUSES: Final[tuple[Status, ...]] = ("open", "accepted", "partly_accepted", "rejected", "withdrawn")
Outcome = Literal["rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Proposal:
    key: int
    id: str
    artifact_id: str
    thread_id: str
    author: Author
    base: int
    """Number of the version that it changes."""
    comment: str
    provenance: Provenance
    status: Status
    count: int
    """Of its hunks."""
    created_at: int
    updated_at: int
    resolver: Author | None = None
    resolved_at: int | None = None
    reason: str = ""
    """Of its rejection."""
    accepted: tuple[int, ...] = ()
    """Numbers of the hunks that were accepted, from 0."""
    version: int | None = None
    """The version that has them."""
    patch: str | None = None
    """JSON; None where it was not asked for, or is no longer kept."""
    hunks: str | None = None
    """JSON, as `encoded` makes it; the same."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A proposal, and the contents that say what becomes of it."""

    proposal: Proposal
    base: str | None
    """JSON; None where it is resolved."""
    artifact: Artifact
    """With its content."""


PROPOSAL_CREATED: Final = EventKind("proposal.created", Proposal, "proposal")
PROPOSAL_UPDATED: Final = EventKind("proposal.updated", Proposal, "proposal")


@dataclass(slots=True, kw_only=True)
class Propose(ThreadCommand[Proposal]):
    """Answers the `Proposal`."""

    artifact_id: str
    proposal_id: str
    base: int
    patch: str
    """JSON; `hunks` is what it changes of the base."""
    hunks: str
    count: int
    comment: str = ""
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(slots=True, kw_only=True)
class AcceptProposal(ThreadCommand[Proposal]):
    """Answers the `Proposal`; again, as it is. Raises `PreconditionFailed` where `newest` is not the newest version."""

    artifact_id: str
    proposal_id: str
    accepted: tuple[int, ...]
    newest: int
    content: Packed
    """Of the newest version, with the accepted hunks."""


@dataclass(slots=True, kw_only=True)
class CloseProposal(ThreadCommand[Proposal]):
    """Reject it, or withdraw one of the caller's. Answers the `Proposal`; again, as it is."""

    artifact_id: str
    proposal_id: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GetProposal(IdentityQuery[Compared]):
    artifact_id: str
    proposal_id: str


@dataclass(frozen=True, slots=True)
class ListProposals(IdentityQuery[Page[Proposal]]):
    """Of an artifact, the newest first, without their patches."""

    artifact_id: str
    limit: int = field(kw_only=True)
    before: int | None = field(kw_only=True)
    status: Status | None = field(kw_only=True, default=None)


@dataclass(frozen=True, slots=True)
class ListProposalsBy(Query[Page[Proposal]]):
    """That a user has made, the oldest first, with their patches."""

    user_id: str
    limit: int = field(kw_only=True)
    after: int | None = field(kw_only=True)

    @property
    def owner(self) -> Owner:
        return self.user_id


# Rules


def must_withdraw(identity: Identity, author_key: int) -> None:
    if identity.user.key != author_key:
        raise Forbidden("Only its author withdraws a proposal; others reject it.")


def must_be_open(proposal: Proposal) -> None:
    if proposal.status != "open":
        raise Conflict(f"The proposal is {proposal.status}; it is resolved once.", code="proposal_resolved")


def outcome_of(accepted: Sequence[int], count: int) -> Status:
    return "accepted" if len(accepted) == count else "partly_accepted"


def must_be_hunks(numbers: Sequence[int], count: int) -> None:
    unknown = [number for number in numbers if number >= count]
    if unknown:
        raise ValidationFailed({"hunks": [f"expected numbers from 0 to {count - 1}; got {unknown[0]}."]})


def must_change(found: Sequence[Hunk]) -> None:
    if not found:
        raise ValidationFailed({"patch": ["expected operations that change something."]})
    if len(found) > limits.PROPOSAL_HUNKS:
        sentence = (
            f"may change at most {limits.PROPOSAL_HUNKS} places, this changes {len(found)}: make several proposals."
        )
        raise ValidationFailed({"patch": [sentence]})


# Hunks as JSON


def encoded(found: Sequence[Hunk]) -> str:
    """Raises `ValidationFailed` where they are too large."""
    text = json.dumps(
        [[hunk.kind, hunk.path, hunk.start, hunk.before, hunk.after] for hunk in found],
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip
    if (size := len(text.encode())) > limits.PROPOSAL_BYTES:
        sentence = f"may change at most {limits.PROPOSAL_BYTES} bytes, before and after; this changes {size}."
        raise ValidationFailed({"patch": [sentence]})
    return text


def decoded(text: str) -> tuple[Hunk, ...]:
    found: list[Any] = json.loads(text)
    return tuple(
        Hunk(kind, tuple(path), start, tuple(before), tuple(after)) for kind, path, start, before, after in found
    )
