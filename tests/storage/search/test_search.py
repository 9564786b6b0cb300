"""A search: who finds what, by which conditions, in which order, page by page."""

import itertools
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Forbidden, NotFound, ValidationFailed
from actors.identifiers import new_id
from actors.resources.members import AddMember, RemoveMember
from actors.resources.messages import DeleteMessage
from actors.resources.reactions import React
from actors.resources.search import FindHits
from actors.resources.threads import DeleteThread, Thread
from storage.readers.reads import SqliteReads
from storage.search import query as searching
from storage.search.query import find
from storage.search.ranking import HALF_LIFE_MS
from tests.builders import Ledger, post
from tests.storage.search.asking import marked, search, told, walk

Search = searching.Search


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana, title="plans")


@pytest.fixture(params=["aside", "indexed", "half"], autouse=True)
def settle(request: pytest.FixtureRequest, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search here is answered the same, whatever of it the index knows already."""
    turns = itertools.count()

    def ask_then(*args: Any, **kwargs: Any) -> Any:
        if request.param == "indexed" or (request.param == "half" and next(turns) % 2):
            ledger.index()
        return Ledger.ask(ledger, *args, **kwargs)

    monkeypatch.setattr(ledger, "ask", ask_then)


# Who may


def test_what_one_is_no_member_of_is_not_there(ledger: Ledger, ana: Identity, bo: Identity) -> None:
    thread = ledger.thread(ana, title="needle of ana")
    ledger.post(ana, thread, "needle")
    mine = ledger.thread(bo, title="mine")
    ledger.post(bo, mine, "my needle")
    assert told(ledger, bo, "needle") == ["my needle"]
    with pytest.raises(NotFound):
        search(ledger, bo, "needle", thread_id=thread.id)
    assert told(ledger, ledger.user("nobody"), "needle") == []
    assert told(ledger, ledger.user("nobody"), "-x", after=0) == []


@pytest.mark.parametrize("role", ["OWNER", "MEMBER", "VIEWER"])
def test_every_member_finds_what_was_said_until_they_leave(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread, role: Any
) -> None:
    ledger.post(ana, thread, "before bo came")
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id, role=role))
    ledger.post(ana, thread, "while bo was here")
    assert len(told(ledger, bo, "bo")) == 2
    page = search(ledger, bo, "bo", limit=1)
    ledger.do(RemoveMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    assert told(ledger, bo, "bo") == []
    assert told(ledger, bo, "bo", cursor=page.next_cursor) == []
    with pytest.raises(NotFound):
        search(ledger, bo, "bo", thread_id=thread.id)


def test_admins_find_their_own_or_everything(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    root = ledger.admin("root")
    ledger.post(ana, thread, "a needle")
    own = ledger.thread(root, title="own")
    ledger.post(root, own, "the needle of an admin")
    assert told(ledger, root, "needle") == ["the needle of an admin"]
    assert len(told(ledger, root, "needle", everything=True)) == 2
    assert told(ledger, root, "needle", thread_id=thread.id) == ["a needle"], "what they name, they may see"
    with pytest.raises(Forbidden):
        search(ledger, ana, "needle", everything=True)
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert told(ledger, root, "needle", everything=True) == ["the needle of an admin"]
    with pytest.raises(NotFound):
        search(ledger, root, "needle", thread_id=thread.id)


def test_members_of_very_many_threads(
    ledger: Ledger, ana: Identity, bo: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it goes another way, to the same end."""
    threads = [ledger.thread(ana if n % 2 else bo, title=f"needle {n}") for n in range(12)]
    for n, thread in enumerate(threads):
        ledger.post(ana if n % 2 else bo, thread, f"a needle in {n}")
    few = sorted(told(ledger, ana, "needle"))
    monkeypatch.setattr(limits, "SEARCH_THREADS", 3)
    assert sorted(told(ledger, ana, "needle")) == few
    assert len(few) == 12
    assert walk(ledger, ana, "needle", limit=5, sort="newest") == told(ledger, ana, "needle", sort="newest")


# What is found


def test_words_phrases_exclusions_beginnings(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    for text in ("red green blue", "green red", "blue", "greenhouse red", "Réd café 東京都"):
        ledger.post(ana, thread, text)

    def found(text: str) -> set[str]:
        return set(told(ledger, ana, text, kind="message"))

    assert found("red") == {"red green blue", "green red", "greenhouse red", "Réd café 東京都"}
    assert found("RED green") == {"red green blue", "green red"}
    assert found('"red green"') == {"red green blue"}
    assert found("red -green") == {"greenhouse red", "Réd café 東京都"}
    assert found("-red") == {"blue"}
    assert found("gree* -blue") == {"green red", "greenhouse red"}
    assert found('red -"red green" -cafe') == {"green red", "greenhouse red"}
    assert found("京都") == found("東京") == found("cafe 都") == found("東*") == {"Réd café 東京都"}
    assert found("都東") == found("gree") == set()


def test_titles_and_messages(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.post(ana, thread, "the plans of ours")
    both = search(ledger, ana, "plans").hits
    assert [(hit.kind, hit.title) for hit in both] == [("thread", "plans"), ("message", "plans")]
    assert (both[0].message, both[0].thread_id) == (None, thread.id)
    assert [hit.id for hit in both] == [thread.id, both[1].message and both[1].message.id]
    assert [marked(hit) for hit in both] == ["[plans]", "the [plans] of ours"]
    assert told(ledger, ana, "plans", kind="thread") == ["plans"]
    assert told(ledger, ana, "plans", kind="message") == ["the plans of ours"]


def test_filters(ledger: Ledger, ana: Identity, bo: Identity, thread: Thread) -> None:
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    other = ledger.thread(bo, ana, title="other plans")
    first = ledger.post(ana, thread, "a word")
    ledger.post(bo, thread, "bo's word at https://example.com", parent_id=first.id)
    ledger.post(bo, other, "elsewhere a word", blocks='[{"type":"markdown","text":"boxed word"}]')
    ledger.post(ana, other, "a tool's word", type="TOOL")

    def found(**conditions: Any) -> set[str]:
        return set(told(ledger, ana, **conditions))

    assert found(text="word", thread_id=thread.id) == {"a word", "bo's word at https://example.com"}
    assert found(thread_id=other.id) == {"elsewhere a word", "a tool's word", "other plans"}
    assert found(author_id=bo.user.id) == {"bo's word at https://example.com", "elsewhere a word", "other plans"}
    assert found(text="word", author_id=ana.user.id) == {"a word", "a tool's word"}
    assert found(type="TOOL") == {"a tool's word"}
    assert found(type="ASSISTANT") == set()
    assert found(has="link") == {"bo's word at https://example.com"}
    assert found(has="reply") == {"bo's word at https://example.com"}
    assert found(has="blocks") == found(text="boxed") == {"elsewhere a word"}
    assert found(has="reply", thread_id=other.id) == set()
    assert found(text="plans", author_id=bo.user.id, kind="thread") == {"other plans"}
    with pytest.raises(NotFound, match="user"):
        found(author_id=new_id())
    with pytest.raises(NotFound, match="thread"):
        found(thread_id=new_id())


def make_older(ledger: Ledger, key: int, made_at: int) -> None:
    ledger.sql("UPDATE message SET created_at = ? WHERE id = ?", made_at, key)


def test_times(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    day = 24 * 3600 * 1000
    said = [ledger.post(ana, thread, f"{n}") for n in range(10)]
    now = said[0].created_at
    for n, message in enumerate(said):
        make_older(ledger, message.key, now - (10 - n) * day)
    ledger.sql("UPDATE thread SET created_at = ?", now - 11 * day)
    ledger.sql("UPDATE event SET time = ? WHERE type = 'thread.created'", now - 11 * day)

    def found(**bounds: int) -> list[str]:
        return told(ledger, ana, sort="newest", **{name: now - days * day for name, days in bounds.items()})

    assert found(after=2) == ["9", "8"]
    assert found(before=9) == ["0", "plans"]
    assert found(after=6, before=4) == ["5", "4"]
    assert found(after=12) == [*(f"{n}" for n in range(9, -1, -1)), "plans"]
    assert found(after=0) == found(before=12) == found(after=4, before=4) == []
    make_older(ledger, said[4].key, now - 5 * day - day // 2)  # the clock was set back for a moment
    make_older(ledger, said[5].key, now - 6 * day)
    assert found(after=6, before=5) == ["5", "4"]


def test_times_in_a_database_without_messages(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    assert told(ledger, ana, after=0) == told(ledger, ana, before=2**43) == ["plans"]
    assert told(ledger, ana, after=2**43) == []


# Order and pages


def test_relevance(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    once = ledger.post(ana, thread, "budget" + " word" * 40)
    often = ledger.post(ana, thread, "budget budget budget" + " word" * 37)
    short = ledger.post(ana, thread, "the budget")
    old = ledger.post(ana, thread, "budget budget")
    make_older(ledger, old.key, old.created_at - 6 * HALF_LIFE_MS)
    hits = search(ledger, ana, "budget").hits
    assert [hit.message.id for hit in hits if hit.message] == [short.id, often.id, once.id, old.id]
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert told(ledger, ana, "budget", sort="newest")[0] == "budget budget"


@pytest.mark.parametrize("sort", ["relevance", "newest"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 25, 26])
def test_pages_show_everything_once(
    ledger: Ledger, ana: Identity, sort: Any, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_WINDOW", 7)
    threads = [ledger.thread(ana, title=f"needle {n}") for n in range(5)]
    for n in range(20):
        ledger.post(ana, threads[n % 5], f"a needle {n}" + " needle" * (n % 4) + " hay" * (n % 7))
    whole = told(ledger, ana, "needle", sort=sort)
    assert len(set(whole)) == 25
    assert walk(ledger, ana, "needle", sort=sort, limit=limit) == whole


def test_windows_are_ranked_one_after_the_other(
    ledger: Ledger, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_WINDOW", 2)
    for text in ("needle needle", "needle and hay", "needle needle hay", "needle and more hay"):
        ledger.post(ana, thread, text)
    newer, older = ["needle needle hay", "needle and more hay"], ["needle needle", "needle and hay"]
    assert told(ledger, ana, "needle") == newer + older


def test_pages_hold_still_while_others_write(
    ledger: Ledger, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_WINDOW", 6)
    said = [ledger.post(ana, thread, f"needle {n}" + " hay" * (n % 5)) for n in range(15)]
    for sort in ("relevance", "newest"):
        found: list[str] = []
        cursor = None
        for turn in itertools.count():
            page = search(ledger, ana, "needle", limit=2, sort=sort, cursor=cursor)
            found += [hit.message.id for hit in page.hits if hit.message]
            if (cursor := page.next_cursor) is None:
                break
            ledger.post(ana, thread, f"a new needle {turn} {sort}")
            gone = ledger.post(ana, thread, "needle that goes")
            ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=gone.id))
        assert len(found) == len(set(found))
        assert {message.id for message in said} <= set(found), "what was there all the time comes once"


def test_what_is_deleted_between_pages_does_not_hide_others(
    ledger: Ledger, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_WINDOW", 5)
    said = [ledger.post(ana, thread, f"needle {n}") for n in range(12)]
    first = search(ledger, ana, "needle", limit=2)
    for n in (11, 9, 7, 3):
        ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=said[n].id))
    found, cursor = [hit.message.id for hit in first.hits if hit.message], first.next_cursor
    while cursor is not None:
        page = search(ledger, ana, "needle", limit=2, cursor=cursor)
        found += [hit.message.id for hit in page.hits if hit.message]
        cursor = page.next_cursor
    assert len(found) == len(set(found))
    left = {message.id for n, message in enumerate(said) if n not in (11, 9, 7, 3)}
    assert left <= set(found)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "1", "n", "r", "n-1", "n1.2", "r1.2", "r1.2.3", "r1.2.3.4.5", "n1\n", "n" + "9" * 19, "r1.2.-3.", "n٣"],
)
@pytest.mark.parametrize("sort", ["relevance", "newest"])
def test_cursors_of_our_own_only(ledger: Ledger, ana: Identity, thread: Thread, cursor: str, sort: Any) -> None:
    with pytest.raises(ValidationFailed) as caught:
        search(ledger, ana, "plans", cursor=cursor, sort=sort)
    assert caught.value.field_errors.keys() == {"cursor"}


def test_a_cursor_of_the_other_order_is_refused(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    for sort, cursor in (("relevance", "n5"), ("newest", "r5"), ("newest", "r5.1.2.3")):
        with pytest.raises(ValidationFailed):
            search(ledger, ana, "plans", cursor=cursor, sort=sort)


def test_cursors_past_the_end(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    for sort, cursor in (("relevance", "r0"), ("relevance", "r0.0.-999999999999999999.0"), ("newest", "n0")):
        assert search(ledger, ana, "plans", cursor=cursor, sort=sort) == searching.Found((), None, None)


# The message, and the port


def test_a_hit_has_the_message_as_its_reader_sees_it(
    ledger: Ledger, ana: Identity, bo: Identity, thread: Thread
) -> None:
    ledger.do(AddMember(identity=ana, thread_id=thread.id, user_id=bo.user.id))
    message = ledger.post(ana, thread, "hello")
    ledger.do(React(identity=bo, thread_id=thread.id, message_id=message.id, emoji="👍"))
    for who in (ana, bo):
        (hit,) = search(ledger, who, "hello").hits
        assert hit.message is not None
        assert [group.reacted_by_me for group in hit.message.reactions] == [who is bo]


def test_blocks_that_are_too_long_to_show_are_found(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    blocks = '[{"type":"markdown","text":"%s needle"}]' % ("hay " * 6000)
    ledger.post(ana, thread, "shown", blocks=blocks)
    (hit,) = search(ledger, ana, "needle").hits
    assert marked(hit) == "shown"


def test_a_needle_far_down_is_found(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.post(ana, thread, "hay " * 10_000 + "needle")
    (hit,) = search(ledger, ana, "needle").hits
    assert marked(hit).startswith("hay hay")


async def test_reads_find_hits(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.apply(*(post(ana, thread, f"needle {n}") for n in range(3)))
    reads = SqliteReads(ledger.options)
    try:
        found = await reads.ask(FindHits(ana, Search(text="needle"), limit=2, cursor=None))
        assert len(found.hits) == 2
        rest = await reads.ask(FindHits(ana, Search(text="needle"), limit=2, cursor=found.next_cursor))
        assert len(rest.hits) == 1
        at_once = ledger.ask(find, ana, Search(text="needle"), limit=9).hits
        assert [hit.id for hit in at_once] == [hit.id for hit in (*found.hits, *rest.hits)]
    finally:
        reads.close()
