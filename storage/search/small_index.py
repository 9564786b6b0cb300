"""An index of a few documents, in memory: for what the index does not hold yet, and to mark what was found in a text.

The index itself holds no text, so it cannot mark words; and only its own tokenizer knows that `ran` is no `run`, but
`running` is.
"""

import sqlite3
import time
from collections.abc import Iterable, Sequence

from actors import limits
from actors.text.folding import TOKENIZER
from storage.search.documents import Document

_START, _END = "\ue000", "\ue001"
"""Around what was found. For private use, so folding leaves none of them in a text."""

Span = tuple[int, int]


class SmallIndex:
    def __init__(self, documents: Iterable[Document]) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            self._fill(documents)
        except BaseException:  # no caller has it yet to close it
            self._connection.close()
            raise

    def _fill(self, documents: Iterable[Document]) -> None:
        self._connection.execute(
            f'CREATE VIRTUAL TABLE search USING fts5 (text, tags, columnsize=0, tokenize="{TOKENIZER}")'
        )
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO search (rowid, text, tags) VALUES (?, ?, ?)", documents)

    def __enter__(self) -> "SmallIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def matching(self, expression: str) -> list[int]:
        """Keys, the newest first."""
        found = self._connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC", (expression,)
        )
        return [key for (key,) in found]

    def hits(self, any_wanted: str) -> dict[int, Sequence[Span]]:
        """Key → where in the folded text something wanted stands; documents without any are left out, and
        those that there was no time for."""
        found: dict[int, Sequence[Span]] = {}
        end = time.monotonic() + limits.SEARCH_MARKED_SECONDS
        self._connection.set_progress_handler(lambda: time.monotonic() > end, limits.SMALL_INDEX_STEPS)
        try:
            for key, marked in self._connection.execute(
                "SELECT rowid, highlight(search, 0, ?, ?) FROM search WHERE search MATCH ?",
                (_START, _END, f"text : ({any_wanted})"),
            ):
                found[key] = _spans(marked)
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
        return found


def _spans(marked: str) -> list[Span]:
    head, *rest = marked.split(_START)
    at, found = len(head), []
    for part in rest:
        hit, _, after = part.partition(_END)
        found.append((at, at + len(hit)))
        at += len(hit) + len(after)
    return found
