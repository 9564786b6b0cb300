"""What a model is given, read in steps: as much as it can hold, however long the thread is."""

import json
from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.resources.context import Context
from actors.resources.files.commands import DeleteFile
from actors.resources.files.processing import RecordPreview, RecordScan
from actors.resources.memory import ReplaceMemory, UpdateMemory
from actors.resources.messages import DeleteMessage
from actors.resources.threads import Thread
from storage.resources.context import reading as context
from tests.builders import Ledger, post
from tests.storage.resources.files.shelf import Shelf


@pytest.fixture
def thread(ledger: Ledger, ana: Identity) -> Thread:
    return ledger.thread(ana)


def say(ledger: Ledger, who: Identity, thread: Thread, count: int) -> None:
    ledger.apply(*(post(who, thread, f"message {n}") for n in range(1, count + 1)))


def built(ledger: Ledger, who: Identity, thread: Thread, max_tokens: int = 10_000) -> Context:
    return ledger.ask(context.build, who, thread.id, max_tokens)


def texts(found: Context) -> list[str]:
    return [line.text for line in found.lines]


def test_an_empty_thread(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    assert built(ledger, ana, thread) == Context("", (), 0, False, 1, 1)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 24, 25, 130])
def test_no_step_loses_or_repeats_a_message(ledger: Ledger, ana: Identity, thread: Thread, count: int) -> None:
    say(ledger, ana, thread, count)
    found = built(ledger, ana, thread)
    assert texts(found) == [f"message {n}" for n in range(1, count + 1)]
    assert [line.offset for line in found.lines] == list(range(2, count + 2))
    assert (found.truncated, found.offset) == (False, count + 1)


def test_whose_words_they_are(ledger: Ledger, ana: Identity) -> None:
    bot = ledger.user("bot", kind="ASSISTANT")
    thread = ledger.thread(ana, bot)
    ledger.post(ana, thread, "question")
    gone = ledger.post(ana, thread, "secret")
    ledger.do(post(bot, thread, "", type="ASSISTANT", blocks='[{"type":"header","text":{"text":"answer"}}]'))
    ledger.post(bot, thread, "half", type="TOOL")
    ledger.post(bot, thread, "streaming")
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=gone.id))
    ledger.sql("UPDATE message SET status = 'INTERRUPTED' WHERE content = 'half'")
    ledger.sql("UPDATE message SET status = 'STREAMING' WHERE content = 'streaming'")
    found = built(ledger, ana, thread)
    assert [(line.author, line.type, line.text) for line in found.lines] == [
        (ana.author, "USER", "question"), (bot.author, "ASSISTANT", "answer"),
        (bot.author, "TOOL", "half [interrupted]"),
    ]  # fmt: skip


def test_the_memory_comes_first(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    say(ledger, ana, thread, 30)
    ids = [row[0] for row in ledger.sql("SELECT uid FROM message ORDER BY id")]
    memory = {"summary": "They count.", "summary_up_to": 21, "facts": ["Ana counts"], "pins": [ids[4], ids[1]]}
    ledger.do(ReplaceMemory(identity=ana, thread_id=thread.id, memory=json.dumps(memory)))
    ledger.do(DeleteMessage(identity=ana, thread_id=thread.id, message_id=ids[1]))
    found = built(ledger, ana, thread, 200)
    assert found.notes.endswith("\nThey count.\n\nFacts:\n- Ana counts\n\nPinned messages:\n- ana: message 5")
    assert (found.notes_version, found.offset) == (2, 33)
    assert texts(found)[-1] == "message 30"
    assert found.lines[0].offset <= 22
    assert not found.truncated, "the summary speaks for the rest"
    ledger.do(UpdateMemory(identity=ana, thread_id=thread.id, patch='{"summary_up_to":5}'))
    assert built(ledger, ana, thread, 200).truncated


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many messages each step reads."""
    taken: list[int] = []
    real = context._said

    def counting(database: Any, found: Any) -> Any:
        taken.append(len(found))
        return real(database, found)

    monkeypatch.setattr(context, "_said", counting)
    return taken


def test_its_cost_is_of_what_is_asked_for(ledger: Ledger, ana: Identity, thread: Thread, steps: list[int]) -> None:
    costs = []
    for count in (40, 1000):
        say(ledger, ana, thread, count)
        steps.clear()
        built(ledger, ana, thread, 100)
        costs.append(list(steps))
    assert costs == [[8, 16], [8, 16]], "the same in a longer thread"
    steps.clear()
    built(ledger, ana, thread, 10_000)
    assert steps[:5] == [8, 16, 32, 64, 128]
    assert max(steps) == limits.CONTEXT_STEP_MAX


def test_tombstones_are_not_walked_through_forever(
    ledger: Ledger, ana: Identity, thread: Thread, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(ledger, ana, thread, 300)
    ledger.sql("UPDATE message SET deleted_at = 1, content = '' WHERE number > 1")
    monkeypatch.setattr(limits, "CONTEXT_MESSAGES", 50)
    found = built(ledger, ana, thread)
    assert (found.lines, found.truncated) == ((), True)
    assert sum(steps) <= 8 + 16 + 32


def test_steps_follow_the_index(ledger: Ledger, ana: Identity, thread: Thread) -> None:
    """Newest first by (thread, offset): nothing is sorted, nothing is passed over."""
    told: list[str] = []
    ledger.reader.connection().set_trace_callback(told.append)
    say(ledger, ana, thread, 20)
    built(ledger, ana, thread)
    ledger.reader.connection().set_trace_callback(None)
    pages = [sql for sql in told if "LIMIT" in sql and '"message"' in sql]
    assert len(pages) == 2
    for sql in pages:
        plan = " ".join(row[3] for row in ledger.sql(f"EXPLAIN QUERY PLAN {sql}"))
        assert "message_thread_id_offset" in plan
        assert "B-TREE" not in plan


# Files


def test_files_of_the_thread_the_newest_first_and_only_those_that_are_ready(
    ledger: Ledger, ana: Identity, thread: Thread
) -> None:
    shelf = Shelf(ledger)
    older = shelf.add(ana, thread, name="older.txt")
    ledger.do(RecordPreview(older.id, 1, "done", text="Größe\nand more"))
    shelf.record(ana, thread, name="pending.txt")
    bad = shelf.add(ana, thread, name="bad.txt")
    ledger.do(RecordPreview(bad.id, 1, "done", text="found"))
    ledger.do(RecordScan(bad.id, 1, "found", "Eicar"))
    shelf.add(ana, name="outside.txt")
    shelf.add(ana, ledger.thread(ana), name="elsewhere.txt")
    newer = shelf.add(ana, thread, name="newer.bin")
    ledger.do(DeleteFile(identity=ana, file_id=shelf.add(ana, thread, name="deleted.txt").id))
    found = ledger.ask(context.build, ana, thread.id, 1_000, True).files
    assert found is not None
    assert found.text.splitlines()[1:] == [
        f"- newer.bin (text/plain, 5 bytes, by ana, id {newer.id})",
        f"- older.txt (text/plain, 5 bytes, by ana, id {older.id})",
        "| Größe", "| and more",
    ]  # fmt: skip
    assert not found.truncated
    assert built(ledger, ana, thread).files is None


@pytest.mark.parametrize("max_tokens", [1, 40, 100, 300, 1_000, 5_000])
def test_files_take_half_of_what_the_notes_leave(
    ledger: Ledger, ana: Identity, thread: Thread, max_tokens: int
) -> None:
    file = Shelf(ledger).add(ana, thread, name="long.txt")
    ledger.do(RecordPreview(file.id, 1, "done", text="word " * 10_000))
    say(ledger, ana, thread, 50)
    found = ledger.ask(context.build, ana, thread.id, max_tokens, True)
    assert found.files is not None
    assert found.files.tokens <= max_tokens / 2
    assert found.files.truncated
    assert found.tokens <= max_tokens
    if max_tokens >= 100:
        assert texts(found)[-1] == "message 50"
