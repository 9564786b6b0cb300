"""What somebody has not read: moved on by what happens, it is what counting anew would tell."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors import limits
from actors.auth.identity import Identity
from actors.errors import XpError
from actors.outcomes import Done
from actors.resources.members import AddMember, MarkRead, RemoveMember, UpdateMember
from actors.resources.messages import MESSAGE_CREATED, MESSAGE_DELETED, DeleteMessage, EditMessage, Message, PostMessage
from actors.resources.notifications import (
    DismissNotification,
    MarkUnread,
    ReadAllNotifications,
    ReadNotification,
    ThreadUnread,
    Unread,
)
from actors.resources.reactions import React
from actors.resources.threads import DeleteThread, Thread
from actors.resources.user_events import THREAD_READ, UserEvent
from actors.users.unread import Counts, ThreadCount
from storage.resources.notifications import reading as notifications
from tests.builders import Ledger, post
from tests.examples import examples

ACTIONS = (
    "post", "post", "name", "name", "all", "answer", "react", "edit", "delete", "read", "read", "read to", "unread",
    "unread", "seen", "all seen", "dismiss", "leave", "join", "mute", "end",
)  # fmt: skip
actions = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2), st.integers(0, 1), st.integers(0, 11))
"""What, who, in which thread, and about which of what is there."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = Ledger(tmp_path_factory.mktemp("unread") / "experience.db")
    yield made
    made.close()


class Company:
    """Three people in two threads; the first of them owns both, and all count what they have not read."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.people = [ledger.user() for _ in range(3)]
        self.threads = [ledger.thread(self.people[0], *self.people[1:]) for _ in range(2)]
        self.messages: list[list[Message]] = [[], []]
        self.counts: dict[int, Counts] = {who.user.key: self.anew(who) for who in self.people}

    def anew(self, who: Identity) -> Counts:
        return self.ledger.ask(notifications.counts, who.user.key)

    def do(self, action: str, who: int, thread: int, number: int) -> None:
        command = self._command(action, self.people[who], self.threads[thread], self.messages[thread], number)
        if command is None:
            return
        (outcome,) = self.ledger.apply(command)
        if isinstance(outcome, XpError):
            return
        if isinstance(command, PostMessage) and isinstance(outcome.result, Message):
            self.messages[thread].append(outcome.result)
        self._move_on(outcome)

    def _move_on(self, done: Done) -> None:
        """As the server does: entries of one's own log, and to members what was written."""
        for told in done.user_events:
            self.counts[told.user_key].apply(told)
        for event in done.events:
            if not isinstance(event.data, Message):
                continue
            state = self.ledger.state(event.thread_id)
            assert state is not None
            number = event.data.number
            for user_key in state.roles:
                is_own = event.data.author.key == user_key
                if event.type == MESSAGE_CREATED.name:
                    self.counts[user_key].posted(event.thread_id, number, number, number if is_own else 0)
                elif event.type == MESSAGE_DELETED.name and not is_own:
                    self.counts[user_key].deleted(event.thread_id, number, event.position)

    def _command(self, action: str, who: Identity, thread: Thread, said: list[Message], number: int) -> Any:
        other = self.people[number % 3]
        where: Any = {"identity": who, "thread_id": thread.id}
        match action:
            case "post" | "name" | "all":
                text = {"post": "hello", "name": f"<@{other.user.id}>", "all": "@all"}[action]
                return post(who, thread, text, parent_id=said[-1].id if said and number > 8 else None)
            case "read":
                return MarkRead(**where)
            case "read to":
                return MarkRead(**where, offset=number)
            case "unread":
                return MarkUnread(**where, offset=number)
            case "leave":
                return RemoveMember(**where, user_id=other.user.id)
            case "join":
                return AddMember(**where, user_id=other.user.id, role="MEMBER")
            case "mute":
                return UpdateMember(**where, user_id=who.user.id, muted=number % 2 == 0)
            case "end" if number == 0:
                return DeleteThread(**where)
        return self._about_message(action, where, said, number) or self._about_notification(action, who, number)

    def _about_message(self, action: str, where: Any, said: list[Message], number: int) -> Any:
        if not said:
            return None
        this = said[number % len(said)]
        match action:
            case "answer":
                return post(where["identity"], where["thread_id"], "yes", parent_id=this.id)
            case "react":
                return React(**where, message_id=this.id, emoji="👍", wanted=None)
            case "edit":
                names = " ".join(f"<@{each.user.id}>" for each in self.people[number % 2 :])
                return EditMessage(**where, message_id=this.id, content=f"{names} {number}")
            case "delete":
                return DeleteMessage(**where, message_id=this.id)
        return None

    def _about_notification(self, action: str, who: Identity, number: int) -> Any:
        if action == "all seen":
            return ReadAllNotifications(identity=who)
        feed = self.ledger.ask(notifications.page, who, limit=12, before=None, unread=False).items
        if not feed or action not in ("seen", "dismiss"):
            return None
        command = ReadNotification if action == "seen" else DismissNotification
        return command(identity=who, notification_id=feed[number % len(feed)].id)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(actions, max_size=10), after=st.lists(actions, min_size=1, max_size=25))
@example(before=[("post", 0, 0, 0)], after=[("unread", 0, 0, 0)])
@example(before=[("name", 0, 0, 1), ("post", 0, 0, 0)], after=[("read to", 1, 0, 4), ("unread", 1, 0, 0)])
@example(before=[("name", 0, 0, 1)], after=[("leave", 0, 0, 1), ("join", 0, 0, 1), ("post", 0, 0, 0)])
@example(before=[], after=[("post", 0, 0, 0), ("delete", 0, 0, 0)])
@example(before=[("post", 0, 0, 0), ("post", 1, 0, 0)], after=[("unread", 1, 0, 0), ("delete", 0, 0, 0)])
@example(before=[("post", 0, 0, 0), ("post", 1, 0, 0)], after=[("unread", 1, 0, 0), ("delete", 1, 0, 1)])
@example(before=[("post", 1, 0, 0)] * 3, after=[("unread", 1, 0, 0), ("read to", 1, 0, 5), ("post", 1, 0, 0)])
@example(before=[("all", 0, 0, 0)], after=[("mute", 1, 0, 0), ("post", 0, 0, 0)])
def test_what_is_moved_on_is_what_is_counted_anew(ledger: Ledger, before: Any, after: Any) -> None:
    company = Company(ledger)
    for step in before:
        company.do(*step)
    company.counts = {who.user.key: company.anew(who) for who in company.people}
    for step in after:
        company.do(*step)
        for who in company.people:
            assert company.counts[who.user.key].unread() == company.anew(who).unread(), step


def test_all_that_was_written_at_once() -> None:
    counts = Counts({"a": ThreadCount(7, 5)}, {"m": "a"})
    counts.posted("a", 8, 12, 0)
    counts.posted("b", 3, 4, 0)
    counts.posted("c", 1, 9, 9)
    counts.posted("d", 5, 9, 7)
    counts.posted("a", 8, 12, 0)
    expected = [ThreadUnread("a", 7, 1), ThreadUnread("b", 2, 0), ThreadUnread("d", 2, 0)]
    assert counts.unread() == Unread(3, 11, 1, expected)


def test_what_was_moved_before_is_not_undone_by_what_is_told_late() -> None:
    """Messages are told a moment after the entries of the user's own log."""
    counts = Counts({"a": ThreadCount(4, 4)}, {}, position=10)
    counts.apply(marked_unread("a", number=0, unread=3, messages=5, position=14))
    counts.posted("a", 5, 5, 5)
    assert not counts.deleted("a", 2, 12), "it is in the entry"
    assert counts.unread().messages == 3
    assert counts.deleted("a", 3, 15)
    assert counts.unread().messages == 2


def marked_unread(thread_id: str, *, number: int, unread: int, messages: int, position: int) -> UserEvent:
    facts = {
        "thread_id": thread_id, "last_read_offset": number, "last_read_number": number, "unread_count": unread,
        "message_count": messages,
    }  # fmt: skip
    return UserEvent(1, 1, THREAD_READ.name, 0, facts, position)


def test_only_the_threads_asked_for_are_told_one_by_one() -> None:
    counts = Counts({"a": ThreadCount(7, 5), "b": ThreadCount(2, 1)}, {"m": "b"})
    assert counts.unread(["a", "z"]) == Unread(2, 3, 1, [ThreadUnread("a", 2, 0), ThreadUnread("z", 0, 0)])


def test_the_sums_are_of_all_threads_though_not_all_are_told() -> None:
    many = limits.UNREAD_THREADS + 5
    told = Counts({f"t{n:03}": ThreadCount(n + 1, 0) for n in range(many)}, {"m": "t000"}).unread()
    assert (told.threads, told.messages, told.mentions) == (many, many * (many + 1) // 2, 1)
    assert [each.thread_id for each in told.by_thread][:2] == ["t000", f"t{many - 1}"], "mentions first, then most"
    assert len(told.by_thread) == limits.UNREAD_THREADS
