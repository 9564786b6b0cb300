"""The index is kept: by the one who writes, in the transaction of what changes.

New messages are not indexed when they come: that would cost as much as writing them (`docs/design/search.md`). They are
indexed many at a time when the journal is idle, up to a position that is kept beside the index, in the same
transaction; until then a search looks through them as they are. What is in the index already and changes, changes there
in the transaction that changes it. So a search finds what is committed, also after a crash.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from peewee import RawQuery, SqliteDatabase

from actors import limits
from actors.text import folding
from storage.compiled import ManyRows, Prepared, insert_rows
from storage.readers import rows
from storage.schema.search_models import SearchIndex, SearchProgress
from storage.search import source
from storage.search.searched import Searched

INSERT = insert_rows(SearchIndex, (SearchIndex.rowid, SearchIndex.text, SearchIndex.tags))
REMOVE = ManyRows(lambda count: RawQuery(_REMOVE + ", ".join(["('delete', ?, ?, ?)"] * count)))
_PROGRESS = Prepared(lambda _: SearchProgress.select(SearchProgress.indexed))
_SET_PROGRESS = Prepared(lambda given: SearchProgress.update(indexed=given.indexed))
_REMOVE = 'INSERT INTO "search" ("search", "rowid", "text", "tags") VALUES '


def progress(database: SqliteDatabase) -> int:
    """The position up to which the index is made."""
    return int(_PROGRESS.execute(database).fetchone()[0])


def prepare(database: SqliteDatabase) -> int:
    """Empty an index that another version of the folding has made; answers how far the index is."""
    row = rows.first(database, SearchProgress.select(SearchProgress.version))
    if row != (folding.VERSION,):
        with database.atomic("IMMEDIATE"):
            database.execute_sql('INSERT INTO "search" ("search") VALUES (\'delete-all\')')
            SearchProgress.update(version=folding.VERSION, indexed=0).execute(database)
    return progress(database)


def step(database: SqliteDatabase, head: int, count: int) -> int:
    """Index the oldest of what is new, up to the head of the log; answers how far the index is then."""
    done = progress(database)
    up_to = min(head, done + limits.INDEX_STEP_POSITIONS)
    found, is_all = source.new_messages(database, done + 1, up_to, count, limits.INDEX_STEP_CHARS)
    if not is_all:
        up_to = found[-1].key
    entries, up_to = source.new_entries(database, done + 1, up_to, limits.INDEX_STEP_CHARS)
    INSERT.run(database, sorted(entries + [message for message in found if message.key <= up_to]))
    _SET_PROGRESS.execute(database, indexed=max(up_to, done))
    return max(up_to, done)


def merge(database: SqliteDatabase) -> bool:
    """Join small parts of the index into larger ones, so that a search looks into few. True: there is more of it."""
    connection = database.connection()
    before = connection.total_changes
    database.execute_sql('INSERT INTO "search" ("search", "rank") VALUES (\'merge\', ?)', (limits.INDEX_MERGE_PAGES,))
    return bool(connection.total_changes - before > 1)  # 1: nothing was left to do


def begin_anew(database: SqliteDatabase) -> None:
    """Begin to join all parts of the index into one; `merge` goes on with it. What was taken out of the index leaves
    the file only so."""
    database.execute_sql('INSERT INTO "search" ("search", "rank") VALUES (\'merge\', ?)', (-limits.INDEX_MERGE_PAGES,))


@contextmanager
def rewriting(database: SqliteDatabase, keys: Sequence[int]) -> Iterator[None]:
    """Messages change inside, or go: their old words leave the index, the new ones come in."""
    done = progress(database)
    indexed = [key for key in keys if key <= done]
    REMOVE.run(database, source.messages(database, indexed))
    yield
    INSERT.run(database, source.messages(database, indexed))


@contextmanager
def changing(database: SqliteDatabase, searched: Searched, this: Any) -> Iterator[None]:
    """The same for what a resource has declared; `this` is the condition of its row."""
    done = progress(database)
    indexed = this & (searched.position <= done)
    REMOVE.run(database, source.entries(database, searched, indexed))
    yield
    INSERT.run(database, source.entries(database, searched, indexed))
