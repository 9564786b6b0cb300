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
from actors.resources.members import AddMember, RemoveMember, UpdateMember
from actors.resources.messages import DeleteMessage, EditMessage, Message
from actors.resources.threads import Thread, UpdateThread
from actors.resources.users import DeleteUser, UpdateUser
from storage.readers.answers import answer
from tests.builders import Ledger
from tests.storage.clock import Clock

BUTTON = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
BLOCKS = orjson.dumps([{"type": "actions", "block_id": "b", "elements": [BUTTON]}]).decode()


class Room:
    def __init__(self, ledger: Ledger, who: str = "ana") -> None:
        self.ledger = ledger
        self.bot, self.ana = ledger.user("bot", kind="ASSISTANT"), ledger.user(who)
        self.thread: Thread = ledger.thread(self.bot, self.ana)
        self.message: Message = ledger.post(self.bot, self.thread, blocks=BLOCKS)

    def check(self, block_id: str = "b") -> Checked:
        query = CheckAction(
            self.ana,
            Subject("message", self.message.id),
            block_id=block_id,
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


@pytest.fixture
def clock(room: Room, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_who_may_write_acts(room: Room) -> None:
    checked, stranger = room.check(), room.ledger.user()
    with pytest.raises(NotFound, match=room.thread.id):
        room.act(checked, stranger)
    with pytest.raises(Forbidden, match="you are not a member"):
        room.act(checked, room.ledger.admin())
    viewer = UpdateMember(identity=room.bot, thread_id=room.thread.id, user_id=room.ana.user.id, role="VIEWER")
    room.ledger.do(viewer)
    with pytest.raises(Forbidden):
        room.act(checked)


@pytest.mark.parametrize("what", ["left", "deactivated"])
def test_an_author_who_is_gone_is_asked_nothing(room: Room, what: str) -> None:
    root = room.ledger.admin()
    room.ledger.do(AddMember(identity=root, thread_id=room.thread.id, user_id=root.user.id, role="OWNER"))
    checked = room.check()
    room.ledger.do({
        "left": RemoveMember(identity=root, thread_id=room.thread.id, user_id=room.bot.user.id),
        "deactivated": UpdateUser(identity=root, user_id=room.bot.user.id, status="DEACTIVATED"),
    }[what])  # fmt: skip
    with pytest.raises(Conflict) as refused:
        room.act(checked)
    assert refused.value.code == "author_gone"


def test_a_form_is_answered_in_time(room: Room, clock: Clock) -> None:
    with pytest.raises(Conflict) as refused:
        room.act(replace(room.check(), closes_at=clock.now))
    assert refused.value.code == "form_expired"
    action = room.act(replace(room.check(), closes_at=clock.now + 1))
    assert (action.created_at, action.version) == (clock.now, 1)
    assert action.expires_at == clock.now + limits.ACTION_SECONDS * 1000


def test_an_approval_counts_once_for_its_block(room: Room) -> None:
    """Whoever answers; what is no approval counts as often as it is done."""
    bo = room.ledger.user("bo")
    room.ledger.do(AddMember(identity=room.bot, thread_id=room.thread.id, user_id=bo.user.id))
    checked = room.check()
    room.act(checked)
    room.act(checked)
    approval = replace(checked, is_counted_once=True)
    action = room.act(approval)
    with pytest.raises(Conflict) as refused:
        room.act(approval, bo)
    assert refused.value.code == "already_answered"
    noted = room.ledger.sql("SELECT actor_id, target_kind, target_id, after FROM audit")
    facts = {"thread_id": room.thread.id, "action_id": action.id, "block_id": "b"}
    assert [(*about, orjson.loads(after)) for *about, after in noted] == [
        (room.ana.user.id, "message", room.message.id, facts)
    ]  # fmt: skip
    other = {**BUTTON, "action_id": "yes"}
    room.edit(orjson.dumps([{"type": "actions", "block_id": "c", "elements": [other]}]).decode())
    again = Act(
        identity=bo, thread_id=room.thread.id, subject=Subject("message", room.message.id), block_id="c",
        action_id="yes", checked=replace(approval, mark=room.check(block_id="c").mark),
    )  # fmt: skip
    assert room.ledger.do(again).result.block_id == "c"


def test_a_user_has_a_bounded_number_that_wait_for_an_author(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ACTIONS_PENDING", 2)
    bo = room.ledger.user("bo")
    room.ledger.do(AddMember(identity=room.bot, thread_id=room.thread.id, user_id=bo.user.id))
    first, _ = room.act(), room.act()
    with pytest.raises(Conflict) as refused:
        room.act()
    assert refused.value.code == "actions_pending"
    room.act(who=bo)
    room.ledger.do(AnswerAction(identity=room.bot, thread_id=room.thread.id, action_id=first.id, status="done"))
    room.act()


def test_an_answer_is_another_version_of_one_action(room: Room, clock: Clock) -> None:
    other, action = room.act(), room.act()
    query = "SELECT * FROM action WHERE id = ?"
    before = room.ledger.sql(query, other.key)
    clock.now += 5
    answered = AnswerAction(
        identity=room.bot, thread_id=room.thread.id, action_id=action.id, status="failed", text="No",
        errors='{"/b":"x"}', content="@ana, it did not work",
    )  # fmt: skip
    done = room.ledger.do(answered)
    found = done.result
    assert (found.status, found.text, found.errors, found.version, found.answered_at) == (
        "failed", "No", '{"/b":"x"}', 2, clock.now
    )  # fmt: skip
    assert found.subject.id == room.message.id
    assert [event.type for event in done.events] == ["message.updated"]
    assert [(event.type, event.user_key) for event in done.user_events] == [
        ("notification.created", room.ana.user.key), ("action.updated", room.bot.user.key),
        ("action.updated", room.ana.user.key),
    ]  # fmt: skip
    assert room.ledger.sql(query, other.key) == before
    with pytest.raises(Conflict) as refused:
        room.ledger.do(answered)
    assert refused.value.code == "action_ended"


def test_nothing_is_answered_in_a_closed_thread(room: Room) -> None:
    action = room.act()
    room.ledger.do(UpdateThread(identity=room.bot, thread_id=room.thread.id, status="CLOSED"))
    with pytest.raises(Conflict):
        room.ledger.do(AnswerAction(identity=room.bot, thread_id=room.thread.id, action_id=action.id, status="done"))


def test_those_expire_whose_time_is_over_in_bounded_steps(room: Room, clock: Clock) -> None:
    done = [room.act() for _ in range(3)]
    ended = room.act()
    room.ledger.do(AnswerAction(identity=room.bot, thread_id=room.thread.id, action_id=ended.id, status="done"))
    clock.now += limits.ACTION_SECONDS * 1000 - 1
    later = room.act()
    assert room.ledger.do(ExpireActions()).result == 0
    clock.now += 1
    assert [room.ledger.do(ExpireActions(rows=2)).result for _ in range(3)] == [2, 1, 0]
    rows = room.ledger.sql("SELECT id, status, version, answered_at FROM action WHERE id <> ? ORDER BY id", ended.key)
    assert rows == [(each.key, "expired", 2, clock.now) for each in done] + [(later.key, "pending", 1, None)]


def test_what_expires_is_told_in_its_own_thread(room: Room, clock: Clock) -> None:
    there = Room(room.ledger, "cy")
    here, elsewhere = room.act(), there.act()
    clock.now += limits.ACTION_SECONDS * 1000
    done = room.ledger.do(ExpireActions())
    assert {(event.user_key, event.data.id) for event in done.user_events} == {
        (room.bot.user.key, here.id), (room.ana.user.key, here.id), (there.bot.user.key, elsewhere.id),
        (there.ana.user.key, elsewhere.id),
    }  # fmt: skip


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
