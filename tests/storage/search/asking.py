"""Searches in short, for the tests beside this."""

from typing import Any

from actors.auth.identity import Identity
from actors.resources.search import Found, Hit, Search
from storage.search.query import find
from tests.builders import Ledger


def search(ledger: Ledger, who: Identity, text: str | None = None, *, limit: int = 100, **more: Any) -> Found:
    cursor = more.pop("cursor", None)
    return ledger.ask(find, who, Search(text=text, **more), limit=limit, cursor=cursor)


def told(ledger: Ledger, who: Identity, text: str | None = None, **more: Any) -> list[str]:
    """What is found: contents of messages, titles of threads."""
    return [said(hit) for hit in search(ledger, who, text, **more).hits]


def said(hit: Hit) -> str:
    return hit.message.content if hit.message else hit.title


def marked(hit: Hit) -> str:
    """The snippet with its hits in brackets."""
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in hit.snippet)


def walk(ledger: Ledger, who: Identity, text: str | None = None, *, limit: int, **more: Any) -> list[str]:
    """All pages."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = search(ledger, who, text, limit=limit, cursor=cursor, **more)
        found += map(said, page.hits)
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.hits) == limit, "only the last page may be short"
