"""Files of a user who is deleted. Those outside of threads go: nobody else sees them. Those in threads stay like the
messages there, by a nameless owner. Where what the user wrote is to be removed, they go unless others name them."""

from typing import Any

from peewee import JOIN, SQL, Database, fn

from actors.events import Event
from actors.resources.files.erasure import FileErasure, FilesKept, KeptBecause
from actors.resources.files.queries import ListFilesOf
from storage.journal.transaction import Transaction
from storage.personal import Personal
from storage.readers import rows
from storage.resources.files import places, uses, writing
from storage.schema import file_models, models

_F, _V, _U = file_models.File, file_models.FileVersion, file_models.Upload
_T = models.Thread


def begin(tx: Transaction, user_key: int) -> None:
    """Their uploads end: the next look for expired ones takes them, with their bytes."""
    tx.execute(_U.update(expires_at=0).where((_U.owner == user_key) & _U.completed_as.is_null()))


def report(database: Database, user_key: int, *, everything: bool) -> FileErasure:
    """What goes, and what stays why."""
    goes = _goes(user_key, everything=everything)
    count, size = _totals(database, goes)
    reason: KeptBecause = "shown_by_others" if everything else "in_threads"
    found: tuple[tuple[KeptBecause, tuple[int, int]], ...] = (
        (reason, _totals(database, _theirs(user_key) & ~goes)),
        ("versions_of_others", _versions_of_others(database, user_key)),
    )
    return FileErasure(count, size, tuple(FilesKept(why, *totals) for why, totals in found if totals[0]))


def erase(tx: Transaction, user_key: int, count: int, *, everything: bool) -> tuple[int, tuple[Event, ...]]:
    """Remove some of what goes; answers how many those were, `count` at most, and the events."""
    query = _F.select(_F.uid).join(_T, JOIN.LEFT_OUTER, on=(_F.thread == _T.id))
    found = rows.fetch(tx.database, query.where(_goes(user_key, everything=everything)).order_by(_F.id).limit(count))
    author = tx.author(user_key)
    events: list[Event] = []
    for (uid,) in found:
        place = places.there(tx, uid)
        assert place is not None
        events += writing.remove(tx, place, author).events
    return len(found), tuple(events)


def _theirs(user_key: int) -> Any:
    return (_F.owner == user_key) & _F.deleted_at.is_null() & _T.deleted_at.is_null()


def _goes(user_key: int, *, everything: bool) -> Any:
    place = SQL("1") if everything else _F.thread.is_null()
    return _theirs(user_key) & place & ~uses.is_used(but_author=user_key)


def _totals(database: Database, condition: Any) -> tuple[int, int]:
    mine = _V.alias()
    size = mine.select(fn.COALESCE(fn.SUM(mine.size), 0)).where(mine.file == _F.id)
    query = _F.select(fn.COUNT(_F.id), fn.COALESCE(fn.SUM(size), 0))
    query = query.join(_T, JOIN.LEFT_OUTER, on=(_F.thread == _T.id))
    row = rows.first(database, query.where(condition))
    assert row is not None
    return int(row[0]), int(row[1])


def _versions_of_others(database: Database, user_key: int) -> tuple[int, int]:
    query = _V.select(fn.COUNT(_V.number), fn.COALESCE(fn.SUM(_V.size), 0)).join(_F, on=(_V.file == _F.id))
    row = rows.first(database, query.where((_V.author == user_key) & (_F.owner != user_key)))
    assert row is not None
    return int(row[0]), int(row[1])


PERSONAL = (
    Personal(_F.owner, export=ListFilesOf, kept="it is removed step by step, or stays for others, who are counted"),
    Personal(_V.author, kept="like its file", withheld="its file is shown with its versions"),
    Personal(_U.owner, kept="it ends at once, and its bytes go with the next look", withheld="it is no file yet"),
)
