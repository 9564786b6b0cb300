"""Notifications and what waits to be delivered of them: made once for a message, read, withdrawn; others stay."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound, XpError
from actors.outcomes import Done
from actors.resources.acknowledgements import Acknowledge
from actors.resources.comments.comment import UpdateComment
from actors.resources.members import AddMember, MarkRead, RemoveMember, UpdateMember
from actors.resources.messages import AskToAcknowledge, DeleteMessage, EditMessage, Message
from actors.resources.notifications import (
    CountUnreadNotifications,
    DismissNotification,
    ListNotifications,
    Notification,
    ReadAllNotifications,
    ReadNotification,
    SetThreadPreferences,
    UpdatePreferences,
)
from actors.resources.push import LoadPush
from actors.resources.reactions import React
from actors.resources.threads import DeleteThread, Thread
from actors.resources.users import UpdateUser
from storage.journal import transaction
from storage.readers.answers import answer
from tests.builders import Ledger, post
from tests.storage.resources.artifacts.desk import Desk

NOW = 1_900_000_000_000


@pytest.fixture
def cy(ledger: Ledger) -> Identity:
    return ledger.user("cy")


@pytest.fixture
def thread(ledger: Ledger, ana: Identity, bo: Identity, cy: Identity) -> Thread:
    """Bo and Cy have chosen Web Push, and nothing waits for them."""
    thread = ledger.thread(ana, bo, cy)
    for who in (bo, cy):
        ledger.do(UpdatePreferences(identity=who, deliver=("web_push",)))
    ledger.sql("DELETE FROM notification")
    return thread


def feed(ledger: Ledger, who: Identity) -> list[tuple[str, int | None, bool]]:
    """(kind, key of the message, whether it was read)."""
    query = "SELECT kind, message_id, read_at IS NOT NULL FROM notification WHERE user_id = ? ORDER BY id"
    return [(kind, key, bool(is_read)) for kind, key, is_read in ledger.sql(query, who.user.key)]


def waiting(ledger: Ledger, who: Identity) -> int:
    return int(ledger.one("SELECT count(*) FROM outbox WHERE user_id = ?", who.user.key))


def told(done: Done[Any]) -> list[tuple[str, int]]:
    """(type, user)."""
    return [
        (event.type, event.user_key) for event in done.user_events if event.type.startswith("notification.")
    ]  # fmt: skip


def created(done: Done[Any]) -> Notification:
    (found,) = (event.data for event in done.user_events if event.type == "notification.created")
    assert isinstance(found, Notification)
    return found


def reasons(done: Done[Any]) -> list[Any]:
    return [event.data for event in done.user_events if event.type == "notification.cancelled"]


def uid(ledger: Ledger, who: Identity) -> str:
    """Of the newest notification of a user."""
    return str(ledger.one("SELECT uid FROM notification WHERE user_id = ? ORDER BY id DESC", who.user.key))


def edit(ledger: Ledger, who: Identity, message: Message, content: str) -> Done[Any]:
    return ledger.do(
        EditMessage(identity=who, thread_id=message.thread_id, message_id=message.id, content=content)
    )  # fmt: skip


def done_of(outcome: Done[Any] | XpError) -> Done[Any]:
    assert isinstance(outcome, Done), outcome
    return outcome


def react(ledger: Ledger, who: Identity, message: Message, emoji: str = "👍") -> Done[Any]:
    return ledger.do(React(identity=who, thread_id=message.thread_id, message_id=message.id, emoji=emoji))


# Made


def test_it_says_what_it_is_about(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    message = ledger.post(bo, thread, "x" * (limits.EXCERPT_CHARS + 1))
    found = created(react(ledger, ana, message))
    assert (found.kind, found.thread_id, found.message_id, found.actor) == (
        "reaction", thread.id, message.id, ana.author
    )  # fmt: skip
    assert (found.excerpt, found.created_at, found.read_at) == ("x" * limits.EXCERPT_CHARS, NOW, None)
    assert (found.artifact_id, found.comment_id) == (None, None)
    assert ledger.sql("SELECT notification_id, not_before, attempts, state, reached FROM outbox") == [
        (found.key, NOW, 0, "pending", "[]")
    ]  # fmt: skip


def test_nobody_is_notified_of_a_reaction_to_their_own(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    mine = ledger.post(bo, thread)
    assert told(react(ledger, bo, mine)) == []
    assert told(react(ledger, ana, mine)) == [("notification.created", bo.user.key)]


def test_each_hears_what_they_want_to(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    mine = ledger.post(bo, thread)
    for choice, expected in (("mentions", 1), ("none", 0), ("all", 2)):
        ledger.do(SetThreadPreferences(identity=bo, thread_id=thread.id, notify=choice))
        ledger.sql("DELETE FROM notification")
        ledger.post(ana, thread, "no name", parent_id=mine.id)
        ledger.post(ana, thread, "@bo and @cy")
        assert (len(feed(ledger, bo)), len(feed(ledger, cy))) == (expected, 1)
    ledger.do(UpdateMember(identity=bo, thread_id=thread.id, user_id=bo.user.id, muted=True))
    ledger.post(ana, thread, "@bo")
    assert len(feed(ledger, bo)) == 2


@pytest.mark.parametrize(("everywhere", "here", "expected"), [
    ("all", None, 2), ("mentions", None, 1), ("none", None, 0), ("none", "all", 2), ("all", "none", 0),
])  # fmt: skip
def test_a_choice_for_a_thread_goes_before_that_for_all(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, everywhere: Any, here: Any, expected: int
) -> None:
    mine = ledger.post(bo, thread)
    ledger.do(UpdatePreferences(identity=bo, notify=everywhere))
    ledger.do(SetThreadPreferences(identity=bo, thread_id=thread.id, notify=here))
    ledger.post(ana, thread, "no name", parent_id=mine.id)
    ledger.post(ana, thread, "@bo")
    assert len(feed(ledger, bo)) == waiting(ledger, bo) == expected


def test_what_is_urgent_waits_for_no_quiet_hours(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    minute = NOW // 60_000 % (24 * 60)
    quiet = (minute, minute + 10)
    ledger.do(UpdatePreferences(identity=bo, quiet=quiet, time_zone="UTC", deliver=("web_push", "email")))
    ledger.post(ana, thread, "@bo")
    ledger.post(ana, thread, "now", acknowledgement=AskToAcknowledge((bo.user.id,), urgent=True))
    ends = NOW - NOW % 60_000 + 600_000
    assert ledger.sql("SELECT kind, not_before FROM outbox WHERE user_id = ? ORDER BY id", bo.user.key) == [
        ("web_push", ends), ("email", ends), ("web_push", NOW), ("email", NOW)
    ]  # fmt: skip


def test_a_comment_says_where_it_stands(
    ledger: Ledger, desk: Desk, ana: Identity, bo: Identity, thread: Thread
) -> None:
    artifact = desk.create(bo, thread)
    comment = desk.comment(ana, artifact, "Really?")
    (found,) = ledger.ask(answer, ListNotifications(bo, unread=True, limit=9, before=None)).items
    assert (found.artifact_id, found.comment_id, found.message_id, found.excerpt) == (
        artifact.id, comment.id, None, "Really?"
    )  # fmt: skip
    columns = "SELECT comment_id, message_id, actor_id, thread_id FROM notification"
    assert ledger.sql(columns) == [(comment.key, None, ana.user.key, thread.key)]


# By edits


def test_an_edit_notifies_anew_and_takes_back(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    other = ledger.post(ana, thread, "@bo, another one")
    message = ledger.post(ana, thread, "@bo, look")
    before = uid(ledger, bo)
    done = edit(ledger, ana, message, "@cy, look")
    assert told(done) == [("notification.cancelled", bo.user.key), ("notification.created", cy.user.key)]
    assert reasons(done) == [{"ids": [before], "thread_id": thread.id, "reason": "taken_back"}]
    assert feed(ledger, bo) == [("mention", other.key, False)]
    assert feed(ledger, cy) == [("mention", message.key, False)]
    assert (waiting(ledger, bo), waiting(ledger, cy)) == (1, 1)
    assert told(edit(ledger, ana, message, "@cy and @ana, look")) == []


def test_of_two_reasons_the_stronger_one_notifies(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    answered = ledger.post(bo, thread)
    message = ledger.post(ana, thread, "no name", parent_id=answered.id)
    assert feed(ledger, bo) == [("reply", message.key, False)]
    done = edit(ledger, ana, message, "@bo")
    assert told(done) == [("notification.cancelled", bo.user.key), ("notification.created", bo.user.key)]
    assert feed(ledger, bo) == [("mention", message.key, False)]
    ledger.do(ReadNotification(identity=bo, notification_id=uid(ledger, bo)))
    back = edit(ledger, ana, message, "@cy")
    assert feed(ledger, bo) == [("reply", message.key, True)], "read stays read"
    assert feed(ledger, cy) == [("mention", message.key, False)]
    assert created_for(back, bo).read_at is not None
    assert (waiting(ledger, bo), waiting(ledger, cy)) == (0, 1)


def test_whom_all_named_is_named_by_all_however_many_they_are_by_now(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ledger.post(ana, thread, "@all, and @cy above all")
    monkeypatch.setattr(limits, "NOTIFIED_AT_ONCE", 1)
    assert told(edit(ledger, ana, message, "@all")) == []
    assert {cause["reason"] for cause in reasons(edit(ledger, ana, message, "nobody"))} == {"taken_back"}
    assert (feed(ledger, bo), feed(ledger, cy)) == ([], [])


def test_an_edit_that_leaves_out_no_name_takes_nothing_back(
    ledger: Ledger, desk: Desk, root: Identity, ana: Identity, bo: Identity, thread: Thread
) -> None:
    """Also where the name is another user's by now, or nobody's."""
    message, comment = ledger.post(ana, thread, "@bo, lok"), desk.comment(ana, desk.create(ana, thread), "@bo, lok")
    before = feed(ledger, bo)
    ledger.do(UpdateUser(identity=root, user_id=bo.user.id, name="Robert", email="robert@example.com"))
    change = UpdateComment(
        identity=ana, thread_id=thread.id, artifact_id=comment.artifact_id, comment_id=comment.id, content="@bo, look"
    )
    assert told(edit(ledger, ana, message, "@bo, look")) == told(ledger.do(change)) == []
    assert feed(ledger, bo) == before
    assert len(before) == 2


def created_for(done: Done[Any], who: Identity) -> Notification:
    (found,) = (
        event.data
        for event in done.user_events
        if event.type == "notification.created" and event.user_key == who.user.key
    )
    assert isinstance(found, Notification)
    return found


def test_an_answer_to_a_message_that_was_deleted_is_no_news(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    gone, there = ledger.post(bo, thread), ledger.post(bo, thread)
    ledger.do(DeleteMessage(identity=bo, thread_id=thread.id, message_id=gone.id))
    answers = [post(ana, thread, text, parent_id=gone.id) for text in ("no", "@cy, no")]
    to_other = post(ana, thread, "yes", parent_id=there.id)
    _, naming, last = (outcome.result for outcome in map(done_of, ledger.apply(*answers, to_other)))
    assert feed(ledger, bo) == [("reply", last.key, False)]
    assert feed(ledger, cy) == [("mention", naming.key, False)]


# Read


def test_who_has_read_all_reads_what_has_notified_them_since(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    message = ledger.post(ana, thread, "hello")
    mine = ledger.post(bo, thread, "hello yourself")
    later = ledger.post(bo, thread, "and you?")
    for each in (mine, later):
        react(ledger, ana, each)
    edit(ledger, ana, message, "hello @bo and @cy")
    read = ledger.do(MarkRead(identity=bo, thread_id=thread.id, offset=mine.offset))
    assert feed(ledger, bo) == [
        ("reaction", mine.key, True), ("reaction", later.key, False), ("mention", message.key, True)
    ]  # fmt: skip
    assert (read.result.last_read_offset, read.events) == (later.offset, ())
    assert [each["reason"] for each in reasons(read)] == ["read"]
    assert feed(ledger, cy) == [("mention", message.key, False)]
    assert waiting(ledger, bo) == 1
    assert told(ledger.do(MarkRead(identity=bo, thread_id=thread.id))) == [("notification.cancelled", bo.user.key)]
    assert ledger.do(MarkRead(identity=bo, thread_id=thread.id)).user_events == ()


def test_a_new_member_has_read_that_they_were_added(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana)
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    assert feed(ledger, bo) == [("added", None, False)]
    ledger.do(MarkRead(identity=bo, thread_id=thread.id))
    assert feed(ledger, bo) == [("added", None, True)]


def test_what_a_deleted_thread_notified_of_is_not_there_to_be_read(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    there = ledger.thread(ana, bo)
    ledger.do(ReadAllNotifications(identity=bo))
    ledger.post(ana, there, "@bo")
    gone = uid(ledger, bo)
    key = ledger.post(ana, thread, "@bo").key
    ledger.do(DeleteThread(identity=ana, thread_id=there.id))
    outbox = ledger.one(
        "SELECT o.id FROM outbox o JOIN notification n ON n.id = notification_id WHERE message_id = ?", key
    )
    pushed = ledger.ask(answer, LoadPush(outbox))
    assert pushed is not None
    assert (pushed.unread, ledger.ask(answer, CountUnreadNotifications(bo))) == (1, 1)
    for command in (ReadNotification, DismissNotification):
        with pytest.raises(NotFound):
            ledger.do(command(identity=bo, notification_id=gone))
    assert ledger.do(ReadAllNotifications(identity=bo)).result == 1


def test_what_was_read_waits_for_no_delivery(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ledger.post(ana, thread, "@bo and @cy"), ledger.post(ana, thread, "@bo again")
    elsewhere = ledger.post(ana, ledger.thread(ana, bo), "@bo")
    before = uid_of(ledger, bo, first)
    monkeypatch.setattr(transaction, "now_ms", lambda: NOW)
    done = ledger.do(MarkRead(identity=bo, thread_id=thread.id, offset=first.offset))
    assert reasons(done) == [{"ids": [before], "thread_id": thread.id, "reason": "read"}]
    assert [each for each in feed(ledger, bo) if each[0] == "mention"] == [
        ("mention", first.key, True), ("mention", second.key, False), ("mention", elsewhere.key, False)
    ]  # fmt: skip
    assert ledger.sql("SELECT DISTINCT read_at FROM notification WHERE read_at IS NOT NULL") == [(NOW,)]
    assert feed(ledger, cy) == [("mention", first.key, False)]
    left = ledger.sql(
        "SELECT n.message_id FROM outbox o JOIN notification n ON n.id = o.notification_id WHERE n.kind = 'mention'"
        " AND o.user_id = ? ORDER BY 1",
        bo.user.key,
    )
    assert left == [(second.key,), (elsewhere.key,)]
    assert waiting(ledger, cy) == 1


def uid_of(ledger: Ledger, who: Identity, message: Message) -> str:
    query = "SELECT uid FROM notification WHERE user_id = ? AND message_id = ?"
    return str(ledger.one(query, who.user.key, message.key))


def test_what_is_delivered_already_stays_so(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    ledger.post(ana, thread, "@bo")
    ledger.sql("UPDATE outbox SET state = 'sent'")
    ledger.do(ReadNotification(identity=bo, notification_id=uid(ledger, bo)))
    assert ledger.sql("SELECT state FROM outbox") == [("sent",)]


def test_an_acknowledgement_reads_its_own_notification(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    other, message = (ledger.post(ana, thread, acknowledgement=AskToAcknowledge()) for _ in range(2))
    before = uid_of(ledger, bo, message)
    done = ledger.do(Acknowledge(identity=bo, thread_id=thread.id, message_id=message.id))
    assert reasons(done) == [{"ids": [before], "thread_id": thread.id, "reason": "read"}]
    assert feed(ledger, bo) == [("acknowledgement", other.key, False), ("acknowledgement", message.key, True)]
    assert feed(ledger, cy) == [("acknowledgement", other.key, False), ("acknowledgement", message.key, False)]
    assert (waiting(ledger, bo), waiting(ledger, cy)) == (1, 2)


# Gone


def test_with_a_message_goes_what_it_and_its_answers_notify_of(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    message, other = ledger.post(bo, thread, "@cy, look"), ledger.post(bo, thread, "@cy, this too")
    answer = ledger.post(ana, thread, "@cy, no", parent_id=message.id)
    to_other = ledger.post(ana, thread, "yes", parent_id=other.id)
    done = ledger.do(DeleteMessage(identity=bo, thread_id=thread.id, message_id=message.id))
    assert {event["reason"] for event in reasons(done)} == {"deleted"}
    assert told(done) == [("notification.cancelled", cy.user.key), ("notification.cancelled", bo.user.key)]
    assert feed(ledger, cy) == [("mention", other.key, False), ("mention", answer.key, False)]
    assert feed(ledger, bo) == [("reply", to_other.key, False)]


def test_another_reaction_takes_the_place_of_one_that_is_taken_back(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    mine, other = ledger.post(bo, thread), ledger.post(bo, thread)
    react(ledger, ana, other)
    for who, emoji in ((ana, "👍"), (ana, "🎉"), (cy, "👍"), (bo, "👍")):
        react(ledger, who, mine, emoji)
    first = uid_of(ledger, bo, mine)
    ledger.do(ReadNotification(identity=bo, notification_id=first))
    assert told(react(ledger, ana, mine, "🎉")) == [], "another one is left"
    done = react(ledger, ana, mine)
    assert reasons(done) == [{"ids": [first], "thread_id": thread.id, "reason": "taken_back"}]
    found = created(done)
    assert (found.actor, found.kind, found.read_at is None) == (cy.author, "reaction", False)
    assert feed(ledger, bo) == [("reaction", other.key, False), ("reaction", mine.key, True)]
    assert told(react(ledger, cy, mine)) == [("notification.cancelled", bo.user.key)]
    assert feed(ledger, bo) == [("reaction", other.key, False)], "nobody is notified of their own"
    assert told(react(ledger, bo, mine)) == []


def test_who_leaves_takes_along_what_they_were_notified_of(
    ledger: Ledger, ana: Identity, bo: Identity, cy: Identity, thread: Thread
) -> None:
    there = ledger.thread(ana, bo)
    for where, text in ((thread, "@bo and @cy"), (there, "@bo")):
        ledger.post(ana, where, text)
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    left = "SELECT user_id, thread_id FROM notification WHERE kind = 'mention' ORDER BY user_id"
    assert ledger.sql(left) == [(bo.user.key, there.key), (cy.user.key, thread.key)]
