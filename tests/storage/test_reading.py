"""What is read back: pages, counts, the log; and that nobody reads what they may not see."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.events import Event
from actors.identifiers import new_id
from actors.resources.context import GetContext
from actors.resources.log import GetLogHead, ReadLog, ReadLogBetween, ReadThreadLog
from actors.resources.members import (
    AddMember,
    GetMember,
    ListMembers,
    MarkRead,
    Member,
    MemberGone,
    RemoveMember,
    UpdateMember,
)
from actors.resources.memory import GetMemory, Memory, ReplaceMemory, UpdateMemory
from actors.resources.messages import (
    DeleteMessage,
    EditMessage,
    GetMessage,
    GetThreadOf,
    ListMessages,
    ListRevisions,
    Message,
)
from actors.resources.reactions import ListReactions, React, ReactionChange
from actors.resources.threads import CreateThread, DeleteThread, GetThread, ListThreads, Thread, UpdateThread
from actors.resources.users import GetUser, ListUsers, UserFilter
from actors.threads.state import LoadThread
from storage.readers.reads import SqliteReads
from storage.resources import memory
from storage.resources.context import reading as context
from storage.resources.log import reading as log
from storage.resources.messages import reading as messages
from storage.resources.threads import reading as threads
from storage.resources.users import export
from tests.builders import Ledger, post


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana)


def say(ledger: Ledger, who: Identity, thread: Thread, count: int) -> list[Message]:
    """Messages "1", "2", …, with other entries of the log between them."""
    said = []
    for n in range(1, count + 1):
        said.append(ledger.post(who, thread, f"{n}"))
        ledger.do(UpdateThread(identity=who, thread_id=thread.id, title=f"after {n}"))
    return said


def contents(page: Any) -> list[str]:
    return [message.content for message in page.items]


# Messages


def test_the_newest_page_comes_first(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    say(ledger, ana, thread, 5)
    page = ledger.ask(messages.page, ana, thread.id, limit=3)
    assert contents(page) == ["5", "4", "3"]
    assert page.head == ledger.one("SELECT offset FROM thread")


def test_an_empty_thread_has_an_empty_page(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    for bounds in ({}, {"after": "0"}, {"before": "9"}, {"around": "1"}):
        page = ledger.ask(messages.page, ana, thread.id, limit=3, **bounds)
        assert (page.items, page.next_cursor, page.head) == ((), None, 1)


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize("start", [{}, {"after": "0"}])
def test_following_the_cursor_shows_every_message_once(
    ledger: Ledger, ana: Identity, thread: Thread, limit: int, start: dict[str, str]
) -> None:
    say(ledger, ana, thread, 7)
    seen: list[str] = []
    bounds = dict(start)
    while True:
        page = ledger.ask(messages.page, ana, thread.id, limit=limit, **bounds)
        seen += contents(page)
        if page.next_cursor is None:
            break
        assert len(page.items) == limit
        direction, _, offset = page.next_cursor.partition(":")
        assert direction == ("after" if start else "before")
        bounds = {direction: offset}
    everything = ["1", "2", "3", "4", "5", "6", "7"]
    assert seen == (everything if start else everything[::-1])


def test_bounds_are_offsets_or_ids_and_leave_out_what_they_name(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    said = say(ledger, ana, thread, 5)
    for bound in (said[2].id, str(said[2].offset)):
        assert contents(ledger.ask(messages.page, ana, thread.id, limit=9, before=bound)) == ["2", "1"]
        assert contents(ledger.ask(messages.page, ana, thread.id, limit=9, after=bound)) == ["4", "5"]
    between = str(said[2].offset + 1)  # an offset at which there is no message
    assert contents(ledger.ask(messages.page, ana, thread.id, limit=9, before=between)) == ["3", "2", "1"]
    assert contents(ledger.ask(messages.page, ana, thread.id, limit=9, after="9" * 30)) == []


def test_around_a_message(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    said = say(ledger, ana, thread, 9)

    def around(n: int, limit: int) -> list[str]:
        return contents(ledger.ask(messages.page, ana, thread.id, limit=limit, around=said[n - 1].id))

    assert around(5, 5) == ["7", "6", "5", "4", "3"]
    assert around(5, 4) == ["7", "6", "5", "4"]
    assert around(5, 1) == ["5"]
    assert around(9, 4) == ["9", "8", "7", "6"]
    assert around(1, 4) == ["3", "2", "1"]
    assert around(5, 99) == ["9", "8", "7", "6", "5", "4", "3", "2", "1"]


def test_a_bound_in_another_thread_is_not_found(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    elsewhere = ledger.post(ana, ledger.thread(ana))
    for bound in ("before", "after", "around"):
        for name in (elsewhere.id, new_id()):
            with pytest.raises(NotFound, match=name):
                ledger.ask(messages.page, ana, thread.id, limit=3, **{bound: name})


def test_pages_hold_still_while_others_write(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    say(ledger, ana, thread, 4)
    first = ledger.ask(messages.page, ana, thread.id, limit=2)
    say(ledger, ana, thread, 2)
    assert first.next_cursor is not None
    second = ledger.ask(messages.page, ana, thread.id, limit=2, before=first.next_cursor.partition(":")[2])
    assert contents(second) == ["2", "1"]


def test_strangers_read_nothing(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    message = ledger.post(ana, thread, "private")
    questions: list[Callable[[Identity], Any]] = [
        lambda who: ledger.ask(threads.one, who, thread.id),
        lambda who: ledger.ask(threads.members, who, thread.id, limit=9, after=None),
        lambda who: ledger.ask(threads.member, who, thread.id, ana.user.id),
        lambda who: ledger.ask(messages.page, who, thread.id, limit=9),
        lambda who: ledger.ask(messages.one, who, message.id),
        lambda who: ledger.ask(messages.revisions, who, message.id),
        lambda who: ledger.ask(messages.reactions, who, message.id, limit=9, after=None),
        lambda who: ledger.ask(log.after_offset, who, thread.id, 0, limit=9),
        lambda who: ledger.ask(memory.one, who, thread.id),
        lambda who: ledger.ask(context.build, who, thread.id, 100),
    ]
    root = ledger.admin("root")
    for question in questions:
        question(ana)
        question(root)
        with pytest.raises(NotFound):
            question(bo)
    assert ledger.ask(log.after_position, bo, [thread.id], 0, limit=9).events == ()
    assert ledger.ask(threads.page, bo, limit=9, before=None, status=None).items == ()
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    for question in questions:
        for who in (ana, root):
            with pytest.raises(NotFound):
                question(who)


def test_one_message_that_is_not_there(ledger: Ledger, ana: Identity) -> None:
    with pytest.raises(NotFound):
        ledger.ask(messages.one, ana, new_id())
    with pytest.raises(NotFound):
        ledger.ask(messages.thread_of, new_id())


def test_the_thread_of_a_message(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    assert ledger.ask(messages.thread_of, ledger.post(ana, thread).id) == thread.id


# Threads


def unread(ledger: Ledger, who: Identity, thread: Thread) -> int:
    seen = ledger.ask(threads.one, who, thread.id)
    assert seen.membership is not None
    return seen.message_count - seen.membership.last_read_number


def test_unread_counts(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, bo)
    assert unread(ledger, bo, thread) == 0
    said = say(ledger, ana, thread, 3)
    assert (unread(ledger, ana, thread), unread(ledger, bo, thread)) == (0, 3)
    ledger.do(MarkRead(identity=bo, thread_id=thread.id, offset=said[1].offset))
    assert unread(ledger, bo, thread) == 1
    ledger.post(bo, thread)
    assert (unread(ledger, ana, thread), unread(ledger, bo, thread)) == (1, 0)
    ledger.do(MarkRead(identity=ana, thread_id=thread.id))
    assert unread(ledger, ana, thread) == 0


def test_one_thread_as_its_viewers_see_it(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, (bo, "VIEWER"))
    message = ledger.post(ana, thread)
    ledger.do(React(identity=ana, thread_id=thread.id, message_id=message.id, emoji="👍"))
    seen = {who.user.name: ledger.ask(threads.one, who, thread.id) for who in (ana, bo, ledger.admin("root"))}
    assert [t.membership.role if t.membership else None for t in seen.values()] == ["OWNER", "VIEWER", None]
    for name, read in seen.items():
        assert read.last_message is not None
        assert read.last_message.id == message.id
        assert [group.reacted_by_me for group in read.last_message.reactions] == [name == "ana"]
        assert (read.message_count, read.offset, read.creator) == (1, 4, ana.author)


def listed(ledger: Ledger, who: Identity, **more: Any) -> list[str]:
    seen: list[str] = []
    before: int | None = None
    while True:
        page = ledger.ask(threads.page, who, **{"limit": 2, "before": before, "status": None, **more})
        seen += [thread.title for thread in page.items]
        if page.next_cursor is None:
            return seen
        assert len(page.items) == 2
        before = int(page.next_cursor)


def test_ones_threads_by_last_activity(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    made = [ledger.thread(ana, title=f"{n}") for n in range(5)]
    ledger.thread(bo, title="not hers")
    assert listed(ledger, ana) == ["4", "3", "2", "1", "0"]
    ledger.post(ana, made[1])
    ledger.do(UpdateThread(identity=ana, thread_id=made[3].id, status="ARCHIVED"))
    assert listed(ledger, ana) == ["3", "1", "4", "2", "0"]
    assert listed(ledger, ana, status="ARCHIVED") == ["3"]
    assert listed(ledger, ana, status="ACTIVE") == ["1", "4", "2", "0"]
    ledger.do(DeleteThread(identity=ana, thread_id=made[4].id))
    assert listed(ledger, ana) == ["3", "1", "2", "0"]


def test_membership_makes_the_list(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, title="shared")
    assert listed(ledger, bo) == []
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    assert listed(ledger, bo) == ["shared"]
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    assert listed(ledger, bo) == []


def test_admins_list_everything_when_they_ask_for_it(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    root = ledger.admin("root")
    for who in (ana, bo, root):
        ledger.thread(who, title=who.user.name)
    assert listed(ledger, root) == ["root"]
    assert listed(ledger, root, everything=True) == ["root", "bo", "ana"]
    page = ledger.ask(threads.page, root, limit=9, before=None, status=None, everything=True)
    assert [thread.membership is not None for thread in page.items] == [True, False, False]


def test_members_by_age_of_their_account(ledger: Ledger, ana: Identity) -> None:
    people = [ledger.user(f"p{n}") for n in range(4)]
    thread = ledger.thread(people[2], people[3], ana, people[0], people[1])
    seen: list[Member] = []
    after: int | None = None
    while True:
        page = ledger.ask(threads.members, ana, thread.id, limit=2, after=after)
        assert page.head == 5
        seen += page.items
        if page.next_cursor is None:
            break
        after = int(page.next_cursor)
    assert [member.user.name for member in seen] == ["ana", "p0", "p1", "p2", "p3"]
    assert [member.role for member in seen] == ["MEMBER", "MEMBER", "MEMBER", "OWNER", "MEMBER"]
    assert ledger.ask(threads.member, ana, thread.id, people[1].user.id) == seen[2]
    with pytest.raises(NotFound):
        ledger.ask(threads.member, ana, thread.id, new_id())


def test_what_an_actor_needs_to_know(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, (bo, "VIEWER"))
    ledger.post(ana, thread)
    state = ledger.state(thread)
    assert state is not None
    assert (state.id, state.status, state.offset, state.deleted) == (thread.id, "ACTIVE", 3, False)
    assert state.roles == {ana.user.key: "OWNER", bo.user.key: "VIEWER"}
    assert ledger.state(new_id()) is None


# The log


def everything_happens(ledger: Ledger, ana: Identity, bo: Identity) -> tuple[Thread, list[Event]]:
    """A thread in whose log each type of entry occurs, and the events as they were told live."""
    created = ledger.do(CreateThread(identity=ana, title="T", members=((bo.user.id, "MEMBER"),)))
    thread = created.result
    assert isinstance(thread, Thread)
    there: dict[str, Any] = {"identity": ana, "thread_id": thread.id}
    told = list(created.events)
    for command in (
        post(ana, thread, "one", message_id="m1"),
        post(bo, thread, "two", message_id="m2", parent_id="m1"),
        UpdateThread(**there, title="New"),
        EditMessage(**there, message_id="m1", content="edited"),
        React(identity=bo, thread_id=thread.id, message_id="m1", emoji="👍"),
        React(identity=bo, thread_id=thread.id, message_id="m1", emoji="👍"),
        MarkRead(**there),
        UpdateMember(**there, user_id=bo.user.id, role="VIEWER"),
        DeleteMessage(**there, message_id="m1"),
        ReplaceMemory(**there, memory='{"n":1}'),
        UpdateMemory(**there, patch='{"n":2}'),
        RemoveMember(**there, user_id=bo.user.id),
    ):
        told += ledger.do(command).events
    return thread, told


def test_every_type_of_entry_is_read_back(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread, told = everything_happens(ledger, ana, bo)
    page = ledger.ask(log.after_offset, ana, thread.id, 0, limit=100)
    assert [e.type for e in page.events] == [
        "thread.created", "member.added", "message.created", "message.created", "thread.updated", "message.updated",
        "reaction.added", "reaction.removed", "read.updated", "member.updated", "message.deleted", "memory.updated",
        "memory.updated", "member.removed",
    ]  # fmt: skip
    same = ("thread_key", "thread_id", "position", "offset", "type", "time", "actor")
    for stored, live in zip(page.events, told, strict=True):
        assert [getattr(stored, name) for name in same] == [getattr(live, name) for name in same]
    assert (page.head, page.more, page.epoch) == (14, False, ledger.store.epoch)
    assert page.position == ledger.one("SELECT position FROM log_head")
    by_offset = {e.offset: e for e in page.events}
    for offset in (7, 8, 9, 11, 13, 14):  # what has not changed since is told as it was live
        assert by_offset[offset] == told[offset - 1]


def test_entries_tell_their_resource_as_it_is_now(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread, _ = everything_happens(ledger, ana, bo)
    data = [event.data for event in ledger.ask(log.after_offset, ana, thread.id, 0, limit=100).events]
    for n in (2, 5, 10):  # created, updated and deleted all answer the tombstone
        assert isinstance(data[n], Message)
        assert (data[n].id, data[n].content, data[n].deleted_at is not None) == ("m1", "", True)
    for n in (11, 12):
        assert data[n] == Memory(thread.id, '{"n":2}', 3)
    for n in (1, 9, 13):  # who has left is gone in whatever was said of them before
        assert data[n] == MemberGone(bo.author)
    assert isinstance(data[0], Thread)
    assert data[0].title == "New"
    assert [data[n] for n in (6, 7)] == [
        ReactionChange("m1", "👍", bo.author, 1),
        ReactionChange("m1", "👍", bo.author, 0),
    ]


def test_no_page_of_the_log_shows_deleted_content(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, bo)
    message = ledger.post(ana, thread, "secret", blocks='["secret"]', metadata='{"k":"secret"}')
    ledger.do(EditMessage(identity=ana, thread_id=thread.id, message_id=message.id, content="secret too"))
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=message.id))
    for page in (
        ledger.ask(log.after_offset, bo, thread.id, 0, limit=100),
        ledger.ask(log.after_offset, bo, thread.id, 0, limit=100, reverse=True),
        ledger.ask(log.after_position, bo, [thread.id], 0, limit=100),
    ):
        assert len(page.events) >= 4
        assert "secret" not in repr(page)
    assert "secret" not in repr(ledger.ask(log.between, [thread.id], 0, 100))


def offsets(page: Any) -> list[int]:
    return [event.offset for event in page.events]


def test_pieces_of_one_thread_s_log(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    for _ in range(5):
        ledger.post(ana, thread)

    def ask(offset: int, **more: Any) -> Any:
        return ledger.ask(log.after_offset, ana, thread.id, offset, **{"limit": 100, **more})

    assert offsets(ask(0)) == [1, 2, 3, 4, 5, 6]
    assert offsets(ask(4)) == [5, 6]
    assert offsets(ask(6)) == offsets(ask(99)) == []
    assert offsets(ask(1, limit=2)) == [2, 3]
    assert [ask(1, limit=n).more for n in (4, 5, 6)] == [True, False, False]
    assert offsets(ask(1, up_to=4)) == [2, 3, 4]
    assert (ask(1, up_to=4).more, ask(1, up_to=4, limit=2).more, ask(1, up_to=4).head) == (False, True, 6)
    assert offsets(ask(0, limit=2, reverse=True)) == [6, 5]
    assert offsets(ask(5, limit=2, reverse=True)) == [4, 3]
    assert offsets(ask(1, reverse=True)) == []
    assert offsets(ask(2**62)) == []


def test_the_log_of_many_threads_is_in_the_one_order_of_all(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    a, b = ledger.thread(ana), ledger.thread(ana)
    hidden, unwanted = ledger.thread(bo), ledger.thread(ana)
    cursor = ledger.one("SELECT position FROM log_head")
    for thread in (a, b, hidden, unwanted, b, a):
        ledger.post(bo if thread is hidden else ana, thread)
    wanted = [a.id, b.id, hidden.id, new_id()]
    page = ledger.ask(log.after_position, ana, wanted, cursor, limit=10)
    assert [e.thread_id for e in page.events] == [a.id, b.id, b.id, a.id]
    assert [e.position for e in page.events] == [cursor + 1, cursor + 2, cursor + 5, cursor + 6]
    assert (page.position, page.head, page.more) == (cursor + 6, cursor + 6, False)
    assert [e.position for e in ledger.ask(log.after_position, ana, wanted, cursor + 2, limit=10).events] == [
        cursor + 5, cursor + 6,
    ]  # fmt: skip
    assert ledger.ask(log.after_position, ana, wanted, cursor + 6, limit=10).events == ()
    root = ledger.admin("root")
    assert len(ledger.ask(log.after_position, root, wanted, cursor, limit=10).events) == 5


@pytest.mark.parametrize("spread", [1, 2, 4])
def test_too_much_missed_in_many_threads_is_said(ledger: Ledger, ana: Identity, spread: int) -> None:
    made = [ledger.thread(ana) for _ in range(spread)]
    cursor = ledger.one("SELECT position FROM log_head")
    for n in range(8):
        ledger.post(ana, made[n % spread])
    ids = [thread.id for thread in made]
    for limit in (7, 8, 9):
        page = ledger.ask(log.after_position, ana, ids, cursor, limit=limit)
        assert page.more is (limit < 8)
        if not page.more:
            assert [e.position for e in page.events] == list(range(cursor + 1, cursor + 9))


def test_a_deleted_thread_is_left_out_of_the_log_of_many(ledger: Ledger, ana: Identity) -> None:
    a, b = ledger.thread(ana), ledger.thread(ana)
    ledger.do(DeleteThread(identity=ana, thread_id=a.id))
    page = ledger.ask(log.after_position, ana, [a.id, b.id], 0, limit=10)
    assert [e.thread_id for e in page.events] == [b.id]


def test_a_range_of_positions(ledger: Ledger, ana: Identity) -> None:
    a, b = ledger.thread(ana), ledger.thread(ana)  # positions 1, 2
    for thread in (a, b, a, b):
        ledger.post(ana, thread)  # 3, 4, 5, 6
    ledger.do(DeleteThread(identity=ana, thread_id=a.id))  # 7

    def positions(ids: list[str], after: int, up_to: int) -> list[int]:
        return [event.position for event in ledger.ask(log.between, ids, after, up_to)]

    assert positions([a.id, b.id], 0, 99) == [1, 2, 3, 4, 5, 6, 7]
    assert positions([b.id], 2, 6) == [4, 6]
    assert positions([], 0, 99) == positions([a.id], 7, 99) == positions([new_id()], 0, 99) == []
    assert ledger.ask(log.between, [a.id], 6, 7)[0].type == "thread.deleted"


# The port


async def test_reads_answer_queries(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread, _ = everything_happens(ledger, ana, bo)
    reads = SqliteReads(ledger.options)
    try:
        assert await reads.ask(GetUser(ana.user.id)) == ana.user
        assert (await reads.ask(ListUsers(ana, UserFilter(), limit=9, after=None))).items == (ana.user, bo.user)
        assert await reads.ask(GetThread(ana, thread.id)) == ledger.ask(threads.one, ana, thread.id)
        listed = await reads.ask(ListThreads(ana, limit=9, before=None, status=None, everything=False))
        assert [found.id for found in listed.items] == [thread.id]
        assert [m.user for m in (await reads.ask(ListMembers(ana, thread.id, limit=9, after=None))).items] == [
            ana.author
        ]
        assert (await reads.ask(GetMember(ana, thread.id, ana.user.id))).role == "OWNER"
        assert [m.id for m in (await reads.ask(ListMessages(ana, thread.id, limit=9))).items] == ["m2", "m1"]
        assert (await reads.ask(GetMessage(ana, "m2"))).content == "two"
        assert await reads.ask(GetThreadOf("m2")) == thread.id
        assert (await reads.ask(ListRevisions(ana, "m2", limit=10, before=None))).items == ()
        assert (await reads.ask(ListReactions(ana, "m2", limit=9, after=None))).items == ()
        assert (await reads.ask(ReadThreadLog(ana, thread.id, 0, limit=99))).head == 14
        assert len((await reads.ask(ReadLog(ana, [thread.id], 0, limit=99))).events) == 14
        assert len(await reads.ask(ReadLogBetween([thread.id], 2, 5))) == 3
        assert await reads.ask(GetLogHead()) == (ledger.store.epoch, 14)
        assert await reads.ask(GetMemory(ana, thread.id)) == (Memory(thread.id, '{"n":2}', 3), 14)
        assert [line.text for line in (await reads.ask(GetContext(ana, thread.id, 100))).lines] == ["two"]
        assert await reads.ask(LoadThread(thread.id)) == ledger.state(thread)
        with pytest.raises(NotFound):
            await reads.ask(GetThread(bo, thread.id))
    finally:
        reads.close()


def test_what_one_wrote_in_a_thread_that_was_deleted_is_in_no_export(
    ledger: Ledger, ana: Identity, bo: Identity
) -> None:
    gone, there = ledger.thread(ana, bo), ledger.thread(ana, bo)
    sent = [ledger.post(bo, thread) for thread in (gone, there, gone, there)]
    ledger.do(DeleteThread(identity=ana, thread_id=gone.id))
    first = ledger.ask(export.messages_by, bo.user.id, limit=1, after=None)
    assert [message.key for message in first.items] == [sent[1].key]
    rest = ledger.ask(export.messages_by, bo.user.id, limit=1, after=int(first.next_cursor or 0))
    assert ([message.key for message in rest.items], rest.next_cursor) == ([sent[3].key], None)
