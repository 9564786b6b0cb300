"""Proposals in the store: what they keep of their base, and what is forgotten."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, ValidationFailed
from actors.resources.artifacts import contents
from actors.resources.artifacts.artifact import Artifact, Provenance
from actors.resources.members import UpdateMember
from actors.resources.proposals.hunks import applied, hunks
from actors.resources.proposals.proposal import (
    AcceptProposal,
    CloseProposal,
    Compared,
    GetProposal,
    ListProposals,
    ListProposalsBy,
    Proposal,
    decoded,
)
from actors.resources.threads import DeleteThread, Thread
from actors.resources.users import DeleteUser, EraseContent
from storage.journal import transaction
from storage.readers.answers import answer
from storage.resources.log import reading as log
from tests.builders import Ledger, once
from tests.storage.resources.artifacts.desk import Desk
from tests.storage.test_integrity import findings

BASE = "one\ntwo\nthree\n"
PROPOSED = "ONE\ntwo\nTHREE\n"


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


@pytest.fixture
def artifact(desk: Desk, ana: Identity, thread: Thread) -> Artifact:
    return desk.create(ana, thread, BASE)


def propose(desk: Desk, who: Identity, artifact: Artifact, **more: Any) -> Proposal:
    """Two hunks, against the first version."""
    return desk.propose(who, artifact, PROPOSED, **more)


def acceptance(who: Identity, artifact: Artifact, proposal: Proposal, *chosen: int, **more: Any) -> AcceptProposal:
    found = hunks(BASE, PROPOSED)
    content = contents.packed("REPORT", applied(BASE, [found[number] for number in chosen]))
    return AcceptProposal(
        identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, proposal_id=proposal.id, accepted=chosen,
        newest=more.pop("newest", 1), content=content, **more,
    )  # fmt: skip


def close(who: Identity, artifact: Artifact, proposal: Proposal, outcome: Any = "rejected") -> CloseProposal:
    return CloseProposal(
        identity=who, thread_id=artifact.thread_id, artifact_id=artifact.id, proposal_id=proposal.id, outcome=outcome
    )  # fmt: skip


def read(desk: Desk, who: Identity, proposal: Proposal) -> Compared:
    return desk.ledger.ask(answer, GetProposal(who, proposal.artifact_id, proposal.id))


def statuses(desk: Desk, who: Identity, artifact: Artifact, **wanted: Any) -> list[str]:
    query = ListProposals(who, artifact.id, limit=10, before=None, **wanted)
    return [found.status for found in desk.ledger.ask(answer, query).items]


def test_its_base_stays_though_its_version_is_dropped(desk: Desk, ana: Identity, artifact: Artifact) -> None:
    proposal = propose(desk, ana, artifact)
    desk.revise(ana, artifact, "other\n")
    desk.ledger.sql("DELETE FROM artifact_version WHERE number = 1")
    found = read(desk, ana, proposal)
    assert found.base is not None
    assert orjson.loads(found.base) == BASE
    assert (found.proposal.patch, found.proposal.count) == (
        '[{"op":"replace","path":"","value":"ONE\\ntwo\\nTHREE\\n"}]',
        2,
    )
    assert decoded(found.proposal.hunks or "") == hunks(BASE, PROPOSED)
    with pytest.raises(NotFound):
        desk.propose(ana, artifact)


def test_what_is_accepted_is_a_version_and_the_base_goes(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact
) -> None:
    proposal = propose(desk, bo, artifact)
    assert desk.bodies() == [2]
    done = ledger.do(acceptance(ana, artifact, proposal, 1))
    found = done.result
    assert isinstance(found, Proposal)
    assert (found.status, found.accepted, found.version) == ("partly_accepted", (1,), 2)
    assert [event.type for event in done.events] == ["artifact.updated", "proposal.updated"]
    assert desk.content(ana, artifact) == "one\ntwo\nTHREE\n"
    assert desk.bodies() == [1, 1]
    assert read(desk, ana, proposal).base is None
    assert findings(ledger.path) == {}
    again = ledger.do(acceptance(ana, artifact, proposal, 1, newest=2))
    assert (again.result, again.events) == (found, ())
    for command in (acceptance(ana, artifact, proposal, 0), close(ana, artifact, proposal)):
        with pytest.raises(Conflict, match="partly_accepted") as refused:
            ledger.do(command)
        assert refused.value.code == "proposal_resolved"
    entry = ledger.sql("SELECT action, target_id, after FROM audit ORDER BY id DESC LIMIT 1")[0]
    assert entry[:2] == ("accept_proposal", artifact.id)
    assert orjson.loads(entry[2]) == {"proposal_id": proposal.id, "hunks": [1], "version": 2}


def test_an_acceptance_is_for_the_version_it_was_made_for(desk: Desk, ana: Identity, artifact: Artifact) -> None:
    proposal = propose(desk, ana, artifact)
    desk.revise(ana, artifact, "other\n")
    with pytest.raises(PreconditionFailed):
        desk.ledger.do(acceptance(ana, artifact, proposal, 0, 1))


def test_what_is_there_already_makes_no_version(desk: Desk, ana: Identity, artifact: Artifact) -> None:
    proposal = propose(desk, ana, artifact)
    desk.revise(ana, artifact, "ONE\ntwo\nTHREE\n")
    found = desk.ledger.do(acceptance(ana, artifact, proposal, 0, 1, newest=2)).result
    assert isinstance(found, Proposal)
    assert (found.status, found.version) == ("accepted", 2)


def test_rejected_by_members_withdrawn_by_the_author(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact, thread: Thread
) -> None:
    first, second = propose(desk, bo, artifact), propose(desk, bo, artifact)
    with pytest.raises(Forbidden, match="Only its author"):
        ledger.do(close(ana, artifact, first, "withdrawn"))
    ledger.do(UpdateMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role="VIEWER"))
    with pytest.raises(Forbidden):
        ledger.do(close(bo, artifact, first))
    for _ in range(2):
        ledger.do(close(bo, artifact, first, "withdrawn"))
        ledger.do(close(ana, artifact, second))
    assert statuses(desk, ana, artifact) == ["rejected", "withdrawn"]
    assert statuses(desk, ana, artifact, status="open") == []
    assert [row[0] for row in ledger.sql("SELECT action FROM audit WHERE target_kind = 'artifact' ORDER BY id")] == [
        "withdraw_proposal", "reject_proposal",
    ]  # fmt: skip


def test_only_so_many_are_open_and_only_so_many_keep_their_patches(
    desk: Desk, ana: Identity, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROPOSALS_OPEN", 2)
    monkeypatch.setattr(limits, "PROPOSALS_KEPT", 2)
    made = []
    for _ in range(4):
        made.append(propose(desk, ana, artifact))
        desk.ledger.do(close(ana, artifact, made[-1]))
    kept = [read(desk, ana, proposal).proposal.patch is not None for proposal in made]
    assert kept == [False, False, True, True]
    propose(desk, ana, artifact)
    propose(desk, ana, artifact)
    with pytest.raises(Conflict) as refused:
        propose(desk, ana, artifact)
    assert refused.value.code == "proposals_full"


def test_they_go_with_their_artifact_and_its_thread(
    ledger: Ledger, desk: Desk, ana: Identity, artifact: Artifact, thread: Thread
) -> None:
    proposal = propose(desk, ana, artifact, comment="secret")
    desk.delete(ana, artifact)
    with pytest.raises(NotFound):
        read(desk, ana, proposal)
    assert desk.bodies() == []
    events = ledger.ask(log.after_offset, ana, thread.id, 0, limit=100).events
    (told,) = [event.data for event in events if event.type == "proposal.created"]
    assert isinstance(told, Proposal)
    assert (told.comment, told.patch, told.status) == ("", None, "withdrawn")
    propose(desk, ana, desk.create(ana, thread, BASE))
    assert findings(ledger.path) == {}
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    ledger.sql("UPDATE thread SET deleted_at = 1 WHERE deleted_at IS NOT NULL")
    while ledger.do(commands.Purge(rows=3)).result == 3:
        pass
    for table in ("artifact_proposal", "artifact_body", "artifact"):
        assert ledger.one(f"SELECT count(*) FROM {table}") == 0


def test_erasure_and_export(ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact) -> None:
    mine, theirs = propose(desk, bo, artifact, comment="mine"), propose(desk, ana, artifact, comment="of ana")
    ledger.do(CloseProposal(
        identity=bo, thread_id=artifact.thread_id, artifact_id=artifact.id, proposal_id=theirs.id, outcome="rejected",
        reason="said by bo",
    ))  # fmt: skip
    page = ledger.ask(answer, ListProposalsBy(bo.user.id, limit=10, after=None))
    assert [(found.id, found.comment) for found in page.items] == [(mine.id, "mine")]
    ledger.do(DeleteUser(identity=ledger.admin("root"), user_id=bo.user.id, content="remove"))
    step = EraseContent()
    while ledger.do(step).result == step.rows:
        pass
    erased, kept = read(desk, ana, mine).proposal, read(desk, ana, theirs).proposal
    assert (erased.comment, erased.patch, erased.status) == ("", None, "withdrawn")
    assert (kept.comment, kept.reason, kept.status) == ("of ana", "", "rejected")
    assert findings(ledger.path) == {}


def test_a_retry_gets_the_same_proposal(desk: Desk, ana: Identity, artifact: Artifact) -> None:
    first = propose(desk, ana, artifact, once=once())
    assert propose(desk, ana, artifact, once=once()) == first
    assert statuses(desk, ana, artifact) == ["open"]


@pytest.fixture
def other(desk: Desk, bo: Identity, artifact: Artifact) -> Proposal:
    """To the same artifact."""
    return propose(desk, bo, artifact, comment="another one")


def row(ledger: Ledger, proposal: Proposal) -> tuple[Any, ...]:
    return tuple(ledger.sql("SELECT * FROM artifact_proposal WHERE id = ?", proposal.key)[0])


def test_what_becomes_of_one_is_told_and_others_stay(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact, other: Proposal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    proposal, before = propose(desk, bo, artifact), row(ledger, other)
    now = 1_900_000_000_000
    monkeypatch.setattr(transaction, "now_ms", lambda: now)
    command = close(ana, artifact, proposal)
    command.reason = "Not now."
    done = ledger.do(command)
    found = done.result
    assert (found.status, found.reason, found.resolver, found.resolved_at, found.updated_at) == (
        "rejected", "Not now.", ana.author, now, now
    )  # fmt: skip
    assert [(event.type, event.actor, event.data) for event in done.events] == [
        ("proposal.updated", ana.author, found)
    ]  # fmt: skip
    assert desk.bodies() == [2], "of the version, and of the other one"
    again = ledger.do(command)
    assert (again.result, again.events) == (found, ())
    with pytest.raises(Conflict, match="rejected"):
        ledger.do(close(bo, artifact, proposal, "withdrawn"))
    assert row(ledger, other) == before
    ledger.do(acceptance(ana, artifact, other, 0))
    assert row(ledger, proposal) != row(ledger, other)
    assert findings(ledger.path) == {}


def test_it_is_found_in_its_own_artifact(
    ledger: Ledger, desk: Desk, ana: Identity, thread: Thread, other: Proposal
) -> None:
    elsewhere = desk.create(ana, thread, BASE)
    for command in (close(ana, elsewhere, other), acceptance(ana, elsewhere, other, 0)):
        with pytest.raises(NotFound, match="proposal"):
            ledger.do(command)


def test_its_base_is_a_version_of_its_artifact_and_its_message_one_of_the_thread(
    ledger: Ledger, desk: Desk, ana: Identity, thread: Thread, artifact: Artifact
) -> None:
    longer = desk.create(ana, thread, "x")
    desk.revise(ana, longer, "y")
    with pytest.raises(NotFound, match="version"):
        propose(desk, ana, replace(artifact, version=2))
    elsewhere = ledger.post(ana, ledger.thread(ana))
    with pytest.raises(ValidationFailed):
        propose(desk, ana, artifact, provenance=Provenance(message_id=elsewhere.id))
    here = ledger.post(ana, thread)
    made = propose(desk, ana, artifact, provenance=Provenance(here.id, "t-1", "m-1"))
    assert (made.provenance, made.base, made.version) == (Provenance(here.id, "t-1", "m-1"), 1, None)


def test_room_is_counted_for_each_artifact(
    desk: Desk, ana: Identity, thread: Thread, artifact: Artifact, other: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROPOSALS_OPEN", 1)
    assert propose(desk, ana, desk.create(ana, thread, BASE)).status == "open"


def test_an_erasure_in_bounded_steps(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROPOSALS_ERASED", 1)
    kept, open_one, silent = propose(desk, ana, artifact, comment="kept"), propose(desk, bo, artifact), propose(
        desk, bo, artifact, comment="said"
    )  # fmt: skip
    by_ana, by_bo = propose(desk, ana, artifact), propose(desk, ana, artifact)
    for who, which, reason in ((ana, silent, "by ana"), (ana, by_ana, "by ana"), (bo, by_bo, "by bo")):
        command = close(who, artifact, which)
        command.reason = reason
        ledger.do(command)
    before = [row(ledger, each) for each in (kept, by_ana)]
    ledger.do(DeleteUser(identity=ledger.admin("root"), user_id=bo.user.id, content="remove"))
    told = []
    while (done := ledger.do(EraseContent())).result:
        told += [[event.data.id for event in done.events if event.type == "proposal.updated"]]  # type: ignore[attr-defined]
    assert [step for step in told if step] == [[open_one.id], [silent.id], [by_bo.id]]
    assert [row(ledger, each) for each in (kept, by_ana)] == before
    texts = "SELECT comment, patch IS NULL, reason, status FROM artifact_proposal WHERE id = ?"
    assert [ledger.sql(texts, each.key)[0] for each in (open_one, silent, by_bo)] == [
        ("", 1, "", "withdrawn"), ("", 1, "by ana", "rejected"), ("", 0, "", "rejected")
    ]  # fmt: skip
    assert findings(ledger.path) == {}
