"""Threads in the store: what a change does to one of them, and how its members learn of its end."""

from typing import Any

import orjson
import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.commands import NotifyThreadDeleted
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from actors.outcomes import Done
from actors.resources.holds import AddHold
from actors.resources.memory import ReplaceMemory
from actors.resources.threads import ControlChange, CreateThread, DeleteThread, HandOver, Thread, UpdateThread
from actors.resources.users import DeleteUser, EraseContent
from storage.journal import transaction
from storage.resources.log import reading as log
from storage.resources.threads import reading as threads
from tests.builders import Ledger

NOW = 1_900_000_000_000


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo)


@pytest.fixture
def other(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, bo, title="Other")


def row(ledger: Ledger, thread: Thread) -> tuple[Any, ...]:
    return tuple(ledger.sql("SELECT * FROM thread WHERE id = ?", thread.key)[0])


def members(ledger: Ledger, thread: Thread) -> set[int]:
    return {key for (key,) in ledger.sql("SELECT user_id FROM member WHERE thread_id = ?", thread.key)}


def left(done: Done[Any]) -> set[int]:
    """Whose own logs say that they have left the thread."""
    assert {event.type for event in done.user_events} <= {"thread.left"}
    return {event.user_key for event in done.user_events}


def keys(*people: Identity) -> set[int]:
    return {who.user.key for who in people}


def test_whom_its_creator_brings_along_hears_of_it(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    before = {event.user_key for event in ledger.do(CreateThread(identity=ana, title="T")).user_events}
    done = ledger.do(CreateThread(identity=ana, title="T", members=((bo.user.id, "VIEWER"),)))
    assert before == set()
    assert [(event.type, event.user_key) for event in done.user_events] == [
        ("thread.joined", bo.user.key), ("notification.created", bo.user.key)
    ]  # fmt: skip
    assert done.user_events[0].data == {"thread_id": done.result.id, "role": "VIEWER"}


def test_an_update_is_of_one_thread(
    ledger: Ledger, ana: Identity, thread: Thread, other: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    before = row(ledger, other)
    done = ledger.do(UpdateThread(identity=ana, thread_id=thread.id, metadata='{"a":1}', while_streaming="reject"))
    found = ledger.ask(threads.one, ana, thread.id)
    assert done.result == found
    assert (found.title, found.metadata, found.while_streaming, found.version, found.updated_at) == (
        "T", '{"a":1}', "reject", 2, NOW
    )  # fmt: skip
    assert row(ledger, other) == before
    assert ledger.one("SELECT count(*) FROM audit WHERE action = 'update_thread'") == 0


def test_an_administrator_changes_a_thread_of_others_by_the_audit_log(
    ledger: Ledger, root: Identity, thread: Thread
) -> None:
    ledger.do(UpdateThread(identity=root, thread_id=thread.id, title="New", status="ACTIVE"))
    noted = ledger.sql("SELECT target_id, before, after FROM audit WHERE action = 'update_thread'")
    assert noted == [(thread.id, '{"title":"T"}', '{"title":"New"}')]


def test_control_is_handed_over_by_who_may_write(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity, thread: Thread, other: Thread
) -> None:
    before = row(ledger, other)
    done = ledger.do(HandOver(identity=bo, thread_id=thread.id, control="human", reason="asked for"))
    found = ledger.ask(threads.one, bo, thread.id)
    assert (done.result, found.control, found.version) == (found, "human", 1)
    (event,) = done.events
    assert (event.type, event.data) == ("control.changed", ControlChange("human", "shared", "asked for"))
    assert ledger.ask(log.after_offset, ana, thread.id, event.offset - 1, limit=9).events == (event,)
    assert ledger.do(HandOver(identity=ana, thread_id=thread.id, control="human", reason="again")).events == ()
    back = ledger.do(HandOver(identity=ana, thread_id=thread.id, control="bot")).events[0].data
    assert back == ControlChange("bot", "human", "")
    assert row(ledger, other) == before
    viewers = ledger.thread(ana, (bo, "VIEWER"))
    for who, where, error in (
        (bo, viewers, Forbidden), (root, thread, Forbidden), (ledger.user(), thread, NotFound)
    ):  # fmt: skip
        with pytest.raises(error):
            ledger.do(HandOver(identity=who, thread_id=where.id, control="shared"))
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    with pytest.raises(Conflict):
        ledger.do(HandOver(identity=ana, thread_id=thread.id, control="shared"))


@pytest.mark.parametrize("looked_at", [1, 2, 100])
def test_why_one_has_handed_over_goes_with_what_they_wrote(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity, thread: Thread, looked_at: int
) -> None:
    """Wherever it stands between messages; what others gave as a reason stays."""
    for who, control in ((bo, "human"), (ana, "shared"), (bo, "bot"), (bo, "human"), (ana, "shared"), (bo, "bot")):
        ledger.do(HandOver(identity=who, thread_id=thread.id, control=control, reason=f"as {who.user.name} wishes"))
        ledger.post(who, thread)
    ledger.do(HandOver(identity=bo, thread_id=thread.id, control="human", reason="as bo wishes"))
    ledger.do(DeleteUser(identity=root, user_id=bo.user.id, content="remove"))
    while ledger.do(EraseContent(rows=1, looked_at=looked_at)).result:
        pass
    page = ledger.ask(log.after_offset, ana, thread.id, 0, limit=99)
    assert [event.data for event in page.events if event.type == "control.changed"] == [
        ControlChange("human", "shared", ""), ControlChange("shared", "human", "as ana wishes"),
        ControlChange("bot", "shared", ""), ControlChange("human", "bot", ""),
        ControlChange("shared", "human", "as ana wishes"), ControlChange("bot", "shared", ""),
        ControlChange("human", "bot", ""),
    ]  # fmt: skip
    assert "bo wishes" not in str(ledger.sql("SELECT data FROM event"))


def test_a_deleted_thread_says_nothing_any_more(
    ledger: Ledger, ana: Identity, bo: Identity, other: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = CreateThread(identity=ana, title="secret", metadata='{"a":1}', members=((bo.user.id, "MEMBER"),))
    thread = ledger.do(created).result
    ledger.do(ReplaceMemory(identity=ana, thread_id=thread.id, memory='{"a":1}'))
    ledger.post(ana, thread)
    before = row(ledger, other)
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    with pytest.raises(PreconditionFailed):
        ledger.do(DeleteThread(identity=ana, thread_id=thread.id, if_version=2))
    done = ledger.do(DeleteThread(identity=ana, thread_id=thread.id, if_version=1))
    assert left(done) == keys(ana, bo)
    assert {orjson.dumps(event.data) for event in done.user_events} == {
        orjson.dumps({"thread_id": thread.id, "reason": "deleted"})
    }
    columns = "deleted_at, title, metadata, memory"
    assert ledger.sql(f"SELECT {columns} FROM thread WHERE id = ?", thread.key) == [(NOW, "", "{}", "{}")]
    assert row(ledger, other) == before
    noted = ledger.sql("SELECT target_id, before, after FROM audit WHERE action = 'delete_thread'")
    assert noted == [(thread.id, '{"message_count":1}', None)]


@pytest.mark.parametrize("at_once", [2, 3])
def test_few_members_hear_of_its_end_with_it_and_stay_in_its_rows(
    ledger: Ledger, ana: Identity, bo: Identity, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "NOTIFIED_AT_ONCE", at_once)
    cy = ledger.user()
    thread = ledger.thread(ana, bo, cy)
    done = ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    is_few = at_once == 3
    assert left(done) == (keys(ana, bo, cy) if is_few else keys(ana))
    assert members(ledger, thread) == (keys(ana, bo, cy) if is_few else keys(bo, cy))
    rest = ledger.do(NotifyThreadDeleted(thread_id=thread.id))
    assert (rest.result, left(rest)) == ((0, set()) if is_few else (2, keys(bo, cy)))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """All threads have many members."""
    monkeypatch.setattr(limits, "NOTIFIED_AT_ONCE", 0)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("part", [1, 2, 3])
def test_memberships_end_in_bounded_statements(
    ledger: Ledger, ana: Identity, other: Thread, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBERSHIPS_ENDED", part)
    people = [ledger.user() for _ in range(5)]
    thread, kept = ledger.thread(ana, *people), members(ledger, other)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    for count, still in ((3, 2), (2, 0), (0, 0)):
        done = ledger.do(NotifyThreadDeleted(thread_id=thread.id, rows=3))
        assert (done.result, len(done.user_events), len(members(ledger, thread))) == (count, count, still)
    assert members(ledger, other) == kept


@pytest.mark.usefixtures("few")
def test_a_held_member_hears_of_it_with_the_owners_and_stays(
    ledger: Ledger, root: Identity, ana: Identity, bo: Identity
) -> None:
    cy, owner = ledger.user(), ledger.user()
    for who in (bo, owner):
        ledger.do(AddHold(identity=root, kind="user", target_id=who.user.id, reason="a case"))
    thread = ledger.thread(ana, bo, cy, (owner, "OWNER"))
    done = ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert left(done) == keys(ana, bo, owner)
    assert members(ledger, thread) == keys(bo, cy, owner)
    assert left(ledger.do(NotifyThreadDeleted())) == keys(cy)
    assert members(ledger, thread) == keys(bo, owner)
    assert ledger.do(NotifyThreadDeleted(thread_id=thread.id)).result == 0


@pytest.mark.usefixtures("few")
def test_of_several_threads_that_named_is_gone_on_with(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    first, second = ledger.thread(ana, bo), ledger.thread(ana, bo)
    for thread in (first, second):
        ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert ledger.do(NotifyThreadDeleted(thread_id=second.id)).result == 1
    assert (members(ledger, first), members(ledger, second)) == (keys(bo), set())
