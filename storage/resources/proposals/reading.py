"""Proposals read: one with what says whether it can be applied, pages of them; and loaded for events."""

from typing import Final

from peewee import SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.artifacts.contents import unpacked
from actors.resources.proposals.proposal import (
    PROPOSAL_CREATED,
    PROPOSAL_UPDATED,
    Compared,
    GetProposal,
    ListProposals,
    ListProposalsBy,
    Proposal,
    Status,
)
from storage.readers import rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.artifacts import reading as artifacts
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.resources.proposals import records
from storage.schema import artifact_models, models, proposal_models

_A, _B, _T, _U = artifact_models.Artifact, artifact_models.ArtifactBody, models.Thread, models.User
_P = proposal_models.Proposal


@answers(GetProposal)
def one(database: SqliteDatabase, identity: Identity, artifact_id: str, proposal_id: str) -> Compared:
    artifact = artifacts.one(database, identity, artifact_id)
    query = records.query(with_patch=True).where((_P.uid == proposal_id) & (_P.artifact == artifact.key))
    row = rows.first(database, query)
    if row is None:
        raise NotFound("proposal", proposal_id)
    body = rows.first(database, _B.select(_B.data).join(_P, on=(_P.base_body == _B.id)).where(_P.id == row[0]))
    return Compared(records.of(row), unpacked(body[0]) if body else None, artifact)


@answers(ListProposals)
def of_artifact(
    database: SqliteDatabase, identity: Identity, artifact_id: str, *, limit: int, before: int | None,
    status: Status | None = None,
) -> Page[Proposal]:  # fmt: skip
    artifact = artifacts.one(database, identity, artifact_id, with_content=False)
    query = records.query(with_patch=False).where(_P.artifact == artifact.key)
    if status is not None:
        query = query.where(_P.status == status)
    if before is not None:
        query = query.where(_P.id < before)
    found = rows.iterate(database, query.order_by(_P.id.desc()).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: map(records.of, part), _weight)
    return Page(shown, str(shown[-1].key) if more else None)


@answers(ListProposalsBy)
def proposals_by(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[Proposal]:
    """Also those in threads that the user has left."""
    user = rows.first(database, _U.select(_U.id).where(_U.uid == user_id))
    if user is None:
        raise NotFound("user", user_id)
    there = _A.deleted_at.is_null() & _T.deleted_at.is_null()
    query = records.query(with_patch=True).where((_P.author == user[0]) & (_P.id > (after or 0)) & there)
    found = rows.iterate(database, query.order_by(_P.id).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: map(records.of, part), _weight)
    return Page(shown, str(shown[-1].key) if more else None)


@weight.of.register
def _weight(proposal: Proposal) -> int:
    people = weight.author(proposal.author) + (weight.author(proposal.resolver) if proposal.resolver else 0)
    said = weight.text(proposal.comment) + weight.text(proposal.reason)
    return weight.FIXED + people + said + weight.carried(proposal.patch) + weight.carried(proposal.hunks)


def _replayed(replay: Replay, entry: Entry) -> Proposal:
    """As it is now."""
    found: dict[int, Proposal] = replay.once(
        (Proposal, entry.ref), lambda: records.by_key(replay.database, [entry.ref])
    )  # fmt: skip
    return found[entry.ref]


LOADERS: Final[Loaders] = {PROPOSAL_CREATED: _replayed, PROPOSAL_UPDATED: _replayed}
