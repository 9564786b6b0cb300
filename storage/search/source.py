"""Documents, made from the rows that they are about.

A message is found while it is there and whole: not when it is deleted, and not before it is written to its end. Where
a thread is deleted, its messages stay in the index until they are taken away for good; a search leaves them out.
"""

from collections.abc import Sequence
from contextlib import closing
from functools import cache
from typing import Any

from peewee import SQL, NodeList, SqliteDatabase

from actors.text.folding import fold
from storage.compiled import ManyRows, Prepared
from storage.readers import rows
from storage.schema import models
from storage.search import documents
from storage.search.documents import Document
from storage.search.searched import Searched, everything

_M, _T = models.Message, models.Thread
THERE = _M.deleted_at.is_null() & (_M.status != SQL("'STREAMING'"))  # no parameter: those may be the rows'


def messages(database: SqliteDatabase, keys: Sequence[int]) -> list[Document]:
    """Of those of the messages that are there."""
    return [documents.message(*row) for row in _MESSAGES.run(database, [(key,) for key in sorted(keys)])]


def new_messages(
    database: SqliteDatabase, least: int, most: int, count: int, chars: int
) -> tuple[list[Document], bool]:
    """At most `count` at these log positions, and no more once their texts are longer than `chars`; and whether that
    is all of them."""
    return _some(_NEW_MESSAGES.execute(database, least=least, most=most, count=count + 1), count, chars)


def new_entries(database: SqliteDatabase, least: int, most: int, chars: int) -> tuple[list[Document], int]:
    """Of titles and whatever else was created at these positions, no more of a kind once its texts are longer than
    `chars`; and up to which position that is all of them."""
    found: list[Document] = []
    for searched in everything():
        some, is_all = _entries(_new(searched).execute(database, least=least, most=most), searched, chars)
        found += some
        most = most if is_all else some[-1].key
    return [document for document in found if document.key <= most], most


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


def entries(database: SqliteDatabase, searched: Searched, condition: Any) -> list[Document]:
    """Of those that are there. Conditions may be about their threads."""
    query = _entries_query(searched).where(condition & searched.there)
    return [_entry(searched, row) for row in rows.fetch(database, query)]


def newest_entries(
    database: SqliteDatabase, searched: Searched, condition: Any, chars: int
) -> tuple[list[Document], bool]:
    """The same, the newest first, no more once their texts are longer than `chars`; and whether that is all of them."""
    query = _entries_query(searched).where(condition & searched.there).order_by(searched.position.desc())
    return _entries(database.execute(query.bind(database)), searched, chars)


def _entries(cursor: Any, searched: Searched, chars: int) -> tuple[list[Document], bool]:
    found: list[Document] = []
    with closing(cursor):
        for row in cursor:
            if chars < 0:
                return found, False
            found.append(_entry(searched, row))
            chars -= len(row[3])
    return found, True


def _looked_up(thread: Any) -> Any:
    """Of each row: SQLite must not begin with the thread and look through everything that was ever in it."""
    return NodeList((SQL("+"), thread))


def _messages_query() -> Any:
    return _M.select(_M.id, _M.thread, _M.author, _M.type, _M.content, _M.blocks, _M.parent)


def _entries_query(searched: Searched) -> Any:
    text = searched.text if searched.folded is None else searched.folded
    return searched.select(searched.position, searched.thread, searched.author, text)


def _entry(searched: Searched, row: Sequence[Any]) -> Document:
    position, thread, author, text = row
    folded = fold(text) if searched.folded is None else text
    return documents.entry(searched.tag, position, thread, author, folded)


@cache
def _new(searched: Searched) -> Prepared:
    return Prepared(
        lambda given: (
            _entries_query(searched)
            .where(searched.position.between(given.least, given.most) & searched.there)
            .order_by(searched.position)
        )
    )


_MESSAGES = ManyRows(lambda count: _messages_query().where(_M.id.in_([0] * count) & THERE).order_by(_M.id))
_NEW_MESSAGES = Prepared(
    lambda given: (
        _messages_query().where(_M.id.between(given.least, given.most) & THERE).order_by(_M.id).limit(given.count)
    )
)
