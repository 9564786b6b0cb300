"""Acknowledgements in the store: who has answered what, and which urgent messages notify again, and when."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden
from actors.resources.acknowledgements import Acknowledge, RepeatUrgent
from actors.resources.messages import AskToAcknowledge, DeleteMessage, Message
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from actors.resources.users import UpdateUser
from tests.builders import Ledger, post
from tests.storage.clock import NOW, Clock

pytestmark = pytest.mark.usefixtures("clock")

AGAIN = limits.URGENT_REPEAT_SECONDS * 1000


@pytest.fixture
def cy(ledger: Ledger) -> Identity:
    return ledger.user("cy")


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity, cy: Identity) -> Thread:
    return ledger.thread(ana, bo, cy)


def asking(ledger: Ledger, who: Identity, thread: Thread, *, urgent: bool = False) -> Message:
    return ledger.post(who, thread, "Read this.", acknowledgement=AskToAcknowledge(urgent=urgent))


def acknowledge(ledger: Ledger, who: Identity, message: Message) -> Any:
    return ledger.do(Acknowledge(identity=who, thread_id=message.thread_id, message_id=message.id))


def answers(ledger: Ledger, message: Message) -> list[tuple[int, int | None]]:
    query = "SELECT user_id, acknowledged_at FROM acknowledgement WHERE message_id = ? ORDER BY 1"
    return ledger.sql(query, message.key)


def due(ledger: Ledger, message: Message) -> tuple[int, int | None]:
    """(repeats, when it notifies again)."""
    (found,) = ledger.sql("SELECT repeats, repeat_at FROM acknowledgement_request WHERE message_id = ?", message.key)
    return tuple(found)  # type: ignore[return-value]


def notified(ledger: Ledger, message: Message) -> dict[int, str]:
    """User → id of their notification of a message."""
    return dict(ledger.sql("SELECT user_id, uid FROM notification WHERE message_id = ?", message.key))


def test_an_answer_is_of_one_user_to_one_message(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread, clock: Clock
) -> None:
    other, message = asking(ledger, ana, thread), asking(ledger, ana, thread)
    clock.now += 5
    done = acknowledge(ledger, bo, message)
    assert (done.result.acknowledged_at, done.result.asked, done.result.acknowledged) == (NOW + 5, 2, 1)
    assert [(event.type, event.actor) for event in done.events] == [("message.acknowledged", bo.author)]
    assert [event.type for event in done.user_events] == ["notification.cancelled"]
    logged = "SELECT data FROM event WHERE type = 'message.acknowledged'"
    assert ledger.sql(logged) == [('{"asked":2,"acknowledged":1}',)]
    assert answers(ledger, message) == [(bo.user.key, NOW + 5), (cy.user.key, None)]
    assert answers(ledger, other) == [(bo.user.key, None), (cy.user.key, None)]
    clock.now += 5
    again = acknowledge(ledger, bo, message)
    assert (again.result, again.events) == (done.result, ())


def test_nobody_else_answers_nor_is_a_deleted_message_answered(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    message = asking(ledger, ana, thread)
    with pytest.raises(Forbidden):
        acknowledge(ledger, ana, message)
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=message.id))
    with pytest.raises(Conflict) as refused:
        acknowledge(ledger, bo, message)
    assert refused.value.code == "message_deleted"


def test_of_many_urgent_ones_at_once_as_many_are_taken_as_one_by_one(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    asked = AskToAcknowledge(urgent=True)
    many = [post(ana, thread, acknowledgement=asked) for _ in range(limits.URGENT_OPEN + 2)]
    outcomes = ledger.apply(*many, post(bo, thread, acknowledgement=asked))
    refused = [isinstance(outcome, Conflict) for outcome in outcomes]
    assert refused == [False] * limits.URGENT_OPEN + [True, True, False]


def test_an_urgent_one_rests_once_all_have_answered(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    other, message = asking(ledger, ana, thread, urgent=True), asking(ledger, ana, thread, urgent=True)
    acknowledge(ledger, bo, message)
    assert due(ledger, message) == (0, NOW + AGAIN)
    acknowledge(ledger, cy, message)
    assert due(ledger, message) == (0, None)
    assert due(ledger, other) == (0, NOW + AGAIN)


def test_it_notifies_again_from_its_time_on_who_has_not_answered(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread, clock: Clock
) -> None:
    message = asking(ledger, ana, thread, urgent=True)
    plain = asking(ledger, ana, thread)
    acknowledge(ledger, bo, message)
    before, of_plain = notified(ledger, message), notified(ledger, plain)
    clock.now = NOW + AGAIN - 1
    assert ledger.do(RepeatUrgent()).result == 0
    clock.now = NOW + AGAIN
    done = ledger.do(RepeatUrgent())
    assert done.result == 1
    told = [(event.type, event.user_key) for event in done.user_events]
    assert told == [("notification.cancelled", cy.user.key), ("notification.created", cy.user.key)]
    after = notified(ledger, message)
    assert after[bo.user.key] == before[bo.user.key]
    assert after[cy.user.key] != before[cy.user.key]
    assert done.user_events[0].data == {
        "ids": [before[cy.user.key]], "thread_id": thread.id, "reason": "repeated"
    }  # fmt: skip
    assert done.user_events[1].data.thread_id == thread.id
    assert notified(ledger, plain) == of_plain
    assert due(ledger, message) == (1, clock.now + AGAIN)


def test_one_that_a_clock_that_was_ahead_has_dated_notifies_again_by_the_clock_as_it_is(
    ledger: Ledger, ana: Identity, thread: Thread, clock: Clock
) -> None:
    """Else it stayed among the few that its author may have open until the clock got there."""
    clock.now = NOW + 24 * 3_600_000
    message = asking(ledger, ana, thread, urgent=True)
    clock.now = NOW
    assert [ledger.do(RepeatUrgent()).result for _ in range(2)] == [1, 0]
    assert due(ledger, message) == (1, NOW + AGAIN)


def test_it_notifies_again_a_bounded_number_of_times(
    ledger: Ledger, ana: Identity, thread: Thread, clock: Clock
) -> None:
    message = asking(ledger, ana, thread, urgent=True)
    for repeats in range(1, limits.URGENT_REPEATS + 1):
        clock.now += AGAIN
        assert ledger.do(RepeatUrgent()).result == 1
        is_last = repeats == limits.URGENT_REPEATS
        assert due(ledger, message) == (repeats, None if is_last else clock.now + AGAIN)
    clock.now += AGAIN
    assert ledger.do(RepeatUrgent()).result == 0


def test_those_that_are_due_longest_notify_first(ledger: Ledger, ana: Identity, thread: Thread, clock: Clock) -> None:
    later = asking(ledger, ana, thread, urgent=True)
    first = asking(ledger, ana, thread, urgent=True)
    ledger.sql("UPDATE acknowledgement_request SET repeat_at = repeat_at - 1 WHERE message_id = ?", first.key)
    clock.now += AGAIN
    assert ledger.do(RepeatUrgent(rows=1)).result == 1
    assert [due(ledger, message)[0] for message in (later, first)] == [0, 1]


@pytest.mark.parametrize("what", ["closed", "deleted", "author"])
def test_nobody_is_notified_again_where_nobody_may_write_or_the_author_is_gone(
    ledger: Ledger, root: Identity, ana: Identity, bo: Identity, thread: Thread, clock: Clock, what: str
) -> None:
    message = asking(ledger, bo, thread, urgent=True)
    ledger.post(ana, ledger.thread(ana), "where somebody may still write")
    ledger.do({
        "closed": UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"),
        "deleted": DeleteThread(identity=ana, thread_id=thread.id),
        "author": UpdateUser(identity=root, user_id=bo.user.id, status="DEACTIVATED"),
    }[what])  # fmt: skip
    before = notified(ledger, message)
    clock.now += AGAIN
    done = ledger.do(RepeatUrgent())
    assert (done.result, done.user_events) == (1, ())
    assert notified(ledger, message) == before
    assert due(ledger, message)[0] == 1
