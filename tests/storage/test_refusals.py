"""A refusal undoes only itself, and costs the others next to nothing: no second run, and no savepoint for each."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import XpError
from actors.identifiers import new_id
from actors.outcomes import Done
from actors.resources.members import AddMember, MarkRead, RemoveMember, UpdateMember
from actors.resources.message_streams import FinishMessage
from actors.resources.messages import DeleteMessage, EditMessage, Message
from actors.resources.notifications import MarkUnread
from actors.resources.reactions import React
from actors.resources.threads import CreateThread, UpdateThread
from tests.builders import Ledger, once, post

MANY = 40


class Scene:
    """People, a thread, a message, and what each of them may not do."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.ana, self.bo, self.eve = ledger.user("ana"), ledger.user("bo"), ledger.user("eve")
        self.viewer = ledger.user("viewer")
        self.thread = ledger.thread(self.ana, self.bo, (self.viewer, "VIEWER"))
        self.closed = ledger.thread(self.ana)
        ledger.do(UpdateThread(identity=self.ana, thread_id=self.closed.id, status="CLOSED"))
        self.message = ledger.post(self.ana, self.thread)
        self.deleted = ledger.post(self.ana, self.thread)
        ledger.do(DeleteMessage(identity=self.ana, thread_id=self.thread.id, message_id=self.deleted.id))
        ledger.do(post(self.ana, self.thread, once=once("used")))

    def on(self, kind: Any, who: Identity, message: Message | str = "nothing", **more: Any) -> Any:
        message_id = message if isinstance(message, str) else message.id
        return kind(identity=who, thread_id=self.thread.id, message_id=message_id, **more)

    def member(self, kind: Any, who: Identity, whom: Identity, **more: Any) -> Any:
        return kind(identity=who, thread_id=self.thread.id, user_id=whom.user.id, **more)


Refused = Callable[[Scene], Any]

LIGHT: dict[str, Refused] = {
    "an answer to nothing": lambda s: post(s.ana, s.thread, parent_id=new_id()),
    "an answer to another thread's": lambda s: post(s.ana, s.ledger.thread(s.ana), parent_id=s.message.id),
    "a key of another request": lambda s: post(s.ana, s.thread, once=once("used", "another")),
    "a reaction to nothing": lambda s: s.on(React, s.ana, emoji="👍"),
    "a reaction to what is deleted": lambda s: s.on(React, s.ana, s.deleted, emoji="👍"),
    "a reaction of a stranger": lambda s: s.on(React, s.eve, s.message, emoji="👍"),
    "an edit of nothing": lambda s: s.on(EditMessage, s.ana, content="x"),
    "an edit of what is deleted": lambda s: s.on(EditMessage, s.ana, s.deleted, content="x"),
    "an edit of another's": lambda s: s.on(EditMessage, s.bo, s.message, content="x"),
    "an edit of another version": lambda s: s.on(EditMessage, s.ana, s.message, content="x", if_version=9),
    "an edit to nothing": lambda s: s.on(EditMessage, s.ana, s.message, content=""),
    "a second deletion": lambda s: s.on(DeleteMessage, s.ana, s.deleted),
    "a deletion by another": lambda s: s.on(DeleteMessage, s.bo, s.message),
    "an end of what has ended": lambda s: s.on(FinishMessage, s.ana, s.message, status="COMPLETE"),
    "a member who is there": lambda s: s.member(AddMember, s.ana, s.bo),
    "a member by a stranger": lambda s: s.member(AddMember, s.eve, s.eve),
    "a role by a member": lambda s: s.member(UpdateMember, s.bo, s.bo, role="OWNER"),
    "no owner": lambda s: s.member(UpdateMember, s.ana, s.ana, role="MEMBER"),
    "the removal of a stranger": lambda s: s.member(RemoveMember, s.ana, s.eve),
    "a marker of a stranger": lambda s: MarkRead(identity=s.eve, thread_id=s.thread.id),
    "a marker back of a stranger": lambda s: MarkUnread(identity=s.eve, thread_id=s.thread.id, offset=1),
    "a title by a member": lambda s: UpdateThread(identity=s.bo, thread_id=s.thread.id, title="x"),
    "a thread's id that is taken": lambda s: CreateThread(identity=s.bo, thread_id=s.thread.id, title="x"),
    "a defect": lambda s: "no command at all",
}
LATE: dict[str, Refused] = {
    "a message of a stranger": lambda s: post(s.eve, s.thread),
    "a message of a viewer": lambda s: post(s.viewer, s.thread),
    "a message into a closed thread": lambda s: post(s.ana, s.closed),
    "a message into no thread": lambda s: post(s.ana, new_id()),
    "a message's id that is taken": lambda s: post(s.ana, s.thread, message_id=s.message.id),
    "a thread with a member who is not there": lambda s: CreateThread(
        identity=s.ana, title="x", members=(("nobody", "MEMBER"),)
    ),
}
"""What shows only when something was written."""


@contextmanager
def noted(ledger: Ledger) -> Iterator[list[str]]:
    statements: list[str] = []
    ledger.store.database.connection().set_trace_callback(statements.append)
    yield statements
    ledger.store.database.connection().set_trace_callback(None)


def among_posts(scene: Scene, refused: Any) -> list[Any]:
    around = [post(scene.ana, scene.thread, f"{n}") for n in range(MANY)]
    return [*around[: MANY // 2], refused, *around[MANY // 2 :]]


def check(scene: Scene, outcomes: Sequence[Done | XpError]) -> None:
    """Only the one is refused, and what the others wrote has no gap."""
    assert [isinstance(outcome, XpError) for outcome in outcomes].count(True) == 1
    assert isinstance(outcomes[MANY // 2], XpError)
    offsets = [event.offset for outcome in outcomes if isinstance(outcome, Done) for event in outcome.events]
    assert offsets == list(range(offsets[0], offsets[0] + MANY))
    head = scene.ledger.one("SELECT position FROM log_head")
    assert scene.ledger.one("SELECT count(*) FROM event") == scene.ledger.one("SELECT max(position) FROM event") == head


@pytest.mark.parametrize("refused", LIGHT.values(), ids=LIGHT.keys())
def test_what_is_refused_before_it_wrote_undoes_nothing(ledger: Ledger, refused: Refused) -> None:
    scene = Scene(ledger)
    batch = among_posts(scene, refused(scene))
    with noted(ledger) as statements:
        outcomes = ledger.apply(*batch)
    check(scene, outcomes)
    assert not [text for text in statements if text.startswith(("ROLLBACK", "SAVEPOINT"))]


@pytest.mark.parametrize("refused", LATE.values(), ids=LATE.keys())
def test_what_is_refused_late_costs_one_savepoint_a_run(ledger: Ledger, refused: Refused) -> None:
    scene = Scene(ledger)
    for wary in (False, True):
        batch = among_posts(scene, refused(scene))
        with noted(ledger) as statements:
            outcomes = ledger.apply(*batch)
        check(scene, outcomes)
        assert len([text for text in statements if text.startswith("SAVEPOINT")]) <= 3
        assert len([text for text in statements if 'INSERT INTO "message"' in text]) <= 4
        assert statements.count("ROLLBACK") == (0 if wary else 1), "the next ones look first"


def test_a_store_that_was_just_opened_makes_no_savepoints(ledger: Ledger) -> None:
    with noted(ledger) as statements:
        ledger.user("ana")
    assert not [text for text in statements if text.startswith("SAVEPOINT")]


def test_after_some_batches_no_savepoints_are_made_any_more(ledger: Ledger) -> None:
    """What is refused late comes in swarms: the batches after one look first, and then it is over."""
    scene = Scene(ledger)
    ledger.apply(*among_posts(scene, next(iter(LATE.values()))(scene)))
    for number in range(limits.WARY_BATCHES + 1):
        with noted(ledger) as statements:
            ledger.apply(*(post(scene.ana, scene.thread, f"{n}") for n in range(MANY)))
        looks_first = any(text.startswith("SAVEPOINT") for text in statements)
        assert looks_first == (number < limits.WARY_BATCHES), number


def test_every_refusal_at_once(ledger: Ledger) -> None:
    scene = Scene(ledger)
    wrong = [refused(scene) for refused in (LIGHT | LATE).values()]
    batch = [command for each in wrong for command in (each, post(scene.ana, scene.thread))]
    outcomes = ledger.apply(*batch)
    assert [isinstance(outcome, XpError) for outcome in outcomes] == [True, False] * len(wrong)


def test_the_refusal_is_the_same_alone_and_among_others(ledger: Ledger) -> None:
    scene = Scene(ledger)
    for name, refused in (LIGHT | LATE).items():
        (alone,) = ledger.apply(refused(scene))
        among = ledger.apply(*among_posts(scene, refused(scene)))[MANY // 2]
        assert isinstance(alone, XpError)
        assert isinstance(among, XpError)
        assert (type(alone), alone.code) == (type(among), among.code), name


def test_an_answer_may_come_with_what_it_answers(ledger: Ledger) -> None:
    scene = Scene(ledger)
    first, second = new_id(), new_id()
    outcomes = ledger.apply(
        post(scene.ana, scene.thread, message_id=first),
        post(scene.bo, scene.thread, message_id=second, parent_id=first),
        post(scene.ana, scene.thread, parent_id=second),
    )
    assert all(isinstance(outcome, Done) for outcome in outcomes)


def test_of_two_messages_of_one_id_the_first_is_there(ledger: Ledger) -> None:
    scene = Scene(ledger)
    same = new_id()
    one, two, three = ledger.apply(*(post(scene.ana, scene.thread, message_id=m) for m in (same, same, new_id())))
    assert isinstance(one, Done)
    assert isinstance(two, XpError)
    assert two.code == "id_taken"
    assert isinstance(three, Done)


def test_posts_with_and_without_keys_are_one_run(ledger: Ledger) -> None:
    scene = Scene(ledger)
    batch = [post(scene.ana, scene.thread, f"{n}", once=once(f"{n}") if n % 2 else None) for n in range(MANY)]
    with noted(ledger) as statements:
        first = ledger.apply(*batch)
    assert len([text for text in statements if 'INSERT INTO "message"' in text]) == 1
    again = ledger.apply(*(command for command in batch if command.once))
    made = [outcome.result for outcome in first if isinstance(outcome, Done)]
    assert [outcome.result for outcome in again if isinstance(outcome, Done)] == made[1::2]
    assert all(isinstance(outcome, Done) and outcome.replayed for outcome in again)


def test_a_key_that_comes_twice_in_a_batch_is_one_message(ledger: Ledger) -> None:
    scene = Scene(ledger)
    one, two, other = ledger.apply(
        post(scene.ana, scene.thread, "a", once=once("k")),
        post(scene.ana, scene.thread, "a", once=once("k")),
        post(scene.ana, scene.thread, "b", once=once("k", "another")),
    )
    assert isinstance(one, Done)
    assert isinstance(two, Done)
    assert two.replayed
    assert two.result == one.result
    assert isinstance(other, XpError)


def test_a_defect_among_messages_is_found_by_halves(ledger: Ledger) -> None:
    scene = Scene(ledger)
    outcomes = ledger.apply(*among_posts(scene, post(scene.ana, scene.thread, metadata=None)))  # type: ignore[arg-type]
    check(scene, outcomes)
