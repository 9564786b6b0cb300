"""`xp actions`."""

import pytest

from actors.auth.identity import Identity
from actors.resources.actions import Act, Action, AnswerAction, Checked, Subject
from actors.resources.threads import Thread
from tests.builders import Ledger
from tests.cli.conftest import Xp

BLOCKS = '[{"type":"actions","block_id":"deploy","elements":[]}]'


@pytest.fixture
def ana(ledger: Ledger) -> Identity:
    return ledger.user("ana")


@pytest.fixture
def bo(ledger: Ledger) -> Identity:
    return ledger.user("bo")


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


def act(ledger: Ledger, author: Identity, person: Identity, thread: Thread) -> Action:
    message = ledger.post(author, thread, "Deploy?", blocks=BLOCKS)
    checked = Checked(mark=BLOCKS, kind="button", value='"42"', state="{}")
    command = Act(
        identity=person,
        thread_id=thread.id,
        subject=Subject("message", message.id),
        block_id="deploy",
        action_id="yes",
        checked=checked,
    )
    made = ledger.do(command).result
    assert isinstance(made, Action)
    return made


def test_list_and_show(xp: Xp, ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    first = act(ledger, ana, bo, thread)
    other = act(ledger, ana, bo, ledger.thread(ana, bo))
    done = AnswerAction(identity=ana, thread_id=thread.id, action_id=first.id, status="done", text="It is out.")
    ledger.do(done)
    assert [one["id"] for one in xp("actions", "list", "--json").json] == [other.id, first.id]
    assert [one["id"] for one in xp("actions", "list", "--json", "--thread", thread.id).json] == [first.id]
    assert [one["id"] for one in xp("actions", "list", "--json", "--status", "pending").json] == [other.id]
    few = xp("actions", "list", "--limit", "1")
    assert other.id in few.out
    assert first.id not in few.out
    assert "Only 1 are shown" in few.err
    shown = xp("actions", "show", first.id)
    assert "It is out." in shown.out
    assert '"42"' in shown.out
    assert xp("actions", "show", first.id, "--json").json["value"] == "42"
    assert xp("actions", "show", "cmwtj2zqi000059b8tfy744ms").code != 0


@pytest.mark.parametrize("at_once", [1, 500])
def test_who_acted_gets_it_with_the_export(
    at_once: int, xp: Xp, ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.limits.XP_PAGE", at_once)
    made = [act(ledger, ana, bo, thread).id for _ in range(3)]
    exported = xp("user", "export", bo.user.id, "-").json["actions"]
    assert [one["id"] for one in exported] == made
    assert (exported[0]["value"], exported[0]["block_id"], exported[0]["status"]) == ("42", "deploy", "pending")
    assert not {"message_metadata", "artifact_metadata", "block", "author"} & exported[0].keys()
    assert xp("user", "export", ana.user.id, "-").json["actions"] == []
