"""What a change of a member does: to their row alone, to logs, and to the audit log where others intervene."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Forbidden, NotFound, PreconditionFailed
from actors.outcomes import Done
from actors.resources.members import AddMember, MarkRead, Member, MemberRole, RemoveMember, UpdateMember
from actors.resources.notifications import MarkUnread, UpdatePreferences
from actors.resources.threads import Thread
from tests.builders import Ledger


@pytest.fixture
def cy(ledger: Ledger) -> Identity:
    return ledger.user("cy")


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    """Ana's; Bo is a member, there and in another one."""
    ledger.thread(ana, bo)
    return ledger.thread(ana, bo)


def add(ledger: Ledger, who: Identity, thread: Thread, whom: Identity, role: MemberRole = "MEMBER", **more: Any) -> Any:
    return ledger.do(AddMember(identity=who, thread_id=thread.id, user_id=whom.user.id, role=role, **more))


def update(ledger: Ledger, who: Identity, thread: Thread, whom: Identity, **more: Any) -> Any:
    return ledger.do(UpdateMember(identity=who, thread_id=thread.id, user_id=whom.user.id, **more))


def remove(ledger: Ledger, who: Identity, thread: Thread, whom: Identity, **more: Any) -> Any:
    return ledger.do(RemoveMember(identity=who, thread_id=thread.id, user_id=whom.user.id, **more))


def mark(ledger: Ledger, who: Identity, thread: Thread, offset: int | None = None) -> Any:
    return ledger.do(MarkRead(identity=who, thread_id=thread.id, offset=offset))


def mark_back(ledger: Ledger, who: Identity, thread: Thread, offset: int) -> Any:
    """To before the message at an offset."""
    return ledger.do(MarkUnread(identity=who, thread_id=thread.id, offset=offset))


def hide_marker(ledger: Ledger, who: Identity) -> None:
    ledger.do(UpdatePreferences(identity=who, show_read=False))


def others(ledger: Ledger, thread: Thread, who: Identity) -> list[tuple[Any, ...]]:
    """All rows but one."""
    return ledger.sql("SELECT * FROM member WHERE thread_id <> ? OR user_id <> ?", thread.key, who.user.key)


def marker(ledger: Ledger, thread: Thread, who: Identity) -> tuple[int, int, int]:
    """(offset, number, how many of one's own are after it)."""
    columns = "last_read_offset, last_read_number, own_after"
    (found,) = ledger.sql(f"SELECT {columns} FROM member WHERE thread_id = ? AND user_id = ?", thread.key, who.user.key)
    return found[0], found[1], found[2]


def told(done: Done[Any]) -> list[tuple[str, int]]:
    return [(event.type, event.user_key) for event in done.user_events]


def audited(ledger: Ledger) -> list[tuple[Any, ...]]:
    return ledger.sql("SELECT action, actor_id, target_id, before, after FROM audit ORDER BY id")


# Added


def test_a_newcomer_hears_of_it_and_only_an_intervention_is_audited(
    ledger: Ledger, ana: Identity, root: Identity, cy: Identity, thread: Thread
) -> None:
    done = add(ledger, ana, thread, cy, "VIEWER")
    assert told(done) == [("thread.joined", cy.user.key), ("notification.created", cy.user.key)]
    assert done.user_events[0].data == {"thread_id": thread.id, "role": "VIEWER"}
    assert audited(ledger) == []
    assert told(add(ledger, root, thread, root)) == [], "who adds themselves knows"
    dee = ledger.user()
    add(ledger, root, thread, dee)
    facts = f'{{"role":"MEMBER","user_id":"{dee.user.id}"}}'
    assert audited(ledger)[-1] == ("add_member", root.user.id, thread.id, None, facts)


def test_who_does_not_show_their_marker_sees_it_themselves(
    ledger: Ledger, ana: Identity, root: Identity, thread: Thread
) -> None:
    message = ledger.post(ana, thread)
    hide_marker(ledger, root)
    done = add(ledger, root, thread, root)
    (shown,) = (event.data for event in done.events)
    assert (shown.last_read_offset, shown.last_read_number) == (0, 0)
    assert (done.result.last_read_offset, done.result.last_read_number) == (message.offset, 1)


def test_room_is_counted_in_each_thread(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBERS_PER_THREAD", 3)
    assert isinstance(add(ledger, ana, thread, cy).result, Member)


def test_an_invitation_is_sent_where_it_is_asked_for(
    ledger: Ledger, ana: Identity, cy: Identity, thread: Thread
) -> None:
    add(ledger, ana, thread, ledger.user())
    assert ledger.sql("SELECT * FROM letter") == []
    add(ledger, ana, thread, cy, invite=True)
    assert ledger.sql("SELECT user_id, inviter_id, thread_id FROM letter") == [
        (cy.user.key, ana.user.key, thread.key)
    ]  # fmt: skip


# Changed


def test_a_role_is_of_one_member_in_one_thread(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity, thread: Thread
) -> None:
    before = others(ledger, thread, bo)
    done = update(ledger, ana, thread, bo, role="VIEWER")
    assert (done.result.role, done.result.version, done.user_events) == ("VIEWER", 2, ())
    assert others(ledger, thread, bo) == before
    assert audited(ledger) == []
    update(ledger, root, thread, bo, role="MEMBER")
    was, is_now = (f'{{"role":"{role}","user_id":"{bo.user.id}"}}' for role in ("VIEWER", "MEMBER"))
    assert audited(ledger) == [("update_member", root.user.id, thread.id, was, is_now)]


def test_to_mute_is_told_to_ones_own_devices(ledger: Ledger, bo: Identity, thread: Thread) -> None:
    before = others(ledger, thread, bo)
    done = update(ledger, bo, thread, bo, muted=True)
    assert told(done) == [("preferences.updated", bo.user.key)]
    assert done.user_events[0].data == {"thread_id": thread.id, "notify": None, "muted": True}
    assert others(ledger, thread, bo) == before
    again = update(ledger, bo, thread, bo, muted=True)
    assert (again.result, again.events, again.user_events) == (done.result, (), ())
    assert audited(ledger) == []


def test_nobody_mutes_for_others(ledger: Ledger, ana: Identity, bo: Identity, root: Identity, thread: Thread) -> None:
    for who in (ana, root):
        with pytest.raises(Forbidden, match="only for yourself"):
            update(ledger, who, thread, bo, muted=True)
    assert update(ledger, ana, thread, ana, muted=True).result.muted
    with pytest.raises(NotFound, match="member"):
        update(ledger, root, thread, root, muted=True)


def test_one_keeps_seeing_ones_hidden_marker_and_others_do_not(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    message = ledger.post(bo, thread)
    hide_marker(ledger, bo)
    done = update(ledger, bo, thread, bo, muted=True)
    (shared,) = (event.data for event in done.events)
    assert (done.result.last_read_offset, shared.last_read_offset) == (message.offset, 0)
    same = update(ledger, bo, thread, bo, muted=True)
    assert same.result.last_read_offset == message.offset
    assert update(ledger, ana, thread, bo, role="VIEWER").result.last_read_offset == 0


# Removed


def test_a_removal_takes_one_member_out_of_one_thread(
    ledger: Ledger, ana: Identity, bo: Identity, root: Identity, cy: Identity, thread: Thread
) -> None:
    for who in (cy, root):
        add(ledger, ana, thread, who)
    before = others(ledger, thread, bo)
    with pytest.raises(PreconditionFailed):
        remove(ledger, ana, thread, bo, if_version=2)
    done = remove(ledger, ana, thread, bo, if_version=1)
    assert told(done) == [("thread.left", bo.user.key)]
    assert done.user_events[0].data == {"thread_id": thread.id, "reason": "removed"}
    assert others(ledger, thread, bo) == before
    assert ledger.sql("SELECT * FROM member WHERE thread_id = ? AND user_id = ?", thread.key, bo.user.key) == []
    remove(ledger, cy, thread, cy)
    assert audited(ledger) == [], "by an owner, and by oneself"
    add(ledger, ana, thread, cy)
    remove(ledger, root, thread, cy)
    facts = f'{{"user_id":"{cy.user.id}"}}'
    assert audited(ledger) == [("remove_member", root.user.id, thread.id, facts, None)]


# Markers


def test_ones_own_log_says_how_far_one_has_read(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    add(ledger, ana, thread, cy)
    first, *_ = (ledger.post(ana, thread) for _ in range(3))
    before = others(ledger, thread, bo)
    done = mark(ledger, bo, thread, first.offset)
    assert told(done) == [("notification.cancelled", bo.user.key), ("thread.read", bo.user.key)] or told(done) == [
        ("thread.read", bo.user.key), ("notification.cancelled", bo.user.key)
    ]  # fmt: skip
    assert [event.data for event in done.user_events if event.type == "thread.read"] == [{
        "thread_id": thread.id, "last_read_offset": first.offset, "last_read_number": 1, "unread_count": 2,
        "message_count": 3,
    }]  # fmt: skip
    assert others(ledger, thread, bo) == before
    logged = "SELECT data FROM event WHERE type = 'read.updated'"
    assert ledger.sql(logged) == [(f'{{"last_read_offset":{first.offset},"last_read_number":1}}',)]


def test_a_hidden_marker_moves_for_oneself_alone(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    message = ledger.post(ana, thread)
    hide_marker(ledger, bo)
    done = mark(ledger, bo, thread)
    assert done.events == ()
    assert ("thread.read", bo.user.key) in told(done)
    assert marker(ledger, thread, bo) == (message.offset, 1, 0)


def test_a_marker_goes_to_the_message_at_or_before_an_offset(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    first = ledger.post(ana, thread)
    add(ledger, ana, thread, cy)  # entries that are no messages
    second = ledger.post(ana, thread)
    ledger.post(ana, ledger.thread(ana, bo))
    for offset, expected in (
        (first.offset - 1, (0, 0)), (second.offset - 1, (first.offset, 1)), (second.offset, (second.offset, 2)),
        (second.offset + 9, (second.offset, 2)),
    ):  # fmt: skip
        mark(ledger, bo, thread, offset)
        assert marker(ledger, thread, bo)[:2] == expected


def test_the_only_way_back(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    """What is one's own after the marker is not unread."""
    sent = [ledger.post(who, thread) for who in (ana, bo, ana, bo)]
    before = others(ledger, thread, bo)
    assert marker(ledger, thread, bo) == (sent[3].offset, 4, 0)
    done = mark_back(ledger, bo, thread, sent[1].offset)
    assert (done.result.last_read_offset, done.result.last_read_number) == (sent[0].offset, 1)
    assert marker(ledger, thread, bo) == (sent[0].offset, 1, 2)
    assert [event.type for event in done.events] == ["read.updated"]
    assert [event.data["unread_count"] for event in done.user_events] == [1]
    assert others(ledger, thread, bo) == before
    again = mark_back(ledger, bo, thread, sent[1].offset)
    assert (again.result, again.events) == (done.result, ())
    forward = mark(ledger, bo, thread, sent[2].offset)
    assert marker(ledger, thread, bo) == (sent[2].offset, 3, 1)
    assert [event.data["unread_count"] for event in forward.user_events if event.type == "thread.read"] == [0]
    mark_back(ledger, bo, thread, 0)
    assert marker(ledger, thread, bo) == (0, 0, 2)


def test_one_own_message_after_the_marker_is_counted_on(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    sent = [ledger.post(who, thread) for who in (ana, ana, bo)]
    mark_back(ledger, bo, thread, sent[0].offset)
    assert marker(ledger, thread, bo) == (0, 0, 1)
    mark(ledger, bo, thread, sent[0].offset)
    assert marker(ledger, thread, bo) == (sent[0].offset, 1, 1)


def test_a_thread_is_not_there_for_a_stranger(ledger: Ledger, cy: Identity, thread: Thread) -> None:
    with pytest.raises(NotFound, match=thread.id):
        remove(ledger, cy, thread, cy)
    with pytest.raises(NotFound, match=thread.id):
        mark(ledger, cy, thread)


def test_a_marker_goes_back_only_so_far(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNREAD_REACH", 2)
    sent = [ledger.post(who, thread) for who in (bo, bo, ana, bo)]
    mark_back(ledger, bo, thread, sent[0].offset)
    assert marker(ledger, thread, bo) == (sent[1].offset, 2, 1)


def test_who_is_no_member_moves_no_marker_back(ledger: Ledger, root: Identity, cy: Identity, thread: Thread) -> None:
    with pytest.raises(NotFound, match="thread"):
        mark_back(ledger, cy, thread, 0)
    with pytest.raises(NotFound, match="member"):
        mark_back(ledger, root, thread, 0)
