"""The index is kept: what changes, changes in it at once; what is new comes into it step by step; nothing is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import peewee
import pytest

from actors import commands, limits
from actors.auth.identity import Identity
from actors.errors import PreconditionFailed, StorageUnavailable
from actors.resources.message_streams import FinishMessage, SaveProgress
from actors.resources.messages import DeleteMessage, EditMessage, Message
from actors.resources.reactions import React
from actors.resources.threads import DeleteThread, Thread, UpdateThread
from actors.resources.users import DeleteUser, EraseContent
from actors.text import folding
from storage.maintenance import integrity
from storage.search import index
from storage.search.index_updates import IndexUpdates
from tests.builders import Ledger, post
from tests.storage.search.asking import search, told

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana, title="plans")


def check(ledger: Ledger) -> None:
    assert [finding for _, finding in ledger.ask(lambda database: list(integrity.check(database))) if finding] == []


def head(ledger: Ledger) -> int:
    return int(ledger.one("SELECT position FROM log_head"))


def indexed(ledger: Ledger) -> int:
    return int(ledger.one("SELECT indexed FROM search_progress"))


def keys(ledger: Ledger, expression: str = 'tags : ("km" OR "kt")') -> list[int]:
    """What is in the index itself."""
    return [key for (key,) in ledger.sql("SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid", expression)]


def catch_up(ledger: Ledger, *, idle: bool = True) -> int:
    """As the journal does it; answers the number of steps."""
    steps = 1
    while ledger.store.catch_up(idle=idle):
        steps += 1
    return steps


def grow_older(ledger: Ledger) -> None:
    """As if everything had happened more than an hour ago."""
    ledger.sql("UPDATE thread SET deleted_at = deleted_at - 4000000")
    ledger.sql("UPDATE event SET time = time - 4000000")


# Step by step


def test_posting_does_not_touch_the_index(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.index()
    statements: list[str] = []
    connection = ledger.store.database.connection()
    connection.set_trace_callback(statements.append)
    ledger.apply(*(post(ana, thread, f"{n}") for n in range(100)))
    connection.set_trace_callback(None)
    assert not [statement for statement in statements if "search" in statement]


def test_new_messages_are_found_before_they_are_indexed_and_after(
    ledger: Ledger, ana: Identity, thread: Thread
) -> None:
    ledger.post(ana, thread, "the first needle")
    assert keys(ledger) == []
    before = search(ledger, ana, "needle").hits
    ledger.index()
    assert len(keys(ledger)) == 2
    after = search(ledger, ana, "needle").hits
    assert [hit.message for hit in before] == [hit.message for hit in after]
    assert before[0].snippet == after[0].snippet
    ledger.post(ana, thread, "the second needle")
    assert told(ledger, ana, "needle", sort="newest") == ["the second needle", "the first needle"]
    check(ledger)


LOCKED = peewee.OperationalError("database is locked")


@pytest.fixture
def steps(ledger: Ledger, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Steps that were tried of what is due; all fail by a defect."""
    tried: list[int] = []

    def fail(self: IndexUpdates, count: int) -> None:
        tried.append(count)
        raise ValueError("a defect")

    ledger.apply(*(post(ana, thread, f"{n}") for n in range(limits.INDEX_STEP)))
    monkeypatch.setattr(IndexUpdates, "_add", fail)
    return tried


def test_after_a_step_that_failed_the_index_rests_until_something_was_committed(
    ledger: Ledger, ana: Identity, thread: Thread, steps: list[int]
) -> None:
    """What fails fails again at once: the journal would do nothing else."""
    for tries in (1, 2):
        with pytest.raises(ValueError, match="a defect"):
            ledger.store.catch_up(idle=True)
        assert ledger.store.catch_up(idle=True) is False
        assert len(steps) == tries
        ledger.post(ana, thread, "the next one")


def test_where_the_database_takes_nothing_the_index_rests_until_it_has(
    ledger: Ledger, ana: Identity, thread: Thread, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any) -> Any:
        raise LOCKED

    with monkeypatch.context() as patch:
        patch.setattr(ledger.store, "_execute", locked)
        with pytest.raises(StorageUnavailable):
            ledger.store.apply([post(ana, thread)])
    assert not ledger.store.database.is_closed(), "only passing"
    assert ledger.store.catch_up(idle=True) is False
    assert steps == []
    ledger.store.heal()
    with pytest.raises(ValueError, match="a defect"):
        ledger.store.catch_up(idle=True)
    assert len(steps) == 1


def test_nothing_is_done_for_a_few(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.reopen()
    catch_up(ledger)  # what was there when it opened
    done = indexed(ledger)
    for n in range(limits.INDEX_STEP - 1):
        ledger.post(ana, thread, f"{n}")
        assert catch_up(ledger) == 1
    assert indexed(ledger) == done
    ledger.post(ana, thread, "one too many")
    catch_up(ledger)
    assert indexed(ledger) == head(ledger)
    check(ledger)


def test_little_text_stands_aside(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.reopen()
    catch_up(ledger)
    done = indexed(ledger)
    ledger.post(ana, thread, "x" * (limits.INDEX_ASIDE_CHARS - 1))
    catch_up(ledger)
    assert indexed(ledger) == done
    ledger.post(ana, thread, "x")
    catch_up(ledger)
    assert indexed(ledger) == head(ledger)


def test_while_writers_wait_it_steps_only_when_it_is_far_behind(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.reopen()
    catch_up(ledger)
    done = indexed(ledger)
    for _ in range(limits.INDEX_BEHIND // 1024):
        assert not ledger.store.catch_up(idle=False)
        ledger.apply(*(post(ana, thread, "x") for _ in range(1024)))
    assert indexed(ledger) == done
    assert not ledger.store.catch_up(idle=False), "one step brings it near enough"
    assert indexed(ledger) == done + limits.INDEX_BIG_STEP
    check(ledger)


def test_a_step_is_bounded_by_the_length_of_texts(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.apply(*(post(ana, thread, "word " * 12_000) for _ in range(20)))
    with ledger.store.database.atomic("IMMEDIATE"):
        index.step(ledger.store.database, head(ledger), 100)
    assert len(keys(ledger, 'tags : "km"')) == limits.INDEX_STEP_CHARS // 60_000 + 1
    ledger.index()
    assert len(keys(ledger)) == 21


def test_a_step_passes_what_is_not_about_messages(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    message = ledger.post(ana, thread, "x")
    for wanted in (True, False) * 10:
        react = React(
            identity=ana, thread_id=thread.id, message_id=message.id, emoji="👍", wanted=wanted
        )  # fmt: skip
        ledger.do(react)
    with ledger.store.database.atomic("IMMEDIATE"):
        assert index.step(ledger.store.database, head(ledger), 100) == head(ledger)


def test_parts_of_the_index_are_joined(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    for _ in range(40):
        ledger.apply(*(post(ana, thread, f"word{n} shared") for n in range(limits.INDEX_STEP)))
        with ledger.store.database.atomic("IMMEDIATE"):
            index.step(ledger.store.database, head(ledger), limits.INDEX_STEP)
    segments = "SELECT count(DISTINCT segid) FROM search_idx"
    parts = ledger.one(segments)
    ledger.reopen()
    catch_up(ledger)
    assert ledger.one(segments) < parts
    assert len(keys(ledger, '"shared"')) == 40 * limits.INDEX_STEP
    assert catch_up(ledger) == 1


def test_a_failing_step_hurts_nobody(ledger: Ledger, ana: Identity, thread: Thread, caplog: Any) -> None:
    ledger.reopen()
    ledger.sql("ALTER TABLE search_progress RENAME TO hidden")
    with pytest.raises(StorageUnavailable):
        ledger.store.catch_up(idle=True)
    assert "the search index does not catch up" in caplog.text
    assert not ledger.store.catch_up(idle=True), "not again before something has worked"
    ledger.post(ana, thread, "written all the same")
    ledger.sql("ALTER TABLE hidden RENAME TO search_progress")
    catch_up(ledger)
    check(ledger)


def test_a_closed_store_has_nothing_to_do(ledger: Ledger) -> None:
    ledger.store.close()
    assert not ledger.store.catch_up(idle=True)
    ledger.store.open()


# Changes


@pytest.fixture(params=["aside", "indexed"])
def settle(request: pytest.FixtureRequest, ledger: Ledger) -> Any:
    """Whether it is in the index yet makes no difference."""
    return ledger.index if request.param == "indexed" else lambda: None


def edit(who: Identity, message: Message, **fields: Any) -> EditMessage:
    return EditMessage(identity=who, thread_id=message.thread_id, message_id=message.id, **fields)


def test_an_edit_is_found_at_once(ledger: Ledger, ana: Identity, thread: Thread, settle: Any) -> None:
    message = ledger.post(ana, thread, "the old words")
    settle()
    ledger.do(edit(ana, message, content="other words"))
    assert told(ledger, ana, "old") == []
    assert told(ledger, ana, "other") == ["other words"]
    ledger.do(edit(ana, message, metadata='{"a":1}'))
    assert told(ledger, ana, "other") == ["other words"]
    ledger.do(edit(ana, message, blocks='[{"type":"markdown","text":"in a block"}]'))
    assert told(ledger, ana, "block", has="blocks") == ["other words"]
    ledger.index()
    check(ledger)


def test_a_deleted_message_is_gone_at_once(ledger: Ledger, ana: Identity, thread: Thread, settle: Any) -> None:
    message = ledger.post(ana, thread, "a secret")
    settle()
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=message.id))
    assert told(ledger, ana, "secret") == []
    assert keys(ledger, 'text : "secret"') == []
    ledger.index()
    assert keys(ledger, 'text : "secret"') == []
    check(ledger)


def test_a_title_is_found_as_it_is(ledger: Ledger, ana: Identity, thread: Thread, settle: Any) -> None:
    settle()
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, title="Budget"))
    assert told(ledger, ana, "plans") == []
    assert told(ledger, ana, "budget") == ["Budget"]
    ledger.do(UpdateThread(identity=ana, thread_id=thread.id, status="CLOSED"))
    assert told(ledger, ana, "budget") == ["Budget"]
    ledger.index()
    check(ledger)


def test_a_deleted_thread_is_gone_at_once_and_its_words_with_the_purge(
    ledger: Ledger, ana: Identity, thread: Thread, settle: Any
) -> None:
    for n in range(5):
        ledger.post(ana, thread, f"word {n}")
    kept = ledger.thread(ana, title="kept")
    ledger.post(ana, kept, "another word")
    settle()
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    assert told(ledger, ana, "word") == ["another word"]
    assert told(ledger, ana, "plans") == []
    check(ledger)
    grow_older(ledger)
    while ledger.do(commands.Purge(2)).result:
        check(ledger)
    ledger.index()
    assert keys(ledger, '"word"') == keys(ledger, '"another"')
    check(ledger)


def test_a_purge_takes_few_long_messages_at_once(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    ledger.apply(*(post(ana, thread, "word " * 12_000) for _ in range(20)))
    ledger.index()
    ledger.do(DeleteThread(identity=ana, thread_id=thread.id))
    grow_older(ledger)
    assert ledger.do(commands.Purge(500)).result == 500, "it says that there is more"
    assert ledger.one("SELECT count(*) FROM message") == 20 - (limits.INDEX_STEP_CHARS // 60_000 + 1)
    while ledger.do(commands.Purge(500)).result == 500:
        check(ledger)
    assert ledger.one("SELECT count(*) FROM thread") == 0
    assert keys(ledger) == []


def test_what_is_being_written_is_found_when_it_is_whole(
    ledger: Ledger, ana: Identity, thread: Thread, settle: Any
) -> None:
    message = ledger.post(ana, thread, "half a", status="STREAMING")
    settle()
    ledger.do(SaveProgress(thread_id=thread.id, message_id=message.id, content="half a sentence"))
    assert told(ledger, ana, "half") == []
    check(ledger)
    finish = FinishMessage(
        identity=ana, thread_id=thread.id, message_id=message.id, content="a whole sentence", status="COMPLETE"
    )
    ledger.do(finish)
    assert told(ledger, ana, "half") == []
    assert told(ledger, ana, "sentence") == ["a whole sentence"]
    check(ledger)


def test_a_refused_edit_leaves_the_index_alone(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    one, other = ledger.post(ana, thread, "one"), ledger.post(ana, thread, "other")
    ledger.index()
    batch = [
        edit(ana, one, content="changed"), edit(ana, other, content="never", if_version=7),
        post(ana, thread, "new"),
    ]  # fmt: skip
    outcomes = ledger.apply(*batch)
    assert isinstance(outcomes[1], PreconditionFailed)
    assert sorted(told(ledger, ana, thread_id=thread.id, kind="message")) == ["changed", "new", "other"]
    ledger.index()
    check(ledger)


def test_what_a_deleted_user_wrote_goes(ledger: Ledger, ana: Identity, thread: Thread, settle: Any) -> None:
    ledger.post(ana, thread, "personal")
    settle()
    root = ledger.admin("root")
    ledger.do(DeleteUser(identity=root, user_id=ana.user.id, content="remove"))
    ledger.do(EraseContent())
    assert told(ledger, root, "personal", everything=True) == []
    ledger.index()
    check(ledger)


# An index of another version, and one that is not there yet


def test_an_index_that_was_folded_otherwise_is_made_anew(
    ledger: Ledger, ana: Identity, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.post(ana, thread, "words")
    ledger.index()
    monkeypatch.setattr(folding, "VERSION", "2")
    ledger.reopen()
    assert (keys(ledger), indexed(ledger)) == ([], 0)
    assert told(ledger, ana, "words") == ["words"]
    ledger.index()
    ledger.reopen()
    assert len(keys(ledger)) == 2, "once is enough"
    check(ledger)


def test_an_old_database_is_searched_as_far_as_it_is_indexed(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    """The newest and what is indexed is found, and it is said that between them something may be missed."""
    for n in range(12):
        ledger.apply(*(post(ana, thread, f"part{n}") for _ in range(1000)))
    database = ledger.store.database
    with database.atomic("IMMEDIATE"):
        index.step(database, head(ledger), 2000)
    found = search(ledger, ana, "part0", limit=1)
    first_unindexed = ledger.one("SELECT min(created_at) FROM message WHERE id > ?", indexed(ledger))
    assert found.indexed_up_to == first_unindexed
    known = {n: bool(search(ledger, ana, f"part{n}", sort="newest").hits) for n in (0, 1, 2, 11)}
    assert known == {0: True, 1: True, 2: False, 11: True}
    ledger.do(edit(ana, found.hits[0].message, content="changed"))  # type: ignore[arg-type]
    assert told(ledger, ana, "changed") == ["changed"]
    ledger.index()
    assert search(ledger, ana, "part5").indexed_up_to is None
    assert len(keys(ledger)) == 12_001
    check(ledger)


def test_the_migration_makes_the_same_tokenizer(ledger: Ledger) -> None:
    """What is aside must be found by the same words."""
    made = ledger.one("SELECT sql FROM sqlite_master WHERE name = 'search'")
    assert f'tokenize="{folding.TOKENIZER}"' in made


# A crash


WRITER = """
import os, sys
from pathlib import Path
from actors.resources.messages import DeleteMessage, EditMessage
from tests.builders import Ledger, post

ledger = Ledger(Path(sys.argv[1]))
ana = ledger.user("ana")
thread = ledger.thread(ana)
n = 0
while True:
    done = ledger.apply(*(post(ana, thread, f"needle {n} {i}") for i in range(40)))
    ledger.apply(
        EditMessage(identity=ana, thread_id=thread.id, message_id=done[0].result.id, content="needle edited"),
        DeleteMessage(identity=ana, thread_id=thread.id, message_id=done[1].result.id),
    )
    while ledger.store.catch_up(idle=True):
        pass
    n += 1
    os.write(1, b"%d\\n" % n)
"""


@pytest.mark.parametrize("rounds", [1, 3, 6])
def test_killed_at_any_moment_it_finds_what_is_there(tmp_path: Path, rounds: int) -> None:
    path = tmp_path / "experience.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    for _ in range(rounds):
        assert writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    ledger = Ledger(path)
    ana = ledger.user("ana")
    there = ledger.one("SELECT count(*) FROM message WHERE deleted_at IS NULL")
    assert len(set(_walked(ledger, ana))) == there
    check(ledger)
    ledger.index()
    assert len(keys(ledger, 'text : "needle"')) == there
    check(ledger)
    ledger.close()


def _walked(ledger: Ledger, who: Identity) -> list[str]:
    found, cursor = [], None
    while True:
        page = search(ledger, who, "needle", sort="newest", cursor=cursor)
        found += [hit.message.id for hit in page.hits if hit.message]
        if (cursor := page.next_cursor) is None:
            return found


def test_blocks_of_every_kind_leave_by_the_words_they_came_with(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "ǅ ﬃ 한국어 🎉 İ"}, "fields": [{"text": "é"}]}
    message = ledger.post(ana, thread, "naïve 東京", blocks=orjson.dumps([block]).decode())
    ledger.index()
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=message.id))
    ledger.sql("INSERT INTO search (search) VALUES ('optimize')")
    ledger.sql("INSERT INTO search (search) VALUES ('integrity-check')")
    ledger.sql("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, search, row)")
    assert {word for word, *_ in ledger.sql("SELECT term FROM words")} == {"kt", "t1", "a1", "plan"}
