"""What commands do to proposals."""

import json
from typing import Any

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, NotFound
from actors.events import EventKind
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.artifacts.artifact import Artifact
from actors.resources.artifacts.commands import ReviseArtifact
from actors.resources.proposals.proposal import (
    PROPOSAL_CREATED,
    PROPOSAL_UPDATED,
    AcceptProposal,
    CloseProposal,
    Proposal,
    Propose,
    must_be_open,
    must_withdraw,
    outcome_of,
)
from actors.resources.users import Author
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.artifacts import bodies, places
from storage.resources.artifacts import writing as artifact_writing
from storage.resources.artifacts.places import Place
from storage.resources.audit import writing as audit
from storage.resources.proposals import forgetting, records
from storage.schema import artifact_models, models, proposal_models

_A, _V, _T = artifact_models.Artifact, artifact_models.ArtifactVersion, models.Thread
_P = proposal_models.Proposal


@writes(Propose)
def propose(tx: Transaction, command: Propose) -> Done[Proposal]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    artifact_writing.must_be_message(tx, place.thread[0], command.provenance)
    _must_have_room(tx, place.key)
    version = (_V.artifact == place.key) & (_V.number == command.base)
    row = rows.first(tx.database, _V.select(_V.body).where(version))
    if row is None:
        raise NotFound("version", str(command.base))
    bodies.again(tx, row[0])
    author, source = command.identity.author, command.provenance
    key = tx.execute(_P.insert(
        uid=command.proposal_id, artifact=place.key, author=author.key, base=command.base, base_body=row[0],
        comment=command.comment, message=source.message_id, tool_call=source.tool_call, model=source.model,
        status="open", count=command.count, patch=command.patch, hunks=command.hunks, created_at=tx.now,
        updated_at=tx.now,
    ))  # fmt: skip
    return _logged(tx, key, place.thread, author, PROPOSAL_CREATED)


def _must_have_room(tx: Transaction, artifact: int) -> None:
    there = _P.select(_P.id).where((_P.artifact == artifact) & (_P.status == "open"))
    if len(rows.fetch(tx.database, there.limit(limits.PROPOSALS_OPEN))) >= limits.PROPOSALS_OPEN:
        sentence = f"An artifact may have {limits.PROPOSALS_OPEN} open proposals, and this one has them."
        raise Conflict(sentence, code="proposals_full")


@writes(AcceptProposal)
def accept(tx: Transaction, command: AcceptProposal) -> Done[Proposal]:
    place = places.find_to_change(tx, command.artifact_id, command.identity)
    before = _find(tx, place, command.proposal_id)
    status = outcome_of(command.accepted, before.count)
    if (before.status, before.accepted) == (status, command.accepted):
        return Done(before)
    must_be_open(before)
    must_match(command.newest, place.version)
    revised = artifact_writing.revise_artifact(tx, ReviseArtifact(
        identity=command.identity, thread_id=command.thread_id, artifact_id=place.id, change="patched",
        content=command.content, provenance=before.provenance, if_version=command.newest,
    ))  # fmt: skip
    assert isinstance(revised.result, Artifact)
    fields = {"accepted": json.dumps(command.accepted), "version": revised.result.version}
    facts = {"proposal_id": before.id, "hunks": list(command.accepted), "version": revised.result.version}
    audit.act(tx, command, "accept_proposal", ("artifact", place.id), None, facts)
    done = _resolve(tx, place, before, command.identity.author, status=status, **fields)
    return Done(done.result, (*revised.events, *done.events))


@writes(CloseProposal)
def close(tx: Transaction, command: CloseProposal) -> Done[Proposal]:
    place = _place(tx, command)
    before = _find(tx, place, command.proposal_id)
    if command.outcome == "withdrawn":
        must_withdraw(command.identity, before.author.key)
    if before.status == command.outcome:
        return Done(before)
    must_be_open(before)
    act = "withdraw_proposal" if command.outcome == "withdrawn" else "reject_proposal"
    audit.act(tx, command, act, ("artifact", place.id), None, {"proposal_id": before.id})
    return _resolve(
        tx, place, before, command.identity.author, status=command.outcome, reason=command.reason
    )  # fmt: skip


def _place(tx: Transaction, command: CloseProposal) -> Place:
    """Withdrawing one's own is for everyone who sees it: their role may have changed."""
    find = places.find if command.outcome == "withdrawn" else places.find_to_change
    return find(tx, command.artifact_id, command.identity)


def _resolve(tx: Transaction, place: Place, before: Proposal, resolver: Author, **fields: Any) -> Done[Proposal]:
    forgetting.forget_base(tx, before.key)
    fields |= {"resolver": resolver.key, "resolved_at": tx.now, "updated_at": tx.now}
    tx.execute(_P.update(**fields).where(_P.id == before.key))
    forgetting.forget_old(tx, place.key)
    return _logged(tx, before.key, place.thread, resolver, PROPOSAL_UPDATED)


def _find(tx: Transaction, place: Place, proposal_id: str) -> Proposal:
    query = records.query(with_patch=False).where((_P.uid == proposal_id) & (_P.artifact == place.key))
    row = rows.first(tx.database, query)
    if row is None:
        raise NotFound("proposal", proposal_id)
    return records.of(row)


def _logged(tx: Transaction, key: int, thread: tuple[int, str], actor: Author, kind: EventKind) -> Done[Proposal]:
    proposal = records.by_key(tx.database, [key])[key]
    return Done(proposal, (tx.log(thread, kind, actor, proposal, ref=key),))


# Erased


def erase(tx: Transaction, author: int) -> Done[None]:
    """What a user has said in some of their proposals, and in rejecting those of others."""
    there = _A.deleted_at.is_null() & _T.deleted_at.is_null()
    mine = (_P.author == author) & ((_P.comment != "") | _P.patch.is_null(False) | (_P.status == "open"))
    theirs = (_P.resolver == author) & (_P.reason != "")
    query = _P.select(_P.id, _P.author, _T.id, _T.uid).join(_A, on=(_P.artifact == _A.id)).join_from(
        _A, _T, on=(_A.thread == _T.id)
    )  # fmt: skip
    found = rows.fetch(tx.database, query.where((mine | theirs) & there).order_by(_P.id).limit(limits.PROPOSALS_ERASED))
    for key, by, *_ in found:
        if by == author:
            forgetting.forget_words(tx, key)
        tx.execute(_P.update(reason="").where((_P.id == key) & (_P.resolver == author)))
    actor = tx.author(author)
    logged = (_logged(tx, key, (thread[0], thread[1]), actor, PROPOSAL_UPDATED) for key, _, *thread in found)
    return Done(None, tuple(event for done in logged for event in done.events))


ERASURES = (erase,)


# Results, read again for an idempotency key


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Proposal | None:
    places.find(tx, reference["artifact"], identity)
    return records.by_key(tx.database, [reference["key"]]).get(reference["key"])


results.keep(Proposal, refer=lambda found: {"artifact": found.artifact_id, "key": found.key}, load=_again)
