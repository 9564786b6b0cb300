"""What a search costs: no table is read from end to end, however it is asked, and a page of results is what is read."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from tests.builders import Ledger, post
from tests.storage.search.asking import search

QUESTIONS: tuple[dict[str, Any], ...] = (
    {"text": "needle"}, {"text": '"a needle" -hay need*'}, {"text": "needle", "sort": "newest"}, {"has": "link"},
    {"author_id": True}, {"thread_id": True}, {"text": "needle", "thread_id": True, "author_id": True},
    {"after": 1, "before": 2**42}, {"text": "needle", "after": 2**42}, {"text": "needle", "kind": "thread"},
    {"text": "needle", "everything": True}, {"everything": True, "after": 1, "sort": "newest"},
)  # fmt: skip


def plans(ledger: Ledger, who: Identity, **question: Any) -> dict[str, list[str]]:
    """Statement → how SQLite goes about it."""
    statements: list[str] = []
    connection = ledger.reader.connection()
    connection.set_trace_callback(statements.append)
    search(ledger, who, limit=30, **question)
    connection.set_trace_callback(None)
    selects = [text for text in statements if text.startswith("SELECT") and "'main'." not in text]  # FTS5's own
    assert selects
    return {text: [row[3] for row in ledger.sql(f"EXPLAIN QUERY PLAN {text}")] for text in selects}


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.parametrize("state", ["aside", "indexed", "many threads"])
def test_no_table_is_scanned(
    ledger: Ledger, root: Identity, question: dict[str, Any], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = ledger.thread(root, title="needle")
    ledger.apply(*(post(root, thread, "a needle in hay, https://x") for _ in range(300)))
    if state != "aside":
        ledger.index()
    if state == "many threads":
        monkeypatch.setattr(limits, "SEARCH_THREADS", 0)
    if "author_id" in question:
        question = {**question, "author_id": root.user.id}
    if "thread_id" in question:
        question = {**question, "thread_id": thread.id}
    for text, plan in plans(ledger, root, **question).items():
        for line in plan:
            one_row = ("search_progress", "log_head")
            if line.startswith("SCAN") and not any(f'FROM "{table}"' in text for table in one_row):
                assert "VIRTUAL TABLE INDEX" in line, (text, plan)
            if "MATCH" in text:
                assert "USE TEMP B-TREE" not in line, (text, plan)
            assert "AUTOMATIC" not in line, (text, plan)


def test_what_is_aside_is_read_by_its_place_in_the_log(ledger: Ledger, root: Identity) -> None:
    """Not by its thread, in which there may be anything."""
    thread = ledger.thread(root, title="needle")
    ledger.apply(*(post(root, thread, "a needle") for _ in range(300)))
    aside = [
        line
        for text, plan in plans(ledger, root, text="needle", thread_id=thread.id).items()
        if "BETWEEN" in text
        for line in plan
    ]
    assert aside
    by_place = (
        "INTEGER PRIMARY KEY",
        "INDEX file_position",
        "INDEX artifact_position",
        "CORRELATED",
        "VIRTUAL TABLE INDEX 0:=",
    )
    assert all(any(way in line for way in by_place) for line in aside), aside


def test_a_search_reads_as_much_in_a_long_history(ledger: Ledger, root: Identity) -> None:
    """Steps of SQLite's machine, not milliseconds."""
    thread = ledger.thread(root)

    def cost(count: int) -> int:
        ledger.apply(*(post(root, thread, f"a needle {n}") for n in range(count)))
        ledger.index()
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        ledger.reader.connection().set_progress_handler(step, 100)
        search(ledger, root, "needle", limit=10)
        ledger.reader.connection().set_progress_handler(None, 0)
        return steps

    few = cost(1000)
    assert cost(3000) < few * 1.2
