"""Proposals: changes of an artifact that members accept, reject, or accept in part."""

from typing import Any

import orjson

from actors import limits
from actors.errors import Conflict, Overloaded, PreconditionFailed, XpError
from actors.identifiers import new_id
from actors.resources.artifacts import contents, revising
from actors.resources.artifacts.artifact import Artifact, ArtifactType
from actors.resources.artifacts.contents import Packed
from actors.resources.artifacts.queries import GetArtifact, GetArtifactVersion
from actors.resources.proposals.hunks import hunks, merged, standings
from actors.resources.proposals.proposal import (
    AcceptProposal,
    CloseProposal,
    Compared,
    GetProposal,
    ListProposals,
    Outcome,
    Proposal,
    Propose,
    decoded,
    encoded,
    must_be_hunks,
    must_change,
)
from server.api.cursors import integer
from server.api.registry import Call, Operations, Result
from server.resources.artifacts.revising import provenance_of
from server.resources.proposals import rendering
from server.resources.proposals.views import (
    AcceptRequest,
    FullProposalView,
    ListProposalsRequest,
    ProposalRequest,
    ProposalView,
    ProposeRequest,
    RejectRequest,
)

operations = Operations("artifacts")


@operations("GET", "/artifacts/{id}/proposals", response=ProposalView, paged=True)
async def list_proposals(call: Call, request: ListProposalsRequest) -> Result:
    """Proposals to change an artifact, newest first, without their patches."""
    query = ListProposals(
        call.identity, request.id, limit=request.limit, before=integer(request.cursor), status=request.status
    )  # fmt: skip
    page = await call.services.ask(query)
    shown = [rendering.proposal(proposal) for proposal in page.items]
    return Result(shown, next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/artifacts/{id}/proposals", response=FullProposalView, status=201, rate="costly")
async def create_proposal(call: Call, request: ProposeRequest) -> Result:
    """Propose a change of an artifact: a JSON Patch of one version, which members accept, reject, or accept in part.

    For members who may write. The patch must lead to a content that the artifact's type takes.
    """
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    try:
        command = await _proposed(call, request, artifact)
    except XpError as refusal:
        made = await call.first(refusal)
    else:
        made = (await call.services.directory.ask(command)).result
    return await _answer(call, made, location=f"/api/v1/artifacts/{artifact.id}/proposals/{made.id}")


async def _proposed(call: Call, request: ProposeRequest, artifact: Artifact) -> Propose:
    number = request.version or artifact.version
    _, version = await call.services.ask(GetArtifactVersion(call.identity, artifact.id, number))
    patch, found, count = await call.services.compute(
        call.identity, _compared, artifact.type, version.content or "", request.patch
    )
    return Propose(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        proposal_id=new_id(), base=number, patch=patch, hunks=found, count=count, comment=request.comment,
        provenance=provenance_of(request),
    )  # fmt: skip


def _compared(kind: ArtifactType, content: str, patch: list[Any]) -> tuple[str, str, int]:
    """The patch and its hunks as JSON, and how many hunks there are."""
    before = orjson.loads(content)
    after = revising.by_patch(before, patch)
    contents.packed(kind, after)
    found = hunks(before, after)
    must_change(found)
    return orjson.dumps(patch).decode(), encoded(found), len(found)


@operations("GET", "/artifacts/{id}/proposals/{proposal_id}", response=FullProposalView)
async def get_proposal(call: Call, request: ProposalRequest) -> Result:
    """A proposal with its hunks, and whether each can be applied to the newest version."""
    found = await call.services.ask(GetProposal(call.identity, request.id, request.proposal_id))
    return await _shown(call, found)


@operations("POST", "/artifacts/{id}/proposals/{proposal_id}/accept", response=FullProposalView, rate="audited")
async def accept_proposal(call: Call, request: AcceptRequest) -> Result:
    """Accept a proposal, or some of its hunks: they become the newest version, beside what was changed meanwhile.

    A hunk that is in conflict is refused (409): accept the others, or reject the proposal. Hunks that were not accepted
    are rejected with it. For members who may write.
    """
    for _ in range(limits.PATCH_TRIES):
        found = await call.services.ask(GetProposal(call.identity, request.id, request.proposal_id))
        command = await _acceptance(call, found, request.hunks)
        try:
            done = await call.services.directory.ask(command)
        except PreconditionFailed:
            continue
        return await _answer(call, done.result)
    raise Overloaded("Others change the artifact all the time; retry.")


async def _acceptance(call: Call, found: Compared, chosen: list[int] | None) -> AcceptProposal:
    proposal, artifact = found.proposal, found.artifact
    accepted = tuple(range(proposal.count)) if chosen is None else tuple(sorted(chosen))
    must_be_hunks(accepted, proposal.count)
    return AcceptProposal(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        proposal_id=proposal.id, accepted=accepted, newest=artifact.version, origin=call.origin,
        content=await call.services.compute(call.identity, _with_hunks, found, accepted),
    )  # fmt: skip


def _with_hunks(found: Compared, accepted: tuple[int, ...]) -> Packed:
    """Of a proposal that is resolved, the content as it is: the command refuses it, or has nothing to do."""
    assert found.artifact.newest is not None
    newest = orjson.loads(found.artifact.newest.content or "")
    if found.base is None or found.proposal.hunks is None:
        return contents.packed(found.artifact.type, newest)
    base, proposed = orjson.loads(found.base), decoded(found.proposal.hunks)
    chosen = [proposed[number] for number in accepted]
    standing = zip(accepted, standings(base, newest, chosen), strict=True)
    if conflicts := [number for number, found in standing if found == "conflict"]:
        raise Conflict(
            f"Hunks {', '.join(map(str, conflicts))} are in conflict with what was changed after version "
            f"{found.proposal.base}; accept others, or reject the proposal.",
            code="proposal_conflict",
        )
    return contents.packed(found.artifact.type, merged(base, newest, chosen))


@operations("POST", "/artifacts/{id}/proposals/{proposal_id}/reject", response=FullProposalView, rate="audited")
async def reject_proposal(call: Call, request: RejectRequest) -> Result:
    """Reject a proposal. For members who may write."""
    return await _close(call, request, "rejected", request.reason)


@operations("POST", "/artifacts/{id}/proposals/{proposal_id}/withdraw", response=FullProposalView, rate="audited")
async def withdraw_proposal(call: Call, request: ProposalRequest) -> Result:
    """Withdraw a proposal of yours."""
    return await _close(call, request, "withdrawn", "")


async def _close(call: Call, request: ProposalRequest, outcome: Outcome, reason: str) -> Result:
    artifact = await call.services.ask(GetArtifact(call.identity, request.id, with_content=False))
    command = CloseProposal(
        identity=call.identity, once=call.once, thread_id=artifact.thread_id, artifact_id=artifact.id,
        proposal_id=request.proposal_id, outcome=outcome, reason=reason, origin=call.origin,
    )  # fmt: skip
    return await _answer(call, (await call.services.directory.ask(command)).result)


async def _answer(call: Call, proposal: Proposal, location: str | None = None) -> Result:
    """As it is now, with its hunks."""
    found = await call.services.ask(GetProposal(call.identity, proposal.artifact_id, proposal.id))
    return await _shown(call, found, location)


async def _shown(call: Call, found: Compared, location: str | None = None) -> Result:
    """Its ETag changes with the proposal and with the artifact: what becomes of its hunks depends on both."""
    version = found.proposal.updated_at + found.artifact.version
    shown = await call.services.compute(call.identity, rendering.compared, found)
    return Result(shown, version=version, location=location)
