"""Marking what was found ends, whatever the texts are."""

import pytest

from actors import limits
from storage.search.documents import Document
from storage.search.small_index import SmallIndex
from storage.search.terms import parse


def test_what_there_is_no_time_for_is_not_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    words = parse("needle").any_wanted
    with SmallIndex(Document(key, "a needle", "") for key in range(200)) as index:
        assert len(index.hits(words)) == 200
        monkeypatch.setattr(limits, "SEARCH_MARKED_SECONDS", 0.0)
        assert len(index.hits(words)) < 200
