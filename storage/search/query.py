"""A search: what matches, ranked or by time, a page of it, and the records that it comes to.

Ranking looks at a window at a time, the newest matches first: `WINDOW` of them are ranked among each other, then the
next ones. So every match comes exactly once, a page costs the same in a long history, and a cursor says in which window
it stands.
"""

import re
from dataclasses import dataclass

from peewee import SqliteDatabase

from actors import limits
from actors.auth.identity import Identity
from actors.errors import ValidationFailed
from actors.resources.search import FindHits, Found, Search
from storage.clock import now_ms
from storage.readers.answers import answers
from storage.search import terms
from storage.search.matches import Matches
from storage.search.reranking import Judged, judge
from storage.search.results import hits_of
from storage.search.scope import scope
from storage.search.terms import Terms

_NEWEST = 2**62
_BY_TIME = re.compile("n([0-9]{1,18})")
_BY_RANK = re.compile(r"r([0-9]{1,18})(?:\.([0-9]{1,18})\.(-?[0-9]{1,18})\.([0-9]{1,18}))?")


@dataclass(frozen=True, slots=True)
class _Window:
    """Where a page of ranked results begins."""

    most: int = _NEWEST
    least: int = 0
    """0: the window is not cut out yet, or the history ends in it."""
    after: tuple[int, int] | None = None
    """Place of the last one shown."""


@answers(FindHits)
def find(
    database: SqliteDatabase, identity: Identity, search: Search, *, limit: int, cursor: str | None = None
) -> Found:
    """Raises `NotFound`, `Forbidden`, and `ValidationFailed` for a text or a cursor that makes no sense."""
    words = terms.parse(search.text)
    where = scope(database, identity, search)
    matches = Matches(database, where, terms.expression(words, where.tags))
    if search.sort == "newest" or not words.wanted:
        keys, next_cursor = _by_time(matches, _newest_cursor(cursor), limit)
        page = [_Place(judged, f"n{judged.key}") for judged in judge(database, keys, words)]
    else:
        page, next_cursor = _Ranking(database, matches, words).page(_ranked_cursor(cursor), limit)
    hits, is_cut = hits_of(database, identity, [place.judged for place in page], now_ms())
    return Found(hits, page[len(hits) - 1].cursor if is_cut else next_cursor, matches.indexed_up_to)


@dataclass(frozen=True, slots=True)
class _Place:
    """One of a page, and the cursor of what follows it."""

    judged: Judged
    cursor: str


# By time


def _by_time(matches: Matches, most: int, limit: int) -> tuple[list[int], str | None]:
    found = matches.newest(limit + 1, most)
    return found[:limit], f"n{found[limit - 1]}" if len(found) > limit else None


def _newest_cursor(cursor: str | None) -> int:
    return _NEWEST if cursor is None else _numbers(_BY_TIME, cursor)[0] - 1


# By rank


class _Ranking:
    def __init__(self, database: SqliteDatabase, matches: Matches, words: Terms) -> None:
        self._database = database
        self._matches = matches
        self._words = words

    def page(self, window: _Window, limit: int) -> tuple[list[_Place], str | None]:
        shown: list[_Place] = []
        while True:
            most, least, ranked = self._ranked(window)
            taken = ranked[: limit - len(shown)]
            shown += [_Place(judged, f"r{most}.{least}.{judged.rank}.{judged.key}") for judged in taken]
            if len(taken) < len(ranked):
                return shown, shown[-1].cursor
            if not self._matches.newest(1, least - 1):
                return shown, None
            if len(shown) == limit:
                return shown, f"r{least - 1}"
            window = _Window(least - 1)

    def _ranked(self, window: _Window) -> tuple[int, int, list[Judged]]:
        """Bounds of the window, and what in it comes after the last one shown, the best first."""
        keys = self._matches.newest(limits.SEARCH_WINDOW, window.most, window.least)
        most = window.most if window.after is not None or not keys else keys[0]
        least = keys[-1] if len(keys) == limits.SEARCH_WINDOW else window.least
        judged = sorted(judge(self._database, keys, self._words), key=lambda one: one.place)
        if window.after is not None:
            judged = [one for one in judged if one.place > window.after]
        return most, least, judged


def _ranked_cursor(cursor: str | None) -> _Window:
    if cursor is None:
        return _Window()
    most, *rest = _numbers(_BY_RANK, cursor)
    return _Window(most, rest[0], (-rest[1], -rest[2])) if rest else _Window(most)


def _numbers(pattern: re.Pattern[str], cursor: str) -> list[int]:
    match = pattern.fullmatch(cursor)
    if match is None:
        raise ValidationFailed({"cursor": ["expected `metadata.pagination.next_cursor` of the previous page."]})
    return [int(number) for number in match.groups() if number is not None]
