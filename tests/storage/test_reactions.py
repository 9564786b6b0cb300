"""Reactions: given, taken back, toggled, counted."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, Forbidden, NotFound
from actors.outcomes import Done
from actors.resources.members import UpdateMember
from actors.resources.messages import Message
from actors.resources.reactions import React, Reacted, ReactionChange
from actors.resources.threads import UpdateThread
from storage.readers import rows
from storage.resources.log import reading as log
from storage.resources.messages import reading as messages
from tests.builders import Ledger


def react(ledger: Ledger, who: Identity, message: Message, emoji: str = "👍", wanted: bool | None = None) -> Done:
    return ledger.do(
        React(
            identity=who, thread_id=message.thread_id, message_id=message.id, emoji=emoji, wanted=wanted
        )
    )  # fmt: skip


def reacted(done: Done) -> tuple[bool, bool]:
    assert isinstance(done.result, Reacted)
    return done.result.added, done.result.changed


@pytest.fixture
def message(ledger: Ledger, ana: Identity, bo: Identity) -> Message:
    return ledger.post(ana, ledger.thread(ana, bo))


def test_toggling(ledger: Ledger, ana: Identity, message: Message) -> None:
    given, taken, again = (react(ledger, ana, message) for _ in range(3))
    assert [reacted(done) for done in (given, taken, again)] == [(True, True), (False, True), (True, True)]
    assert [done.events[0].type for done in (given, taken, again)] == [
        "reaction.added", "reaction.removed", "reaction.added",
    ]  # fmt: skip
    assert [done.events[0].data for done in (given, taken)] == [
        ReactionChange(message.id, "👍", ana.author, 1),
        ReactionChange(message.id, "👍", ana.author, 0),
    ]


@pytest.mark.parametrize("wanted", [True, False])
def test_wanting_what_is_so_already_changes_nothing(
    ledger: Ledger, ana: Identity, message: Message, wanted: bool
) -> None:
    if wanted:
        react(ledger, ana, message)
    before = ledger.dump()
    done = react(ledger, ana, message, wanted=wanted)
    assert reacted(done) == (wanted, False)
    assert done.events == ()
    assert ledger.dump() == before


def test_adding_and_removing(ledger: Ledger, ana: Identity, message: Message) -> None:
    assert reacted(react(ledger, ana, message, wanted=True)) == (True, True)
    assert reacted(react(ledger, ana, message, wanted=False)) == (False, True)
    assert ledger.ask(messages.one, ana, message.id).reactions == ()


def test_groups_stand_in_the_order_in_which_they_began(
    ledger: Ledger, ana: Identity, bo: Identity, message: Message
) -> None:
    for who, emoji in ((bo, "🎉"), (ana, "👍"), (ana, "🎉"), (bo, "👀")):
        react(ledger, who, message, emoji)
    groups = ledger.ask(messages.one, ana, message.id).reactions
    assert [(g.emoji, g.count, g.reacted_by_me) for g in groups] == [
        ("🎉", 2, True), ("👍", 1, True), ("👀", 1, False),
    ]  # fmt: skip
    assert [user.name for user in groups[0].users] == ["bo", "ana"]
    seen_by_bo = ledger.ask(messages.one, bo, message.id).reactions
    assert [g.reacted_by_me for g in seen_by_bo] == [True, False, True]


def test_counts_in_events_are_those_of_that_emoji(
    ledger: Ledger, ana: Identity, bo: Identity, message: Message
) -> None:
    react(ledger, ana, message, "🎉")
    react(ledger, ana, message)
    done = react(ledger, bo, message)
    assert done.events[0].data == ReactionChange(message.id, "👍", bo.author, 2)
    page = ledger.ask(log.after_offset, ana, message.thread_id, message.offset, limit=9)
    assert [event.data for event in page.events] == [
        ReactionChange(message.id, "🎉", ana.author, 1),
        ReactionChange(message.id, "👍", ana.author, 1),
        ReactionChange(message.id, "👍", bo.author, 2),
    ]
    assert page.events[-1] == done.events[0]


def test_a_message_takes_only_so_many_emoji(
    ledger: Ledger, ana: Identity, bo: Identity, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REACTIONS_PER_MESSAGE", 2)
    react(ledger, ana, message, "1")
    react(ledger, ana, message, "2")
    with pytest.raises(Conflict, match="at most 2 different emoji"):
        react(ledger, ana, message, "3")
    react(ledger, bo, message, "1")
    react(ledger, ana, message, "2", wanted=False)
    assert reacted(react(ledger, bo, message, "3")) == (True, True)


@pytest.mark.parametrize("read_one_by_one", [True, False])
def test_only_the_first_users_are_shown_but_all_are_counted(
    ledger: Ledger, ana: Identity, monkeypatch: pytest.MonkeyPatch, read_one_by_one: bool
) -> None:
    monkeypatch.setattr(limits, "REACTIONS_READ", 99 if read_one_by_one else 1)
    people = [ledger.user(f"p{n:02}") for n in range(limits.REACTION_USERS_SHOWN + 2)]
    message = ledger.post(ana, ledger.thread(ana, *people))
    for who in people:
        react(ledger, who, message)
    (group,) = ledger.ask(messages.one, people[-1], message.id).reactions
    assert group.count == len(people)
    assert [user.id for user in group.users] == [who.user.id for who in people[: limits.REACTION_USERS_SHOWN]]
    assert group.reacted_by_me


def test_many_are_shown_as_few_are(
    ledger: Ledger, ana: Identity, bo: Identity, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted and not read one by one, they come in the same order, with the same users."""
    for who, emoji in ((bo, "2"), (ana, "2"), (ana, "1"), (bo, "1"), (bo, "3")):
        react(ledger, who, message, emoji)
    for viewer in (ana, bo):
        few = ledger.ask(messages.one, viewer, message.id).reactions
        assert [(group.emoji, group.count, group.users, group.reacted_by_me) for group in few] == [
            ("2", 2, (bo.author, ana.author), True), ("1", 2, (ana.author, bo.author), True),
            ("3", 1, (bo.author,), viewer is bo),
        ]  # fmt: skip
        with monkeypatch.context() as patched:
            patched.setattr(limits, "REACTIONS_READ", 4)
            assert ledger.ask(messages.one, viewer, message.id).reactions == few


def test_a_reaction_to_what_thousands_have_reacted_to_reads_few_of_theirs(
    ledger: Ledger, ana: Identity, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [row[1] for row in ledger.sql("PRAGMA table_info(user)") if row[1] not in ("id", "uid", "subject", "email")]
    ledger.sql(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
        f"INSERT INTO user (uid, subject, email, {', '.join(names)}) "
        f"SELECT 'u' || i, 's' || i, i || '@example.com', {', '.join(names)} FROM n JOIN user ON id = {ana.user.key}"
    )
    ledger.sql("INSERT INTO reaction SELECT ?, '👍', id, id, 0 FROM user WHERE uid LIKE 'u%'", message.key)
    read: list[Any] = []
    of = rows.author_of
    monkeypatch.setattr(rows, "author_of", lambda row: read.append(row) or of(row))
    done = react(ledger, ana, message)
    assert isinstance(done.result, Reacted)
    (group,) = done.result.message.reactions
    assert (group.count, len(group.users), group.reacted_by_me) == (3_001, limits.REACTION_USERS_SHOWN, True)
    assert len(read) < 100


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_pages_of_reactions(ledger: Ledger, ana: Identity, bo: Identity, message: Message, limit: int) -> None:
    for who, emoji in ((ana, "1"), (bo, "1"), (ana, "2"), (bo, "3"), (ana, "3")):
        react(ledger, who, message, emoji)
    seen, after, pages = [], None, 0
    while True:
        pages += 1
        page = ledger.ask(messages.reactions, ana, message.id, limit=limit, after=after)
        seen += [(reaction.emoji, reaction.user.name) for reaction in page.items]
        if page.next_cursor is None:
            break
        assert len(page.items) == limit
        after = int(page.next_cursor.partition(":")[2])
    assert seen == [("1", "ana"), ("1", "bo"), ("2", "ana"), ("3", "bo"), ("3", "ana")]
    assert pages == -(-5 // limit)


def test_who_may_react(ledger: Ledger, ana: Identity, bo: Identity, message: Message) -> None:
    stranger, root = ledger.user("stranger"), ledger.admin("root")
    change = UpdateMember(
        identity=ana, thread_id=message.thread_id, user_id=bo.user.id, role="VIEWER"
    )  # fmt: skip
    ledger.do(change)
    before = ledger.dump()
    for who, error in ((bo, Forbidden), (stranger, NotFound), (root, Forbidden)):
        with pytest.raises(error):
            react(ledger, who, message)
    ledger.do(UpdateThread(identity=ana, thread_id=message.thread_id, title="T"))
    assert ledger.dump() == before
    ledger.do(UpdateThread(identity=ana, thread_id=message.thread_id, status="CLOSED"))
    with pytest.raises(Conflict):
        react(ledger, ana, message)


def test_reacting_to_nothing(ledger: Ledger, ana: Identity, message: Message) -> None:
    with pytest.raises(NotFound):
        ledger.do(React(identity=ana, thread_id=message.thread_id, message_id="nothing", emoji="👍"))
