"""Found documents with their texts: highlighted matches, and rank."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from peewee import Case, SqliteDatabase, fn

from actors import limits
from actors.text.folding import fold
from actors.text.normal import composed
from storage.compiled import Prepared, each_of
from storage.schema import models
from storage.search import documents
from storage.search.documents import Document
from storage.search.ranking import rank
from storage.search.searched import Searched, everything
from storage.search.small_index import SmallIndex, Span
from storage.search.terms import Terms

_M = models.Message


@dataclass(frozen=True, slots=True)
class Judged:
    key: int
    rank: int
    text: str
    hits: Sequence[Span]

    @property
    def place(self) -> tuple[int, int]:
        """The best comes first, among equals the newest."""
        return -self.rank, -self.key


@dataclass(frozen=True, slots=True)
class _Text:
    key: int
    text: str
    made_at: int


def judge(database: SqliteDatabase, keys: Sequence[int], words: Terms) -> list[Judged]:
    """In the order of `keys`."""
    found = {text.key: text for text in _texts(database, keys)}
    hits = _hits(found.values(), words) if words.wanted else {}
    return [
        Judged(key, rank(len(hits.get(key, ())), len(text.text), text.made_at), text.text, hits.get(key, ()))
        for key in keys
        if (text := found.get(key))
    ]


def _hits(texts: Iterable[_Text], words: Terms) -> dict[int, Sequence[Span]]:
    with SmallIndex(Document(text.key, fold(text.text), "") for text in texts) as small:
        return small.hits(words.any_wanted)


def _texts(database: SqliteDatabase, keys: Sequence[int]) -> Iterator[_Text]:
    if not keys:
        return
    given = json.dumps(list(keys))
    for key, content, blocks_text, made_at in _MESSAGES.all(database, keys=given):
        yield _Text(key, composed(documents.spoken(content, blocks_text))[: limits.SEARCH_MESSAGE_CHARS], made_at)
    for searched in everything():
        for key, text, made_at in _entries(searched).all(database, keys=given):
            yield _Text(key, composed(text), made_at)


def _beginning(text: Any) -> Any:
    return fn.SUBSTR(text, 1, limits.SEARCH_MESSAGE_CHARS)


_BLOCKS = Case(None, [(fn.LENGTH(_M.blocks) <= limits.SEARCH_BLOCKS_CHARS, _M.blocks)])
_MESSAGES = Prepared(
    lambda given: _M.select(_M.id, _beginning(_M.content), _BLOCKS, _M.created_at).where(_M.id.in_(each_of(given.keys)))
)


@cache
def _entries(searched: Searched) -> Prepared:
    columns = (searched.position, _beginning(searched.text), searched.made_at)
    return Prepared(
        lambda given: searched.select(*columns).where(searched.position.in_(each_of(given.keys)) & searched.there)
    )
