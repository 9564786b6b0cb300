"""Actions in the store: what changes between a check and its commit, who is forgotten, and what the queries cost."""

from dataclasses import replace

import orjson
import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound, ValidationFailed
from actors.resources.actions import (
    Act,
    Action,
    AnswerAction,
    CheckAction,
    Checked,
    ExpireActions,
    ListActions,
    Subject,
)
from actors.resources.members import AddMember
from actors.resources.messages import DeleteMessage, EditMessage, Message
from actors.resources.threads import Thread
from actors.resources.users import DeleteUser
from storage.readers.answers import answer
from tests.builders import Ledger

BUTTON = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
BLOCKS = orjson.dumps([{"type": "actions", "block_id": "b", "elements": [BUTTON]}]).decode()


class Room:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.bot, self.ana = ledger.user("bot", kind="ASSISTANT"), ledger.user("ana")
        self.thread: Thread = ledger.thread(self.bot, self.ana)
        self.message: Message = ledger.post(self.bot, self.thread, blocks=BLOCKS)

    def check(self) -> Checked:
        query = CheckAction(
            self.ana,
            Subject("message", self.message.id),
            block_id="b",
            action_id="yes",
            value=None,
            state={},
            confirmed=False,
        )
        return self.ledger.ask(answer, query)

    def act(self, checked: Checked | None = None, who: Identity | None = None) -> Action:
        command = Act(
            identity=who or self.ana, thread_id=self.thread.id, subject=Subject("message", self.message.id),
            block_id="b", action_id="yes", checked=checked or self.check(),
        )  # fmt: skip
        found = self.ledger.do(command).result
        assert isinstance(found, Action)
        return found

    def edit(self, blocks: str) -> None:
        edit = EditMessage(identity=self.bot, thread_id=self.thread.id, message_id=self.message.id, blocks=blocks)
        self.ledger.do(edit)


@pytest.fixture
def room(ledger: Ledger) -> Room:
    return Room(ledger)


def test_a_message_that_is_edited_between_check_and_commit(room: Room) -> None:
    checked = room.check()
    room.edit("[]")
    with pytest.raises(Conflict) as refused:
        room.act(checked)
    assert refused.value.code == "message_changed"
    with pytest.raises(ValidationFailed) as gone:
        room.check()
    assert gone.value.field_errors.keys() == {"/block_id"}, "an edited message offers what it has now"


def test_a_message_that_is_deleted_between_check_and_commit(room: Room) -> None:
    checked = room.check()
    room.ledger.do(DeleteMessage(identity=room.bot, thread_id=room.thread.id, message_id=room.message.id))
    with pytest.raises(Conflict) as refused:
        room.act(checked)
    assert refused.value.code == "message_deleted"


def test_what_is_refused_writes_nothing(room: Room) -> None:
    checked, before = room.check(), room.ledger.dump()
    with pytest.raises(Forbidden):
        room.act(checked, room.bot)
    assert room.ledger.dump() == before


def test_a_deleted_user_leaves_nothing_that_was_filled_in(room: Room) -> None:
    room.act()
    admin = room.ledger.admin("root")
    room.ledger.do(DeleteUser(identity=admin, user_id=room.ana.user.id, content="keep"))
    assert room.ledger.one("SELECT count(*) FROM action") == 0


def test_an_approval_counts_also_when_its_user_is_deleted(room: Room) -> None:
    """Else another answer would count, too. What was filled in goes."""
    once, bo = replace(room.check(), is_counted_once=True), room.ledger.user("bo")
    room.ledger.do(AddMember(identity=room.bot, thread_id=room.thread.id, user_id=bo.user.id))
    action = room.act(replace(once, value='"of ana"', state='{"b": {"name": "ana"}}'))
    answer_of_bot = {"status": "done", "text": "Thanks, Ana", "errors": '{"name": "ana"}'}
    answered = AnswerAction(identity=room.bot, thread_id=room.thread.id, action_id=action.id, **answer_of_bot)  # type: ignore[arg-type]
    room.ledger.do(answered)
    room.ledger.do(DeleteUser(identity=room.ledger.admin("root"), user_id=room.ana.user.id, content="keep"))
    assert room.ledger.sql("SELECT status, action_id, value, state, text, errors, correlation_id FROM action") == [
        ("done", "yes", "null", "{}", "", "{}", "")
    ]
    with pytest.raises(Conflict) as refused:
        room.act(once, bo)
    assert refused.value.code == "already_answered"


def test_who_may_answer(room: Room) -> None:
    action = room.act()
    stranger = room.ledger.user("stranger")

    def answered(who: Identity, action_id: str) -> None:
        room.ledger.do(AnswerAction(identity=who, thread_id=room.thread.id, action_id=action_id, status="done"))

    for who, action_id in ((room.bot, "c" * 25), (stranger, action.id)):
        with pytest.raises(NotFound):
            answered(who, action_id)
    for who in (room.ana, room.ledger.admin("root")):
        with pytest.raises(Forbidden, match="answers its actions"):
            answered(who, action.id)
    answered(room.bot, action.id)


def test_expiry_is_told_to_both_and_is_over_restarts(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ACTION_SECONDS", 0)
    action = room.act()
    room.ledger.reopen()
    done = room.ledger.do(ExpireActions())
    assert done.result == 1
    assert {event.user_key for event in done.user_events} == {room.ana.user.key, room.bot.user.key}
    assert room.ledger.do(ExpireActions()).result == 0
    late = AnswerAction(identity=room.bot, thread_id=room.thread.id, action_id=action.id, status="done")
    with pytest.raises(Conflict, match="expired"):
        room.ledger.do(late)


def test_one_approval_is_held_by_the_database_too(room: Room) -> None:
    room.act()
    room.ledger.sql("UPDATE action SET is_counted_once = 1")
    columns = ", ".join(row[1] for row in room.ledger.sql("PRAGMA table_info('action')") if row[1] not in ("id", "uid"))
    with pytest.raises(Exception, match="UNIQUE"):
        room.ledger.sql(f"INSERT INTO action (uid, {columns}) SELECT uid || 'x', {columns} FROM action")


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("author_id = 1 AND status = 'pending' ORDER BY id DESC LIMIT 31", "action_waiting"),
        ("user_id = 1 ORDER BY id DESC LIMIT 31", "action_user_id_id"),
        ("message_id = 1 ORDER BY id DESC LIMIT 31", "action_message_id_id"),
        ("status = 'pending' AND expires_at <= 5 LIMIT 500", "action_expiring"),
        ("message_id = 1 AND block_id = 'b' AND is_counted_once = 1 AND status IN ('pending', 'done')", "action_once"),
        ("artifact_id = 1 ORDER BY id DESC LIMIT 31", "action_artifact_id_id"),
        (
            "artifact_id = 1 AND block_id = 'b' AND is_counted_once = 1 AND status IN ('pending', 'done')",
            "action_once_in_artifact",
        ),
    ],
)
def test_nothing_is_looked_through(ledger: Ledger, condition: str, index: str) -> None:
    plan = " ".join(row[3] for row in ledger.sql(f"EXPLAIN QUERY PLAN SELECT id FROM action WHERE {condition}"))
    assert index in plan, plan
    assert "TEMP B-TREE" not in plan


def test_lists_are_of_threads_that_one_is_in(room: Room) -> None:
    action = room.act()
    query = ListActions(room.bot, role="author", status="pending", limit=30, before=None)
    assert [each.id for each in room.ledger.ask(answer, query).items] == [action.id]
    room.ledger.sql("DELETE FROM member WHERE user_id = ?", room.bot.user.key)
    assert room.ledger.ask(answer, query).items == ()
