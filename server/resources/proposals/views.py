"""Proposals on the wire."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from actors import limits
from actors.resources.proposals.hunks import HunkKind, Standing
from actors.resources.proposals.proposal import Status
from server.api.fields import EACH_ONCE, NO_NUL, EachOnce, Id, NoNul, Paged, Reason, Request, Time, View
from server.resources.artifacts.views import Number, Patch, ProvenanceView, Sourced
from server.resources.users.views import AuthorView


class ProposalView(View):
    """Without its patch, as lists and events have it."""

    id: Id
    artifact_id: Id
    thread_id: Id
    author: AuthorView
    base_version: int = Field(description="The version that it changes.")
    comment: str
    provenance: ProvenanceView
    status: Status
    hunk_count: int
    resolved_by: AuthorView | None
    resolved_at: Time | None
    reason: str = Field(description="Why it was rejected.")
    accepted_hunks: list[int]
    version: int | None = Field(description="The version of the artifact that has the accepted hunks.")
    created_at: Time
    updated_at: Time


class HunkView(View):
    number: int = Field(description="For `hunks` of an acceptance; the first is 0.")
    kind: HunkKind = Field(description="A value of the content, items of a list, or lines of a text.")
    pointer: str = Field(description="JSON pointer of the value, the list or the text, in the base version.")
    start: int = Field(description="Of items and lines: the first that goes, counted from 0.")
    before: list[Any] = Field(description="What goes; empty where something is added.")
    after: list[Any] = Field(description="What comes in its place; empty where something is removed.")
    standing: Standing | None = Field(
        description="On the newest version: `clean` can be accepted; `conflict` cannot, because the same place was "
        "changed meanwhile; `done` is there already. Null where the proposal is resolved."
    )


class FullProposalView(ProposalView):
    newest_version: int = Field(description="Of the artifact, with which the hunks were compared.")
    patch: list[dict[str, Any]] | None = Field(description="As it was sent; null where it is no longer kept.")
    hunks: list[HunkView] | None = Field(description="Null where they are no longer kept.")


Comment = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=limits.COMMENT_CHARS),
    NoNul,
    Field(json_schema_extra=NO_NUL),
]


class ProposeRequest(Sourced):
    id: Id
    patch: Patch
    version: Number | None = Field(
        default=None, description="The version that the patch is for; the newest if left out."
    )
    comment: Comment = Field(default="", description="What it is for, in Markdown.")


class ListProposalsRequest(Paged):
    id: Id
    status: Status | None = Field(default=None, description="Only those.")


class ProposalRequest(Request):
    id: Id
    proposal_id: Id


_HunkNumber = Annotated[int, Field(ge=0, lt=limits.PROPOSAL_HUNKS)]


class AcceptRequest(ProposalRequest):
    hunks: (
        Annotated[
            list[_HunkNumber],
            Field(min_length=1, max_length=limits.PROPOSAL_HUNKS, json_schema_extra=EACH_ONCE),
            EachOnce,
        ]
        | None
    ) = Field(default=None, description="Numbers of the hunks to accept; all if left out.")


class RejectRequest(ProposalRequest):
    reason: Reason = ""
