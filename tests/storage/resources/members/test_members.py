"""Threads and their members: who may change what, and what the log says of it."""

from typing import Any

import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.commands import Gone
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, XpError
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.members import AddMember, MarkRead, Member, MemberGone, ReadChange, RemoveMember, UpdateMember
from actors.resources.threads import CreateThread, DeleteThread, Thread, ThreadGone, UpdateThread
from actors.resources.users import UpdateUser
from storage.resources.log import reading as log
from storage.resources.threads import reading as threads
from tests.builders import Ledger, post


def add(who: Identity, thread: Thread, whom: Identity, **more: Any) -> AddMember:
    return AddMember(identity=who, thread_id=thread.id, user_id=whom.user.id, **more)


def update(who: Identity, thread: Thread, whom: Identity, **more: Any) -> UpdateMember:
    return UpdateMember(identity=who, thread_id=thread.id, user_id=whom.user.id, **more)


def remove(who: Identity, thread: Thread, whom: Identity) -> RemoveMember:
    return RemoveMember(identity=who, thread_id=thread.id, user_id=whom.user.id)


def mark(who: Identity, thread: Thread, offset: int | None = None) -> MarkRead:
    return MarkRead(identity=who, thread_id=thread.id, offset=offset)


def roles(ledger: Ledger, thread: Thread) -> dict[int, str]:
    state = ledger.state(thread)
    assert state is not None
    return dict(state.roles)


# Threads


def test_a_thread_begins_with_its_owner_and_members(ledger: Ledger) -> None:
    ana, bo, cy = ledger.user("ana"), ledger.user("bo"), ledger.user("cy")
    create = CreateThread(
        identity=ana, title="Plans", metadata='{"k":1}', members=((bo.user.id, "MEMBER"), (cy.user.id, "VIEWER"))
    )
    done = ledger.do(create)
    thread = done.result
    assert isinstance(thread, Thread)
    assert (thread.title, thread.metadata, thread.status, thread.message_count) == ("Plans", '{"k":1}', "ACTIVE", 0)
    assert thread.creator == ana.author
    assert thread.membership is not None
    assert thread.membership.role == "OWNER"
    assert roles(ledger, thread) == {ana.user.key: "OWNER", bo.user.key: "MEMBER", cy.user.key: "VIEWER"}
    assert [(e.type, e.offset) for e in done.events] == [
        ("thread.created", 1),
        ("member.added", 2),
        ("member.added", 3),
    ]
    assert thread.offset == 3
    added = done.events[1].data
    assert isinstance(added, Member)
    assert (added.user, added.role, added.thread_id) == (bo.author, "MEMBER", thread.id)


def test_the_creator_is_owner_whatever_the_request_says_of_them(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana, (ana, "VIEWER"))
    assert roles(ledger, thread) == {ana.user.key: "OWNER"}


def test_a_thread_with_an_id_of_the_clients_making(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    mine = new_id()
    create = CreateThread(identity=ana, title="T", thread_id=mine)
    made = ledger.do(create).result
    assert isinstance(made, Thread)
    assert made.id == mine
    with pytest.raises(Conflict) as caught:
        ledger.do(create)
    assert caught.value.code == "id_taken"


def test_an_unknown_or_deactivated_first_member_refuses_the_whole_thread(ledger: Ledger) -> None:
    root, ana, bo = ledger.admin("root"), ledger.user("ana"), ledger.user("bo")
    ledger.do(UpdateUser(identity=root, user_id=bo.user.id, status="DEACTIVATED"))
    before = ledger.dump()
    for member, error in ((new_id(), NotFound), (bo.user.id, Conflict)):
        with pytest.raises(error):
            ledger.do(CreateThread(identity=ana, title="T", members=((member, "MEMBER"),)))
    assert ledger.dump() == before


def test_changing_a_thread(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    change = UpdateThread(identity=ana, thread_id=thread.id, title="New", status="ARCHIVED", if_version=1)
    done = ledger.do(change)
    changed = done.result
    assert isinstance(changed, Thread)
    assert (changed.title, changed.status, changed.version) == ("New", "ARCHIVED", 2)
    assert [event.type for event in done.events] == ["thread.updated"]
    assert ledger.ask(threads.one, ana, thread.id) == changed
    with pytest.raises(PreconditionFailed, match="names version 1, the current one is 2"):
        ledger.do(change)


def test_a_change_that_changes_nothing_is_no_event(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana, title="Same")
    before = ledger.dump()
    done = ledger.do(UpdateThread(identity=ana, thread_id=thread.id, title="Same", status="ACTIVE"))
    assert done.events == ()
    assert done.result == thread
    assert ledger.dump() == before


def test_what_an_event_says_of_a_thread_is_what_the_log_says(ledger: Ledger) -> None:
    """Live and replayed, subscribers get the same."""
    ana = ledger.user("ana")
    events = ledger.do(CreateThread(identity=ana, title="T")).events
    thread_id = events[0].thread_id
    (replayed,) = ledger.ask(log.after_offset, ana, thread_id, 0, limit=1).events
    assert (events[0].type, events[0].offset, events[0].position) == (replayed.type, replayed.offset, replayed.position)
    live, stored = events[0].data, replayed.data
    assert isinstance(live, Thread)
    assert isinstance(stored, Thread)
    assert (live.title, live.status, live.version, live.offset) == (
        stored.title, stored.status, stored.version, stored.offset,
    )  # fmt: skip
    changed = ledger.do(UpdateThread(identity=ana, thread_id=thread_id, title="New")).events[0].data
    (replayed,) = ledger.ask(log.after_offset, ana, thread_id, 1, limit=1).events
    assert isinstance(changed, Thread)
    assert isinstance(replayed.data, Thread)
    assert (changed.title, changed.offset) == (replayed.data.title, replayed.data.offset)


def test_the_end_of_a_large_thread_is_told_to_all_its_members(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NOTIFIED_AT_ONCE", 2)
    ana, *others = [ledger.user() for _ in range(7)]
    thread, other = ledger.thread(ana, *others), ledger.thread(ana, *others)
    told = list(ledger.do(DeleteThread(identity=ana, thread_id=thread.id)).user_events)
    assert [event.user_key for event in told] == [ana.user.key], "the owners"
    small = ledger.thread(ana, others[0])
    assert len(ledger.do(DeleteThread(identity=ana, thread_id=small.id)).user_events) == 2
    for step, count in ((small.id, 0), (thread.id, 3), (None, 3), (thread.id, 0), (None, 0)):  # broken off in between
        done = ledger.do(commands.NotifyThreadDeleted(thread_id=step, rows=3))
        assert done.result == len(done.user_events) == count
        told += done.user_events
    assert sorted(event.user_key for event in told) == [who.user.key for who in (ana, *others)]
    assert {(event.type, str(event.data)) for event in told} == {
        ("thread.left", str({"thread_id": thread.id, "reason": "deleted"}))
    }
    assert len(roles(ledger, other)) == 7


def test_a_thread_is_deleted_for_everybody_at_once(ledger: Ledger) -> None:
    ana, bo, root = ledger.user("ana"), ledger.user("bo"), ledger.admin("root")
    thread = ledger.thread(ana, bo, title="secret title")
    ledger.post(ana, thread, "secret")
    delete = DeleteThread(identity=ana, thread_id=thread.id)
    done = ledger.do(delete)
    assert done.result == Gone(thread.id)
    assert [(event.type, event.data) for event in done.events] == [("thread.deleted", ThreadGone(thread.id))]
    assert ledger.state(thread) is None
    for who in (ana, bo, root):
        with pytest.raises(NotFound):
            ledger.ask(threads.one, who, thread.id)
        with pytest.raises(NotFound):
            ledger.ask(log.after_offset, who, thread.id, 0, limit=9)
    with pytest.raises(NotFound):
        ledger.do(delete)
    assert ledger.one("SELECT title FROM thread") == ""


@pytest.mark.parametrize("role", ["MEMBER", "VIEWER", None])
def test_only_owners_and_admins_manage(ledger: Ledger, role: Any) -> None:
    ana, bo, cy, root = ledger.user("ana"), ledger.user("bo"), ledger.user("cy"), ledger.admin("root")
    thread = ledger.thread(ana, *([(bo, role)] if role else []))
    refused = Forbidden if role else NotFound
    for attempt in (
        UpdateThread(identity=bo, thread_id=thread.id, title="mine now"),
        DeleteThread(identity=bo, thread_id=thread.id),
        add(bo, thread, cy),
        update(bo, thread, ana, role="VIEWER"),
        remove(bo, thread, ana),
    ):
        before = ledger.dump()
        with pytest.raises(refused):
            ledger.do(attempt)
        assert ledger.dump() == before
    ledger.do(UpdateThread(identity=root, thread_id=thread.id, title="by an admin"))
    ledger.do(add(root, thread, cy))
    assert roles(ledger, thread)[cy.user.key] == "MEMBER"


# Members


def test_a_newcomer_has_nothing_unread(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana)
    for _ in range(3):
        ledger.post(ana, thread)
    done = ledger.do(add(ana, thread, bo, role="VIEWER"))
    member = done.result
    assert isinstance(member, Member)
    assert (member.role, member.last_read_number) == ("VIEWER", 3)
    assert [event.type for event in done.events] == ["member.added"]
    assert done.events[0].data == member
    ledger.post(ana, thread)
    assert ledger.ask(threads.one, bo, thread.id).message_count - ledger.member(bo, thread).last_read_number == 1


def test_adding_twice_and_adding_nobody(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    with pytest.raises(Conflict) as caught:
        ledger.do(add(ana, thread, bo))
    assert caught.value.code == "already_member"
    with pytest.raises(NotFound):
        ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=new_id()))


def test_a_thread_takes_only_so_many_members(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMBERS_PER_THREAD", 2)
    ana, bo, cy = ledger.user("ana"), ledger.user("bo"), ledger.user("cy")
    thread = ledger.thread(ana, bo)
    with pytest.raises(Conflict, match="at most 2 members"):
        ledger.do(add(ana, thread, cy))


def test_giving_a_role(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    done = ledger.do(update(ana, thread, bo, role="VIEWER", if_version=1))
    member = done.result
    assert isinstance(member, Member)
    assert (member.role, member.version) == ("VIEWER", 2)
    assert [(event.type, event.data) for event in done.events] == [("member.updated", member)]
    with pytest.raises(PreconditionFailed):
        ledger.do(update(ana, thread, bo, role="MEMBER", if_version=1))
    assert ledger.do(update(ana, thread, bo, role="VIEWER")).events == ()


def test_muting_is_ones_own(ledger: Ledger) -> None:
    ana, bo, cy = ledger.user("ana"), ledger.user("bo"), ledger.user("cy")
    thread = ledger.thread(ana, (bo, "VIEWER"), cy)
    muted = ledger.do(update(bo, thread, bo, muted=True)).result
    assert isinstance(muted, Member)
    assert muted.muted is True
    with pytest.raises(Forbidden):
        ledger.do(update(bo, thread, bo, muted=False, role="OWNER"))
    with pytest.raises(Forbidden):
        ledger.do(update(cy, thread, bo, muted=False))


def test_the_last_owner_stays(ledger: Ledger) -> None:
    ana, bo, root = ledger.user("ana"), ledger.user("bo"), ledger.admin("root")
    thread = ledger.thread(ana, bo)
    for attempt in (update(ana, thread, ana, role="MEMBER"), remove(ana, thread, ana), remove(root, thread, ana)):
        with pytest.raises(Conflict) as caught:
            ledger.do(attempt)
        assert caught.value.code == "last_owner"
    ledger.do(update(ana, thread, bo, role="OWNER"))
    ledger.do(remove(ana, thread, ana))
    assert roles(ledger, thread) == {bo.user.key: "OWNER"}


def test_leaving_and_being_removed(ledger: Ledger) -> None:
    ana, bo, cy = ledger.user("ana"), ledger.user("bo"), ledger.user("cy")
    thread = ledger.thread(ana, (bo, "VIEWER"), cy)
    done = ledger.do(remove(bo, thread, bo))
    assert done.result == Gone(bo.user.id)
    assert [(event.type, event.data) for event in done.events] == [("member.removed", MemberGone(bo.author))]
    with pytest.raises(Forbidden):
        ledger.do(remove(cy, thread, ana))
    ledger.do(remove(ana, thread, cy))
    assert roles(ledger, thread) == {ana.user.key: "OWNER"}
    for who in (bo, cy):
        with pytest.raises(NotFound):
            ledger.ask(threads.one, who, thread.id)
        with pytest.raises(NotFound):
            ledger.post(who, thread)
    with pytest.raises(NotFound):
        ledger.do(remove(ana, thread, cy))


def test_coming_back(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    ledger.do(remove(ana, thread, bo))
    ledger.post(ana, thread)
    ledger.do(add(ana, thread, bo))
    assert ledger.member(bo, thread).last_read_number == 1
    assert ledger.post(bo, thread).number == 2


# What was read


def test_the_marker_moves_to_a_message_and_never_back(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    sent = [ledger.post(ana, thread, f"{n}") for n in range(4)]
    done = ledger.do(mark(bo, thread, sent[1].offset))
    member = done.result
    assert isinstance(member, Member)
    assert (member.last_read_offset, member.last_read_number) == (sent[1].offset, 2)
    (event,) = done.events
    assert event.type == "read.updated"
    assert event.data == ReadChange(bo.author, sent[1].offset, 2)
    assert ledger.ask(log.after_offset, bo, thread.id, event.offset - 1, limit=1).events == (event,)
    before = ledger.dump()
    back = ledger.do(mark(bo, thread, sent[0].offset))
    assert back.events == ()
    assert ledger.dump() == before
    head = ledger.do(mark(bo, thread)).result
    assert isinstance(head, Member)
    assert head.last_read_number == 4


def test_the_marker_stops_at_the_newest_message(ledger: Ledger) -> None:
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    message = ledger.post(ana, thread)
    ledger.do(mark(bo, thread, 10**9))
    assert ledger.member(bo, thread).last_read_offset == message.offset
    ledger.post(ana, thread)
    assert ledger.member(bo, thread).last_read_number == 1


def test_an_empty_thread_has_nothing_to_read(ledger: Ledger) -> None:
    ana = ledger.user("ana")
    thread = ledger.thread(ana)
    assert ledger.do(mark(ana, thread)).events == ()


def test_who_is_no_member_has_no_marker(ledger: Ledger) -> None:
    ana, stranger, root = ledger.user("ana"), ledger.user("stranger"), ledger.admin("root")
    thread = ledger.thread(ana)
    ledger.post(ana, thread)
    for who in (stranger, root):
        with pytest.raises(NotFound):
            ledger.do(mark(who, thread))


def test_rights_are_looked_at_inside_the_transaction(ledger: Ledger) -> None:
    """What an actor knew may be a moment old: the one removed in this batch writes no more in it."""
    ana, bo = ledger.user("ana"), ledger.user("bo")
    thread = ledger.thread(ana, bo)
    outcomes: list[Done | XpError] = list(
        ledger.apply(post(bo, thread), remove(ana, thread, bo), post(bo, thread), mark(bo, thread))
    )
    assert [type(outcome) for outcome in outcomes] == [Done, Done, NotFound, NotFound]
