"""A rehearsal says what would become of a command, and leaves nothing behind."""

import pytest

from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, Internal, NotFound
from actors.outcomes import Done
from actors.rehearsal import Rehearse
from actors.resources.threads import Thread, UpdateThread
from storage.journal import posting
from tests.builders import Ledger, post


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, (bo, "VIEWER"))


def test_what_would_be_done_is_undone(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    before = ledger.dump()
    for command in (post(ana, thread), UpdateThread(identity=ana, thread_id=thread.id, title="New")):
        done = ledger.do(Rehearse(command))
        assert (done.result, done.events) == (None, ())
    assert ledger.dump() == before


def test_what_would_be_refused_is_answered(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    taken, before = ledger.post(ana, thread).id, ledger.dump()
    for command, error in (
        (post(bo, thread), Forbidden), (post(ana, "nothing"), NotFound),
        (post(ana, thread, message_id=taken), Conflict), (post(ana, thread, metadata=None), Internal),
        (UpdateThread(identity=bo, thread_id=thread.id, title="New"), Forbidden),
    ):  # fmt: skip
        assert isinstance(ledger.do(Rehearse(command)).result, error)
    assert ledger.dump() == before


def test_others_in_its_batch_have_no_gap(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    outcomes = ledger.apply(
        post(ana, thread), Rehearse(post(ana, thread)), post(ana, thread), Rehearse(post(bo, thread)), post(ana, thread)
    )
    events = [event for outcome in outcomes if isinstance(outcome, Done) for event in outcome.events]
    first = events[0]
    assert [(event.position, event.offset) for event in events] == [
        (first.position + number, first.offset + number) for number in range(3)
    ]
    assert ledger.one("SELECT position FROM log_head") == events[-1].position


def test_only_of_an_id_it_is_said_that_it_is_taken(
    ledger: Ledger, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outcome,) = ledger.apply(post(ana, thread, metadata=None))
    assert isinstance(outcome, Internal), "another constraint"

    def defective(*_: object, **__: object) -> None:
        raise KeyError("uid")

    monkeypatch.setattr(posting, "post_messages", defective)
    (outcome,) = ledger.apply(post(ana, thread))
    assert isinstance(outcome, Internal), "no constraint"
