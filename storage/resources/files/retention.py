"""Files and versions that the operator's rules let go: found on a reader, page by page; removed in small transactions
that ask the rules again."""

from typing import Any, Final

from peewee import JOIN, SQL, SqliteDatabase, fn

from actors import limits
from actors.events import Event
from actors.outcomes import Done
from actors.resources.files.retention import (
    START,
    ListPrunable,
    NoteSurplus,
    Place,
    Prunable,
    PrunablePage,
    Pruned,
    PruneFiles,
    Retention,
)
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.files import places, uses, writing
from storage.resources.holds.protection import is_file_held
from storage.schema import file_models, models

_F, _V, _B = file_models.File, file_models.FileVersion, file_models.Blob
_T = models.Thread
DAY_MS: Final = 86_400_000
_LAST: Final = 2**31
"""No version has such a number."""
_NEVER: Final = SQL("0")


@answers(ListPrunable)
def page(
    database: SqliteDatabase, retention: Retention, now: int, after: Place = START,
    limit: int = limits.FILES_PRUNED_AT_ONCE,
) -> PrunablePage:  # fmt: skip
    key, number = after
    last, is_end = _last_looked_at(database, key)
    if last == 0:  # there are no files: the two questions below take 5 ms of each start
        return PrunablePage((), None)
    ahead = (_F.id > key) & (_F.id <= last)
    found = _files(database, _whole(retention, now) & ahead, limit + 1)
    left = ahead | ((_F.id == key) & (_V.number > number))
    found += _versions(database, _outdated(retention, now) & left, limit + 1)
    found.sort(key=lambda each: each[0])
    shown = tuple(item for _, item in found[:limit])
    if len(found) > limit:
        return PrunablePage(shown, found[limit - 1][0])
    return PrunablePage(shown, None if is_end else (last, _LAST))


_Found = list[tuple[Place, Prunable]]


def _last_looked_at(database: SqliteDatabase, after: int) -> tuple[int, bool]:
    """Key of the last file of this step, and whether there are no more."""
    ahead = _F.select(_F.id).where(_F.id > after).order_by(_F.id).limit(limits.FILES_LOOKED_AT)
    keys = [key for (key,) in rows.fetch(database, ahead)]
    return (keys[-1] if keys else after), len(keys) < limits.FILES_LOOKED_AT


def _files(database: SqliteDatabase, condition: Any, count: int) -> _Found:
    mine = _V.alias()
    size = mine.select(fn.COALESCE(fn.SUM(mine.size), 0)).where(mine.file == _F.id)
    query = _F.select(_F.id, _F.uid, _F.name, _F.version, size).join(_T, JOIN.LEFT_OUTER, on=(_F.thread == _T.id))
    found = rows.fetch(database, query.where(condition).order_by(_F.id).limit(count))
    return [
        ((key, 0), Prunable(uid, name, None, "unused" if version else "pending", taken))
        for key, uid, name, version, taken in found
    ]


def _versions(database: SqliteDatabase, condition: Any, count: int) -> _Found:
    query = _V.select(_F.id, _F.uid, _F.name, _V.number, _V.size).join(_F, on=(_V.file == _F.id))
    query = query.join_from(_F, _T, JOIN.LEFT_OUTER, on=(_F.thread == _T.id)).where(condition)
    found = rows.fetch(database, query.order_by(_V.file, _V.number).limit(count))
    return [
        ((key, number), Prunable(uid, name, number, "version", size)) for key, uid, name, number, size in found
    ]  # fmt: skip


def _whole(retention: Retention, now: int) -> Any:
    """Whether a rule lets the whole file go."""
    pending = (_F.version == 0) & _since(retention.pending_days, now)
    unused = (_F.version > 0) & _F.thread.is_null() & _since(retention.unused_days, now)
    return _is_open() & (pending | unused) & ~uses.is_used() & ~uses.has_open_upload()


def _since(days: int | None, now: int) -> Any:
    return _NEVER if days is None else _F.updated_at < now - days * DAY_MS


def _outdated(retention: Retention, now: int) -> Any:
    """Whether a version is older than those that are kept, of a file that stays."""
    if retention.versions is None:
        return _NEVER
    old = _V.number <= _F.version - max(1, retention.versions)
    return _is_open() & old & ~uses.is_pinned() & ~_whole(retention, now)


def _is_open() -> Any:
    """Whether it is there, and under no legal hold."""
    return _F.deleted_at.is_null() & _T.deleted_at.is_null() & ~is_file_held(_F.owner, _F.thread)


@writes(PruneFiles)
def prune_files(tx: Transaction, command: PruneFiles) -> Done[Pruned]:
    events: list[Event] = []
    pruned = Pruned()
    for item in command.found:
        if item.number is None:
            events += (gone := _prune_file(tx, command.retention, item)) or ()
            pruned += Pruned(files=1, size=item.size) if gone is not None else Pruned()
        else:
            pruned += _prune_version(tx, command.retention, item)
    return Done(pruned, tuple(events))


def _prune_file(tx: Transaction, retention: Retention, item: Prunable) -> tuple[Event, ...] | None:
    """None where it is to stay now."""
    place = places.there(tx, item.file_id)
    if place is None or not _files(tx.database, _whole(retention, tx.now) & (_F.id == place.key), 1):
        return None
    return writing.remove(tx, place, tx.author(place.owner)).events


def _prune_version(tx: Transaction, retention: Retention, item: Prunable) -> Pruned:
    place = places.there(tx, item.file_id)
    if place is None:
        return Pruned()
    this = (_V.file == place.key) & (_V.number == item.number)
    if not _versions(tx.database, _outdated(retention, tx.now) & this, 1):
        return Pruned()
    assert item.number is not None
    writing.forget_version(tx, place, item.number)
    return Pruned(versions=1, size=item.size)


@writes(NoteSurplus)
def note_surplus(tx: Transaction, command: NoteSurplus) -> Done[int]:
    """From now on they are what nothing refers to, like all others that are collected."""
    noted = 0
    for digest, size in command.blobs:
        row = _B.insert(digest=digest, size=size, references=0, unreferenced_at=tx.now)
        noted += int(tx.execute(row.on_conflict_ignore().as_rowcount()))
    return Done(noted)
