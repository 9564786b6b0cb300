"""Schedules in the store: when and by whom they are made and changed, and what becomes of those that are due."""

from dataclasses import replace
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, PreconditionFailed, ValidationFailed
from actors.resources.api_keys import CreateApiKey, RevokeApiKey
from actors.resources.members import RemoveMember, UpdateMember
from actors.resources.messages import DeleteMessage, Message
from actors.resources.schedules import (
    CancelSchedule,
    CreateSchedule,
    EndSchedule,
    GetSchedule,
    Moment,
    Schedule,
    TakeSchedule,
    UpdateSchedule,
)
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from storage.readers.answers import answer
from tests.builders import Ledger, post
from tests.storage.clock import NOW, Clock

pytestmark = pytest.mark.usefixtures("clock")

LATER = NOW + 60_000


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity) -> Thread:
    return ledger.thread(ana, (bo, "OWNER"))


def at(due_at: int) -> Moment:
    return Moment(due_at, "2030-03-17T17:46:40", "UTC")


def create(ledger: Ledger, who: Identity, thread: Thread | None = None, **more: Any) -> Schedule:
    """By default a message where there is a thread, else a reminder."""
    kind = "message" if thread else "reminder"
    given = {"kind": kind, "content": "later", "at": at(LATER), "thread_id": thread and thread.id, **more}
    made = ledger.do(CreateSchedule(identity=who, **given)).result
    assert isinstance(made, Schedule)
    return made


def get(ledger: Ledger, schedule: Schedule, who: Identity) -> Schedule:
    found = ledger.ask(answer, GetSchedule(who, schedule.id))
    assert isinstance(found, Schedule)
    return found


def column(ledger: Ledger, schedule: Schedule, name: str) -> Any:
    return ledger.one(f"SELECT {name} FROM schedule WHERE id = ?", schedule.key)


def told(done: Any) -> list[tuple[str, str]]:
    """(event, status of the schedule) of a user's own log."""
    return [(event.type, getattr(event.data, "status", "")) for event in done.user_events]


# Made


def test_a_message_has_its_id_from_the_beginning(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    done = ledger.do(CreateSchedule(identity=ana, kind="message", at=at(LATER), thread_id=thread.id, content="later"))
    made = done.result
    assert (made.status, made.version, made.at, made.created_at, made.ended_at) == (
        "pending", 1, at(LATER), NOW, None
    )  # fmt: skip
    assert made.message_id is not None
    assert told(done) == [("schedule.updated", "pending")]
    assert ledger.sql("SELECT data FROM user_event WHERE type = 'schedule.updated'") == [(f'{{"id":"{made.id}"}}',)]


def test_a_reminder_names_its_subject(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    message = ledger.post(ana, thread)
    made = create(ledger, ana, thread, kind="reminder", message_id=message.id)
    assert (made.thread_id, made.message_id) == (thread.id, message.id)
    assert create(ledger, ana).message_id is None


@pytest.mark.parametrize(("due_at", "is_good"), [
    (NOW, False), (NOW + 1, True), (NOW + limits.SCHEDULE_AHEAD_SECONDS * 1000, True),
    (NOW + limits.SCHEDULE_AHEAD_SECONDS * 1000 + 1, False),
])  # fmt: skip
def test_it_is_due_within_a_year(ledger: Ledger, ana: Identity, due_at: int, is_good: bool) -> None:
    if is_good:
        assert create(ledger, ana, at=at(due_at)).at.due_at == due_at
        return
    with pytest.raises(ValidationFailed):
        create(ledger, ana, at=at(due_at))


def test_only_who_may_write_schedules_a_message_and_who_sees_the_thread_a_reminder(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    ledger.do(UpdateMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role="VIEWER"))
    stranger = ledger.user()
    assert create(ledger, bo, thread, kind="reminder").thread_id == thread.id
    with pytest.raises(Forbidden):
        create(ledger, bo, thread)
    for kind in ("reminder", "message"):
        with pytest.raises(NotFound):
            create(ledger, stranger, thread, kind=kind)
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    with pytest.raises(Conflict):
        create(ledger, ana, thread)


def test_the_subject_of_a_reminder_is_a_message_of_the_thread_that_is_there(
    ledger: Ledger, ana: Identity, thread: Thread
) -> None:
    elsewhere, deleted = ledger.post(ana, ledger.thread(ana)), ledger.post(ana, thread)
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=deleted.id))
    ledger.post(ana, thread, "another one")
    for message in (elsewhere, deleted):
        with pytest.raises(NotFound, match="message"):
            create(ledger, ana, thread, kind="reminder", message_id=message.id)


def test_a_user_has_a_bounded_number_that_wait(
    ledger: Ledger, ana: Identity, bo: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SCHEDULES_PENDING", 2)
    of_others = [create(ledger, bo) for _ in range(2)]
    first, _ = create(ledger, ana), create(ledger, ana)
    with pytest.raises(Conflict, match="2 of your schedules wait") as full:
        create(ledger, ana)
    assert full.value.code == "schedules_pending"
    ledger.do(CancelSchedule(identity=bo, schedule_id=of_others[0].id))
    with pytest.raises(Conflict):
        create(ledger, ana)
    ledger.do(CancelSchedule(identity=ana, schedule_id=first.id))
    create(ledger, ana)


# Changed


def test_a_change_is_of_one_schedule_alone(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    other, made = create(ledger, ana, thread), create(ledger, ana, thread)
    done = ledger.do(UpdateSchedule(identity=ana, schedule_id=made.id, content="b", at=at(LATER + 1), metadata="[]"))
    changed = get(ledger, made, ana)
    assert done.result == changed == replace(made, content="b", at=at(LATER + 1), metadata="[]", version=2)
    assert told(done) == [("schedule.updated", "pending")]
    assert get(ledger, other, ana) == other
    with pytest.raises(NotFound):
        ledger.do(UpdateSchedule(identity=bo, schedule_id=made.id, content="c"))


def test_what_changes_nothing_writes_nothing(ledger: Ledger, ana: Identity) -> None:
    made, before = create(ledger, ana), ledger.dump()
    for fields in ({"content": "later"}, {"at": at(LATER)}, {}):
        done = ledger.do(UpdateSchedule(identity=ana, schedule_id=made.id, **fields))
        assert (done.result, done.user_events) == (made, ())
    assert ledger.dump() == before


@pytest.mark.parametrize("fields", [
    {"content": "x" * (limits.SCHEDULE_NOTE_CHARS + 1)}, {"metadata": '{"a":1}'}, {"blocks": "[]"}, {"at": at(NOW)},
])  # fmt: skip
def test_what_does_not_fit_a_reminder(ledger: Ledger, ana: Identity, fields: dict[str, Any]) -> None:
    made, before = create(ledger, ana), ledger.dump()
    with pytest.raises(ValidationFailed):
        ledger.do(UpdateSchedule(identity=ana, schedule_id=made.id, **fields))
    assert ledger.dump() == before


def test_a_note_may_be_as_long_as_the_limit_and_empty(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    """Empty where it is about something."""
    made = create(ledger, ana, thread, kind="reminder")
    for content in ("x" * limits.SCHEDULE_NOTE_CHARS, ""):
        ledger.do(UpdateSchedule(identity=ana, schedule_id=made.id, content=content))
        assert get(ledger, made, ana).content == content
    with pytest.raises(ValidationFailed):
        ledger.do(UpdateSchedule(identity=ana, schedule_id=create(ledger, ana).id, content=" "))
    message = create(ledger, ana, thread)
    long = "x" * (limits.SCHEDULE_NOTE_CHARS + 1)
    assert ledger.do(UpdateSchedule(identity=ana, schedule_id=message.id, content=long)).result.content == long
    with pytest.raises(ValidationFailed):
        ledger.do(UpdateSchedule(identity=ana, schedule_id=message.id, content=" "))


def test_one_that_is_cancelled_stays_so(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    other, made = create(ledger, ana, thread), create(ledger, ana, thread)
    with pytest.raises(PreconditionFailed):
        ledger.do(CancelSchedule(identity=ana, schedule_id=made.id, if_version=2))
    with pytest.raises(NotFound):
        ledger.do(CancelSchedule(identity=bo, schedule_id=made.id))
    done = ledger.do(CancelSchedule(identity=ana, schedule_id=made.id))
    ended = get(ledger, made, ana)
    assert done.result == ended
    assert (ended.status, ended.reason, ended.ended_at, ended.version) == ("cancelled", "", NOW, 2)
    assert told(done) == [("schedule.updated", "cancelled")]
    assert get(ledger, other, ana) == other
    for again in (CancelSchedule, UpdateSchedule):
        with pytest.raises(Conflict, match="cancelled") as refused_again:
            ledger.do(again(identity=ana, schedule_id=made.id))
        assert refused_again.value.code == "schedule_ended"
    assert ledger.do(TakeSchedule(made.key)).result == 0


# Due


def test_a_message_is_taken_from_its_time_on(ledger: Ledger, ana: Identity, thread: Thread, clock: Clock) -> None:
    other, made = create(ledger, ana, thread), create(ledger, ana, thread)
    clock.now, before = LATER - 1, ledger.dump()
    done = ledger.do(TakeSchedule(made.key))
    assert (done.result, done.user_events) == (0, ())
    assert ledger.dump() == before
    clock.now = LATER
    assert ledger.do(TakeSchedule(made.key)).result == 1
    assert (get(ledger, made, ana).status, get(ledger, other, ana).status) == ("sending", "pending")
    assert ledger.do(TakeSchedule(99)).result == 0


def test_a_message_that_was_written_is_not_sent_again(
    ledger: Ledger, ana: Identity, thread: Thread, clock: Clock
) -> None:
    made, other = create(ledger, ana, thread), create(ledger, ana, thread)
    clock.now = LATER
    ledger.do(TakeSchedule(made.key))
    assert ledger.do(TakeSchedule(made.key)).result == 1, "it was not written yet"
    ledger.do(post(ana, thread, message_id=made.message_id))
    done = ledger.do(TakeSchedule(made.key))
    assert (done.result, told(done)) == (0, [("schedule.updated", "sent")])
    assert ledger.do(TakeSchedule(other.key)).result == 1


def key_of(ledger: Ledger, who: Identity, expires_at: int | None) -> Identity:
    command = CreateApiKey(
        identity=who, user_id=who.user.id, name="k", scopes=("write",), expires_at=expires_at, prefix="xp_1",
        key_hash=str(expires_at).encode(),
    )  # fmt: skip
    return replace(who, api_key_id=ledger.do(command).result.id)


@pytest.mark.parametrize(("expires_at", "is_revoked", "is_good"), [
    (None, False, True), (LATER + 1, False, True), (LATER, False, False), (None, True, False),
])  # fmt: skip
def test_it_needs_the_api_key_that_made_it(
    ledger: Ledger, ana: Identity, thread: Thread, clock: Clock,
    expires_at: int | None, is_revoked: bool, is_good: bool,
) -> None:  # fmt: skip
    key_of(ledger, ana, LATER + 1_000)  # another good one makes no difference
    program = key_of(ledger, ana, expires_at)
    other, made = create(ledger, ana, thread), create(ledger, program, thread)
    if is_revoked:
        ledger.do(RevokeApiKey(identity=ana, key_id=program.api_key_id))
    clock.now = LATER
    done = ledger.do(TakeSchedule(made.key))
    found = get(ledger, made, ana)
    if is_good:
        assert (done.result, found.status) == (1, "sending")
    else:
        assert (done.result, told(done)) == (0, [("schedule.updated", "failed")])
        assert found.reason == "The API key that made it has ended."
    assert ledger.do(TakeSchedule(other.key)).result == 1, "nobody's key made it"


@pytest.mark.parametrize("has_subject", [True, False])
def test_a_reminder_is_sent_when_it_is_taken(
    ledger: Ledger, ana: Identity, thread: Thread, clock: Clock, has_subject: bool
) -> None:
    subject = {"message_id": ledger.post(ana, thread).id} if has_subject else {}
    made = create(ledger, ana, thread if has_subject else None, kind="reminder", **subject)
    clock.now = LATER
    done = ledger.do(TakeSchedule(made.key))
    assert (done.result, told(done)) == (1, [("schedule.updated", "sent"), ("notification.created", "")])
    assert get(ledger, made, ana).ended_at == LATER


@pytest.fixture
def reminder(ledger: Ledger, bo: Identity, thread: Thread) -> tuple[Schedule, Message]:
    """Of a message, for bo."""
    message = ledger.post(bo, thread)
    return create(ledger, bo, thread, kind="reminder", message_id=message.id), message


@pytest.mark.parametrize("what", ["member", "message", "thread"])
def test_a_reminder_fails_where_its_user_may_not_see_its_subject_any_more(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, clock: Clock,
    reminder: tuple[Schedule, Message], what: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ledger.admin()  # another one's role makes no difference
    made, message = reminder
    monkeypatch.setattr(limits, "SCHEDULES_ENDED", 0)
    ledger.do({
        "member": RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id),
        "message": DeleteMessage(identity=bo, thread_id=thread.id, message_id=message.id),
        "thread": DeleteThread(identity=ana, thread_id=thread.id),
    }[what])  # fmt: skip
    clock.now = LATER
    done = ledger.do(TakeSchedule(made.key))
    assert (done.result, told(done)) == (1, [("schedule.updated", "failed")])
    assert column(ledger, made, "reason")


def test_an_administrator_is_reminded_without_being_a_member(
    ledger: Ledger, root: Identity, thread: Thread, clock: Clock
) -> None:
    made = create(ledger, root, thread, kind="reminder")
    clock.now = LATER
    ledger.do(TakeSchedule(made.key))
    assert get(ledger, made, root).status == "sent"


def test_only_one_that_is_being_sent_comes_to_an_end(
    ledger: Ledger, ana: Identity, thread: Thread, clock: Clock
) -> None:
    other, made = create(ledger, ana, thread), create(ledger, ana, thread)
    clock.now = LATER
    assert ledger.do(EndSchedule(made.key, "sent")).result == 0
    for each in (other, made):
        ledger.do(TakeSchedule(each.key))
    done = ledger.do(EndSchedule(made.key, "failed", "x" * (limits.SCHEDULE_REASON_CHARS + 1)))
    assert (done.result, told(done)) == (1, [("schedule.updated", "failed")])
    found = get(ledger, made, ana)
    assert (found.status, found.reason, found.ended_at, found.version) == (
        "failed", "x" * limits.SCHEDULE_REASON_CHARS, LATER, 2
    )  # fmt: skip
    assert get(ledger, other, ana).status == "sending"
    assert ledger.do(EndSchedule(made.key, "sent")).result == 0


def test_one_whose_message_was_written_has_not_failed(
    ledger: Ledger, ana: Identity, thread: Thread, clock: Clock
) -> None:
    made = create(ledger, ana, thread)
    clock.now = LATER
    ledger.do(TakeSchedule(made.key))
    ledger.do(post(ana, thread, message_id=made.message_id))
    assert ledger.do(EndSchedule(made.key, "failed", "its answer was lost")).result == 1
    assert (get(ledger, made, ana).status, get(ledger, made, ana).reason) == ("sent", "")


def test_what_waits_in_a_thread_ends_with_it_in_bounded_steps(
    ledger: Ledger, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SCHEDULES_ENDED", 2)
    elsewhere = create(ledger, ana, ledger.thread(ana))
    cancelled, first, second, third = (create(ledger, ana, thread) for _ in range(4))
    ledger.do(CancelSchedule(identity=ana, schedule_id=cancelled.id))
    done = ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    ended = [event.data for event in done.user_events if event.type == "schedule.updated"]
    assert ended == [get(ledger, first, ana), get(ledger, second, ana)]
    assert [column(ledger, each, "status") for each in (elsewhere, cancelled, first, second, third)] == [
        "pending", "cancelled", "failed", "failed", "pending"
    ]  # fmt: skip
    assert [column(ledger, first, name) for name in ("reason", "ended_at", "version")] == [
        "The thread was deleted.", NOW, 2
    ]  # fmt: skip
