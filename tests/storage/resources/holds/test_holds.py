"""Under a legal hold nothing is purged by a rule, and nothing is erased; once it is removed, what waited goes on."""

from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.commands import NotifyThreadDeleted, Purge
from actors.errors import Conflict, Forbidden, NotFound
from actors.resources.files.retention import PruneFiles, Retention
from actors.resources.holds import AddHold, HoldKind, LegalHold, ListHolds, RemoveHold
from actors.resources.members import AddMember
from actors.resources.messages import EditMessage
from actors.resources.threads import DeleteThread, Thread
from actors.resources.users import DeleteUser, EraseContent, UpdateUser
from storage.readers.answers import answer
from storage.resources.files import retention as files
from storage.resources.files.retention import DAY_MS
from tests.builders import Ledger, once
from tests.storage.resources.files.shelf import Shelf
from tests.storage.resources.retention.aging import applied, idle_for
from tests.storage.test_integrity import findings

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.limits.HOUSEKEEPING_PAUSE_SECONDS", 0)


def held(ledger: Ledger, root: Identity, kind: HoldKind, target_id: str, **more: Any) -> LegalHold:
    hold = ledger.do(AddHold(identity=root, kind=kind, target_id=target_id, reason="case 17", **more)).result
    assert isinstance(hold, LegalHold)
    return hold


def holds(ledger: Ledger) -> list[str]:
    return [hold.id for hold in ledger.ask(answer, ListHolds(limit=9)).items]


def purge(ledger: Ledger) -> int:
    taken = 0
    while step := ledger.do(Purge()).result:
        taken += step
    return taken


def conversation(ledger: Ledger) -> tuple[Identity, Identity, Thread]:
    """Of two users, idle for 400 days."""
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    message = ledger.post(bo, thread, "draft")
    ledger.do(EditMessage(identity=bo, thread_id=thread.id, message_id=message.id, content="final"))
    idle_for(ledger, thread, 400)
    return ana, bo, thread


def test_placed_listed_and_removed(ledger: Ledger, root: Identity) -> None:
    ana, _, thread = conversation(ledger)
    one = held(ledger, root, "thread", thread.id)
    two = held(ledger, root, "user", ana.user.id)
    assert (one.kind, one.name, one.reason, one.creator_id) == ("thread", "T", "case 17", root.user.id)
    assert (two.kind, two.name, two.target_id) == ("user", "ana", ana.user.id)
    assert holds(ledger) == [two.id, one.id]
    (only,) = ledger.ask(answer, ListHolds(limit=9, target_id=thread.id)).items
    assert only == one
    page = ledger.ask(answer, ListHolds(limit=1))
    assert (page.items, page.next_cursor) == ((two,), f"before:{two.key}")
    assert ledger.do(RemoveHold(identity=root, hold_id=one.id)).result == one
    assert holds(ledger) == [two.id]
    with pytest.raises(NotFound):
        ledger.do(RemoveHold(identity=root, hold_id=one.id))


def test_who_may_and_on_what(ledger: Ledger, root: Identity) -> None:
    ana, _, thread = conversation(ledger)
    hold = held(ledger, root, "thread", thread.id)
    with pytest.raises(Forbidden):
        held(ledger, ana, "thread", thread.id)
    with pytest.raises(Forbidden):
        ledger.do(RemoveHold(identity=ana, hold_id=hold.id))
    for kind, target in (("thread", ana.user.id), ("user", thread.id)):
        with pytest.raises(NotFound):
            held(ledger, root, kind, target)  # type: ignore[arg-type]


def test_an_idempotency_key_places_it_once(ledger: Ledger, root: Identity) -> None:
    _, _, thread = conversation(ledger)
    first = held(ledger, root, "thread", thread.id, once=once())
    assert held(ledger, root, "thread", thread.id, once=once()) == first
    assert holds(ledger) == [first.id]


@pytest.mark.parametrize("on", ["thread", "its owner", "a member who wrote"])
def test_rules_take_nothing_of_it(ledger: Ledger, root: Identity, on: str) -> None:
    ana, bo, thread = conversation(ledger)
    targets: dict[str, tuple[HoldKind, str]] = {
        "thread": ("thread", thread.id), "its owner": ("user", ana.user.id), "a member who wrote": ("user", bo.user.id),
    }  # fmt: skip
    hold = held(ledger, root, *targets[on])
    days = {"delete_threads": 365, "message_revisions": 30}
    assert applied(ledger, **days)["delete_threads"].items == 0
    assert ledger.one("SELECT count(*) FROM message_revision") == 1, "also of a message that is another's"
    assert applied(ledger, archive_threads=30)["archive_threads"].items == 1, "that removes nothing"
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    idle_for(ledger, thread, 400)
    assert applied(ledger, **days)["delete_threads"].items == 1


def test_one_who_has_left_holds_the_thread_they_wrote_in(ledger: Ledger, root: Identity) -> None:
    _, bo, _ = conversation(ledger)
    ledger.sql("DELETE FROM member WHERE user_id = ?", bo.user.key)
    held(ledger, root, "user", bo.user.id)
    assert applied(ledger, delete_threads=365)["delete_threads"].items == 0


def test_a_thread_that_its_owner_deletes_waits_for_the_end_of_the_hold(ledger: Ledger, root: Identity) -> None:
    ana, _, thread = conversation(ledger)
    hold = held(ledger, root, "thread", thread.id)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    ledger.sql("UPDATE thread SET deleted_at = deleted_at - ?", HOUR + 1)
    assert purge(ledger) == 0
    assert ledger.sql("SELECT content FROM message") == [("final",)]
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    assert purge(ledger) > 0
    assert ledger.sql("SELECT content FROM message") == []
    assert findings(ledger.path) == {}


def test_so_does_one_of_many_in_which_a_held_user_said_nothing(
    ledger: Ledger, root: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its members are notified step by step, and leave it by that."""
    monkeypatch.setattr("actors.limits.NOTIFIED_AT_ONCE", 2)
    ana, bo, cy, dora = (ledger.user(name) for name in ("ana", "bo", "cy", "dora"))
    thread = ledger.thread(ana, bo, cy, dora)
    ledger.post(ana, thread, "for all")
    hold = held(ledger, root, "user", bo.user.id)
    done = ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    told = [event.user_key for event in done.user_events]
    while step := ledger.do(NotifyThreadDeleted(thread_id=None, rows=1)).user_events:
        told += [event.user_key for event in step]
    assert sorted(told) == [each.user.key for each in (ana, bo, cy, dora)], "each once"
    ledger.sql("UPDATE thread SET deleted_at = deleted_at - ?", HOUR + 1)
    assert purge(ledger) == 0
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    assert purge(ledger) > 0


@pytest.mark.parametrize("on", ["thread", "user"])
@pytest.mark.parametrize("content", ["anonymise", "remove"])
def test_a_user_is_not_deleted(ledger: Ledger, root: Identity, on: HoldKind, content: Any) -> None:
    _, bo, thread = conversation(ledger)
    hold = held(ledger, root, on, thread.id if on == "thread" else bo.user.id)
    delete = DeleteUser(identity=root, user_id=bo.user.id, content=content)
    with pytest.raises(Conflict, match="Deactivate the account instead") as refusal:
        ledger.do(delete)
    assert refusal.value.code == "legal_hold"
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    ledger.do(delete)


@pytest.mark.parametrize("gone", ["nobody", "the one under the hold", "the other one"])
def test_nor_is_one_who_wrote_with_a_user_under_a_hold(ledger: Ledger, root: Identity, gone: str) -> None:
    """The conversation is kept as a whole."""
    ana, bo, thread = conversation(ledger)
    cy = ledger.user("cy")
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=cy.user.id))
    leaver = {"the one under the hold": ana.user.key, "the other one": bo.user.key}.get(gone, 0)
    ledger.sql("DELETE FROM member WHERE user_id = ?", leaver)
    hold = held(ledger, root, "user", ana.user.id)
    delete = DeleteUser(identity=root, user_id=bo.user.id, content="remove")
    with pytest.raises(Conflict, match="under a legal hold"):
        ledger.do(delete)
    ledger.do(DeleteUser(identity=root, user_id=cy.user.id, content="remove"))  # who wrote nothing there
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    ledger.do(delete)


def erase(ledger: Ledger) -> None:
    while ledger.do(EraseContent()).result:
        pass


@pytest.mark.parametrize("on", ["thread", "user"])
def test_an_erasure_that_has_begun_waits(ledger: Ledger, root: Identity, on: HoldKind) -> None:
    """Also for a hold on another user, who is in a thread that the deleted one wrote in; others' erasures go on."""
    ana, bo, thread = conversation(ledger)
    cy = ledger.user("cy")
    ledger.post(cy, ledger.thread(cy), "elsewhere")
    for gone in (bo, cy):
        ledger.do(DeleteUser(identity=root, user_id=gone.user.id, content="remove"))
    hold = held(ledger, root, on, thread.id if on == "thread" else ana.user.id)
    erase(ledger)
    assert ledger.sql("SELECT content FROM message ORDER BY id") == [("final",), ("",)]
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    erase(ledger)
    assert ledger.sql("SELECT content FROM message ORDER BY id") == [("",), ("",)]


def test_an_erasure_waits_from_when_a_held_user_joins_a_thread(ledger: Ledger, root: Identity) -> None:
    ana, bo, cy = (ledger.user(name) for name in ("ana", "bo", "cy"))
    thread = ledger.thread(cy, bo)
    for number in range(3):
        ledger.post(bo, thread, f"{number}")
    held(ledger, root, "user", ana.user.id)
    ledger.do(DeleteUser(identity=root, user_id=bo.user.id, content="remove"))
    ledger.do(EraseContent(rows=1))
    ledger.do(AddMember(identity=cy, thread_id=thread.id, user_id=ana.user.id))
    for _ in range(2):
        ledger.do(EraseContent(rows=1))
    assert ledger.sql("SELECT content FROM message ORDER BY id") == [("",), ("1",), ("2",)]


def test_files_of_a_held_user_are_not_pruned(ledger: Ledger, root: Identity) -> None:
    rules, ana = Retention(unused_days=1, pending_days=None), ledger.user("ana")
    Shelf(ledger).add(ana)
    ledger.sql("UPDATE file SET updated_at = updated_at - ?", 2 * DAY_MS)
    now = ledger.one("SELECT max(created_at) FROM user") + 60_000
    (found,) = ledger.ask(files.page, rules, now).found
    hold = held(ledger, root, "user", ana.user.id)
    assert ledger.ask(files.page, rules, now).found == ()
    assert ledger.do(PruneFiles(rules, (found,))).result.files == 0
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    assert ledger.do(PruneFiles(rules, (found,))).result.files == 1


def test_a_deleted_user_is_not_there_to_be_held(ledger: Ledger, root: Identity) -> None:
    _, bo, _ = conversation(ledger)
    ledger.do(DeleteUser(identity=root, user_id=bo.user.id, content="anonymise"))
    with pytest.raises(NotFound):
        held(ledger, root, "user", bo.user.id)


def test_both_acts_are_in_the_audit_log(ledger: Ledger, root: Identity) -> None:
    ana, _, thread = conversation(ledger)
    other, hold = held(ledger, root, "thread", thread.id), held(ledger, root, "user", ana.user.id)
    ledger.do(RemoveHold(identity=root, hold_id=hold.id))
    assert holds(ledger) == [other.id]
    facts = f'{{"hold":"{hold.id}","reason":"case 17"}}'
    noted = ledger.sql(
        "SELECT action, actor_id, target_kind, before, after FROM audit WHERE target_id = ?", ana.user.id
    )
    assert noted == [
        ("add_hold", root.user.id, "user", None, facts), ("remove_hold", root.user.id, "user", facts, None)
    ]  # fmt: skip


def test_who_was_an_administrator_a_moment_ago_neither_places_nor_removes_one(ledger: Ledger, root: Identity) -> None:
    ana, _, thread = conversation(ledger)
    hold = held(ledger, root, "thread", thread.id)
    former = ledger.admin("former")
    ledger.do(UpdateUser(identity=root, user_id=former.user.id, role="USER"))
    with pytest.raises(Forbidden):
        held(ledger, former, "user", ana.user.id)
    with pytest.raises(Forbidden):
        ledger.do(RemoveHold(identity=former, hold_id=hold.id))


def test_another_user_under_a_hold_keeps_nobody(ledger: Ledger, root: Identity) -> None:
    _, bo, _ = conversation(ledger)
    held(ledger, root, "user", ledger.user().user.id)
    ledger.do(DeleteUser(identity=root, user_id=bo.user.id, content="remove"))
