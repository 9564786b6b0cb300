"""Documents, made from the rows that they are about.

A message is found while it is there and whole: not when it is deleted, and not before it is written to its end. Where
a thread is deleted, its messages stay in the index until they are taken away for good; a search leaves them out.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from peewee import SQL, NodeList, SqliteDatabase

from actors.resources.threads import THREAD_CREATED
from storage.compiled import ManyRows, Prepared
from storage.readers import rows
from storage.schema import models
from storage.search import documents
from storage.search.documents import Document

_M, _T, _E = models.Message, models.Thread, models.Event
THERE = _M.deleted_at.is_null() & (_M.status != SQL("'STREAMING'"))  # no parameter: those may be the rows'
OPENED = (_E.type == THREAD_CREATED.name) & _T.deleted_at.is_null()


def messages(database: SqliteDatabase, keys: Sequence[int]) -> list[Document]:
    """Of those of the messages that are there."""
    return [documents.message(*row) for row in _MESSAGES.run(database, [(key,) for key in sorted(keys)])]


def new_messages(
    database: SqliteDatabase, least: int, most: int, count: int, chars: int
) -> tuple[list[Document], bool]:
    """At most `count` at these log positions, and no more once their texts are longer than `chars`; and whether that
    is all of them."""
    return _some(_NEW_MESSAGES.execute(database, least=least, most=most, count=count + 1), count, chars)


def new_titles(database: SqliteDatabase, least: int, most: int) -> list[Document]:
    """Of threads that were opened at these positions."""
    return [documents.thread(*row) for row in _NEW_TITLES.execute(database, least=least, most=most)]


def messages_where(database: SqliteDatabase, condition: Any, count: int, chars: int) -> tuple[list[Document], bool]:
    """The same, the newest first. Conditions may be about their threads."""
    query = _messages_query().join(_T, on=(_T.id == _looked_up(_M.thread))).where(condition & THERE)
    query = query.order_by(_M.id.desc()).limit(count + 1)
    return _some(database.execute(query.bind(database)), count, chars)


def _some(cursor: Any, count: int, chars: int) -> tuple[list[Document], bool]:
    """Row by row: all at once may be more than memory should hold."""
    found: list[Document] = []
    with closing(cursor):
        for row in cursor:
            if len(found) == count or chars < 0:
                return found, False
            found.append(documents.message(*row))
            chars -= len(row[4]) + len(row[5] or "")
    return found, True


def titles_where(database: SqliteDatabase, condition: Any) -> list[Document]:
    """Of threads that are there; conditions are about them, and about the log entry that opened them."""
    return [documents.thread(*row) for row in rows.fetch(database, _titles_query().where(condition & OPENED))]


def title(database: SqliteDatabase, thread_key: int) -> list[Document]:
    """One, or none."""
    return titles_where(database, (_E.thread == thread_key) & (_E.offset == 1))


def _looked_up(thread: Any) -> Any:
    """Of each row: SQLite must not begin with the thread and look through everything that was ever in it."""
    return NodeList((SQL("+"), thread))


def _messages_query() -> Any:
    return _M.select(_M.id, _M.thread, _M.author, _M.type, _M.content, _M.blocks, _M.parent)


def _titles_query() -> Any:
    return _E.select(_E.position, _T.id, _T.creator, _T.title).join(_T, on=(_T.id == _looked_up(_E.thread)))


def between(least: Any, most: Any) -> tuple[Any, Any]:
    """Conditions: messages, and openings of threads, at these log positions."""
    return _M.id.between(least, most), _E.position.between(least, most)


_MESSAGES = ManyRows(lambda count: _messages_query().where(_M.id.in_([0] * count) & THERE).order_by(_M.id))
_NEW_MESSAGES = Prepared(
    lambda given: (
        _messages_query().where(between(given.least, given.most)[0] & THERE).order_by(_M.id).limit(given.count)
    )
)
_NEW_TITLES = Prepared(lambda given: _titles_query().where(between(given.least, given.most)[1] & OPENED))
