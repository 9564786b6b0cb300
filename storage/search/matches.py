"""What matches and may be seen, the newest first: out of the index, and out of what is not in it yet."""

from typing import Any

from peewee import JOIN, SqliteDatabase, fn

from actors import limits
from storage.readers import rows
from storage.resources.log import reading as log
from storage.schema import models
from storage.schema.search_models import SearchIndex
from storage.search import index, source
from storage.search.documents import Document
from storage.search.scope import Scope
from storage.search.searched import everything
from storage.search.small_index import SmallIndex

_S, _M, _T, _E = SearchIndex, models.Message, models.Thread, models.Event
MADE_AT = fn.COALESCE(_M.created_at, _E.time)


class Matches:
    """Keys are log positions. All of it is read in the caller's transaction."""

    def __init__(self, database: SqliteDatabase, scope: Scope, expression: str) -> None:
        self._database = database
        self._scope = scope
        self._expression = expression
        self._indexed = index.progress(database)
        head = log.head_position(database)
        self._since = max(self._indexed + 1, head - limits.SEARCH_FRESH_POSITIONS)
        fresh, self._is_complete = ([], True) if scope.is_empty or self._since > head else self._read_fresh()
        self._fresh = _matching(fresh, expression)

    def newest(self, count: int, most: int, least: int = 0) -> list[int]:
        """At most `count` keys, from `most` down to `least`."""
        if self._scope.is_empty:
            return []
        fresh = [key for key in self._fresh if least <= key <= most][:count]
        if len(fresh) == count:
            return fresh
        most, least = min(most, self._indexed, self._scope.most), max(least, self._scope.least)
        return fresh + [key for (key,) in rows.fetch(self._database, self.query(count - len(fresh), most, least))]

    def query(self, count: int, most: int, least: int) -> Any:
        """The part that the index answers: it walks down its own order, and looks up what it finds by key."""
        return (
            _S.select(_S.rowid)
            .join(_M, JOIN.LEFT_OUTER, on=(_M.id == _S.rowid))
            .join_from(_S, _E, JOIN.LEFT_OUTER, on=((_E.position == _S.rowid) & _E.type.in_(_created())))
            .join_from(_S, _T, on=(_T.id == fn.COALESCE(_M.thread, _E.thread)))
            .where(_S.match(self._expression) & (_S.rowid <= most) & (_S.rowid >= least))
            .where(*self._conditions(MADE_AT))
            .order_by(_S.rowid.desc())
            .limit(count)
        )

    def _conditions(self, made_at: Any) -> list[Any]:
        scope, found = self._scope, [self._scope.threads]
        if scope.after is not None:
            found.append(made_at >= scope.after)
        if scope.before is not None:
            found.append(made_at < scope.before)
        return found

    def _read_fresh(self) -> tuple[list[Document], bool]:
        """What is newer than the index, and whether that is all of it."""
        least, most = max(self._since, self._scope.least), self._scope.most
        messages = self._within(_M.id, least, most, _M.created_at)
        found, is_all = source.messages_where(
            self._database, messages, limits.SEARCH_FRESH_POSITIONS, limits.SEARCH_FRESH_CHARS
        )
        least = least if is_all else found[-1].key + 1
        for searched in everything():
            condition = self._within(searched.position, least, most, searched.made_at)
            entries, has_all = source.newest_entries(self._database, searched, condition, limits.SEARCH_FRESH_CHARS)
            found += entries
            is_all = is_all and has_all
        return found, is_all and self._since == self._indexed + 1

    def _within(self, position: Any, least: int, most: int, made_at: Any) -> Any:
        condition = position.between(least, most)
        for further in self._conditions(made_at):
            condition &= further
        return condition

    @property
    def indexed_up_to(self) -> int | None:
        """None where nothing is missing; otherwise when the first message was made that may be."""
        if self._is_complete:
            return None
        query = _M.select(_M.created_at).where(_M.id > self._indexed).order_by(_M.id).limit(1)
        row = rows.first(self._database, query)
        return int(row[0]) if row else None


def _created() -> list[str]:
    """Types of the log entries at which documents are found that are no messages."""
    return [kind.name for searched in everything() for kind in searched.created]


def _matching(documents: list[Document], expression: str) -> list[int]:
    if not documents:
        return []
    with SmallIndex(documents) as small:
        return small.matching(expression)
