"""Memory in the store: merged, checked and written in one, with a version of its own."""

import json
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, ValidationFailed
from actors.events import EventKind, UnknownEventKind
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.members import AddMember, RemoveMember
from actors.resources.memory import Memory, ReplaceMemory, UpdateMemory
from actors.resources.messages import DeleteMessage
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from storage.journal.transaction import Transaction
from storage.resources import memory
from storage.resources.threads import reading as threads
from tests.builders import Ledger, once


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana)


def replace(who: Identity, thread: Thread, document: Any, **more: Any) -> ReplaceMemory:
    return ReplaceMemory(identity=who, thread_id=thread.id, memory=json.dumps(document), **more)


def update(who: Identity, thread: Thread, patch: Any, **more: Any) -> UpdateMemory:
    return UpdateMemory(identity=who, thread_id=thread.id, patch=json.dumps(patch), **more)


def known(ledger: Ledger, thread: Thread) -> tuple[Any, int]:
    """(memory, version)."""
    found, _ = ledger.ask(memory.one, ledger.admin("root"), thread.id)
    return json.loads(found.content), found.version


def refused(ledger: Ledger, command: Any) -> Any:
    before = ledger.dump()
    with pytest.raises(ValidationFailed) as caught:
        ledger.do(command)
    assert ledger.dump() == before
    return caught.value.field_errors


def test_a_new_thread_knows_nothing(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    assert ledger.ask(memory.one, ana, thread.id) == (Memory(thread.id, "{}", 1), 1)


def test_replacing_and_merging(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    done = ledger.do(replace(ana, thread, {"facts": ["a"], "mine": {"x": 1, "y": 2}}))
    (event,) = done.events
    assert (event.type, event.offset, event.actor) == ("memory.updated", 2, ana.author)
    assert event.data == done.result == Memory(thread.id, '{"facts":["a"],"mine":{"x":1,"y":2}}', 2)
    ledger.do(update(ana, thread, {"mine": {"x": None}, "summary": "s"}))
    assert known(ledger, thread) == ({"facts": ["a"], "mine": {"y": 2}, "summary": "s"}, 3)
    ledger.do(replace(ana, thread, {}))
    assert known(ledger, thread) == ({}, 4)


def test_the_threads_own_version_stays(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.do(replace(ana, thread, {"n": 1}))
    now = ledger.ask(threads.one, ana, thread.id)
    assert (now.version, now.updated_at) == (thread.version, thread.updated_at)
    assert (now.parts, now.offset) == ((Memory(thread.id, '{"n":1}', 2),), 2)
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, title="Other"))
    assert known(ledger, thread) == ({"n": 1}, 2)


@pytest.mark.parametrize(
    "same", [{"a": {"x": 1, "y": [2.5]}, "b": True}, {"b": True, "a": {"y": [2.5], "x": 1}}]
)  # fmt: skip
def test_what_changes_nothing_is_no_event(ledger: Ledger, ana: Identity, thread: Thread, same: Any) -> None:
    ledger.do(replace(ana, thread, {"a": {"x": 1, "y": [2.5]}, "b": True}))
    before = ledger.dump()
    for command in (replace(ana, thread, same), update(ana, thread, same), update(ana, thread, {}),
                    update(ana, thread, {"c": None})):  # fmt: skip
        done = ledger.do(command)
        assert (done.events, done.result.version) == ((), 2)  # type: ignore[attr-defined]
    assert ledger.dump() == before


@pytest.mark.parametrize("other", [{"a": 1.0}, {"a": True}, {"a": "1"}, {"a": [1]}])
def test_values_that_python_takes_for_equal_differ(ledger: Ledger, ana: Identity, thread: Thread, other: Any) -> None:
    ledger.do(replace(ana, thread, {"a": 1}))
    assert ledger.do(replace(ana, thread, other)).events


def test_who_may(ledger: Ledger, ana: Identity) -> None:
    member, assistant, viewer = ledger.user("member"), ledger.user("bot", kind="ASSISTANT"), ledger.user("viewer")
    stranger, root = ledger.user("stranger"), ledger.admin("root")
    thread = ledger.thread(ana, member, assistant, (viewer, "VIEWER"))
    for n, who in enumerate((ana, member, assistant)):
        assert ledger.do(update(who, thread, {"n": n})).events
        assert ledger.do(replace(who, thread, {"m": n})).events
    for make in (update, replace):
        for who in (viewer, root):
            with pytest.raises(Forbidden) as caught:
                ledger.do(make(who, thread, {"n": 9}))
            assert caught.value.code == "not_a_writer"
        with pytest.raises(NotFound):
            ledger.do(make(stranger, thread, {"n": 9}))
    for who in (ana, viewer, root):
        assert ledger.ask(memory.one, who, thread.id)[0].version == 7
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    for make in (update, replace):
        with pytest.raises(Conflict) as closed:
            ledger.do(make(ana, thread, {"n": 9}))
        assert closed.value.code == "thread_closed"
    assert ledger.ask(memory.one, viewer, thread.id)[0].version == 7, "reading goes on"


def test_a_version_that_is_no_more(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.do(replace(ana, thread, {"n": 1}, if_version=1))
    for make in (update, replace):
        with pytest.raises(PreconditionFailed, match="version 1, the current one is 2"):
            ledger.do(make(ana, thread, {"n": 2}, if_version=1))
    assert ledger.do(update(ana, thread, {"n": 2}, if_version=2)).events


def test_of_writers_in_one_batch_none_undoes_another(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    outcomes = ledger.apply(
        *(update(ana, thread, {f"k{n}": n}) for n in range(5)),
        *(update(ana, thread, {"won": n}, if_version=6) for n in range(3)),
    )
    assert [type(outcome) for outcome in outcomes] == [Done] * 6 + [PreconditionFailed] * 2
    assert known(ledger, thread) == ({"k0": 0, "k1": 1, "k2": 2, "k3": 3, "k4": 4, "won": 0}, 7)


def test_what_it_becomes_is_checked(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    """A patch may be good, and what it makes of the memory not."""
    ledger.do(replace(ana, thread, {"summary": "s", "summary_up_to": 1}))
    assert refused(ledger, update(ana, thread, {"summary": None})).keys() == {"memory.summary_up_to"}
    assert refused(ledger, update(ana, thread, {"facts": {"0": "x"}})).keys() == {"memory.facts"}
    assert refused(ledger, update(ana, thread, {"summary_up_to": 3})) == {
        "memory.summary_up_to": ["expected an offset of the thread's log, 0 to 2."]
    }
    ledger.do(update(ana, thread, {"summary": None, "summary_up_to": None}))
    assert known(ledger, thread) == ({}, 3)


def test_how_much_it_may_hold(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    room = limits.MEMORY_BYTES - len('{"a":"","b":""}')
    ledger.do(replace(ana, thread, {"a": "x" * 40_000}))
    ledger.do(update(ana, thread, {"b": "x" * (room - 40_000)}))
    (sentence,) = refused(ledger, update(ana, thread, {"b": "x" * (room - 39_999)}))["memory"]
    assert sentence == f"may be at most {limits.MEMORY_BYTES} bytes as JSON, it would have {limits.MEMORY_BYTES + 1}."
    ledger.do(update(ana, thread, {"a": None, "b": "é" * 30_000}))
    assert refused(ledger, update(ana, thread, {"b": "é" * 33_000})).keys() == {"memory"}, "bytes, not characters"


def test_pins_are_messages_of_this_thread(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    here, deleted = ledger.post(ana, thread), ledger.post(ana, thread)
    elsewhere, nowhere = ledger.post(ana, ledger.thread(ana)), new_id()
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=deleted.id))
    ledger.do(replace(ana, thread, {"pins": [deleted.id, here.id]}))
    errors = refused(ledger, replace(ana, thread, {"pins": [here.id, elsewhere.id, nowhere]}))
    sentence = ["There is no such message in this thread."]
    assert errors == {"memory.pins.1": sentence, "memory.pins.2": sentence}


def test_a_retry_is_answered_with_the_memory_as_it_is(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    bo = ledger.user("bo")
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    first = ledger.do(replace(bo, thread, {"n": 1}, once=once()))
    again = ledger.do(replace(bo, thread, {"n": 1}, once=once()))
    assert (again.result, again.replayed, again.events) == (first.result, True, ())
    ledger.do(update(ana, thread, {"n": 2}))
    again = ledger.do(replace(bo, thread, {"n": 1}, once=once()))
    assert again.result == Memory(thread.id, '{"n":2}', 3)
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    with pytest.raises(NotFound):
        ledger.do(replace(bo, thread, {"n": 1}, once=once()))


def test_a_deleted_thread_forgets(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.do(replace(ana, thread, {"secret": "x"}))
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert ledger.one("SELECT memory FROM thread") == "{}"
    with pytest.raises(NotFound):
        ledger.ask(memory.one, ana, thread.id)
    with pytest.raises(NotFound):
        ledger.do(update(ana, thread, {"n": 1}))


def test_no_entry_is_of_an_unknown_kind(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    """The table takes any text; the code that writes does not."""
    moved = EventKind("thread.moved", Thread, "thread")
    with pytest.raises(UnknownEventKind, match=r"got 'thread\.moved'"):
        Transaction(ledger.store.database, 1).log((thread.key, thread.id), moved, ana.author, thread)
