"""Threads in which nothing has happened for long: they are archived, or deleted. Every entry of a thread's log counts,
that it was archived too."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from peewee import SQL, SqliteDatabase, fn

from actors.auth.identity import Origin
from actors.outcomes import Done
from actors.resources.retention import Outdated, OutdatedPage, RemoveOutdated
from actors.resources.threads import DeleteThread, ThreadStatus, UpdateThread
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.holds.protection import held_threads
from storage.resources.retention.rule import OutdatedRule
from storage.resources.threads import writing
from storage.schema import file_models, models, schedule_models

_T, _E, _M = models.Thread, models.Event, models.Message
_S, _F, _V = schedule_models.Schedule, file_models.File, file_models.FileVersion
Statuses = Sequence[ThreadStatus]
DELETED: Final[Statuses] = ("ACTIVE", "ARCHIVED", "CLOSED")
ARCHIVED: Final[Statuses] = ("ACTIVE",)
NOWHERE: Final = Origin("", "", "")
"""No client asks for it, and no terminal."""


def _find(statuses: Statuses, database: SqliteDatabase, before: int, after: int, limit: int) -> OutdatedPage:
    """In the order of their newest entries: the first that is not idle ends it."""
    looked_at = rows.fetch(database, _threads().where(_T.position > after).order_by(_T.position).limit(limit))
    idle = [row for row in looked_at if row[2] < before]
    keys = [key for key, _, _, status, *_ in idle if status in statuses]
    waiting = _kept(database, keys, statuses)
    weigh = _whole if statuses is DELETED else _itself
    found = tuple(weigh(database, key) for key in keys if key not in waiting)
    is_end = len(idle) < len(looked_at) or len(looked_at) < limit
    return OutdatedPage(found, None if is_end else idle[-1][1])


def _threads() -> Any:
    query = _T.select(_T.id, _T.position, _E.time, _T.status, _T.uid).join(_E, on=(_E.position == _T.position))
    return query.where(_T.deleted_at.is_null())


def _kept(database: SqliteDatabase, keys: Sequence[int], statuses: Statuses) -> set[int]:
    """Those under a legal hold, unless it is about archiving, which removes nothing."""
    held = held_threads(database, keys) if statuses is DELETED else set()
    return held | _with_schedules(database, keys)


def _with_schedules(database: SqliteDatabase, keys: Sequence[int]) -> set[int]:
    """Those for which a message is scheduled: something is still to happen there."""
    query = _S.select(_S.thread).where(_S.thread.in_(keys) & _S.ended_at.is_null())
    return {key for (key,) in rows.fetch(database, query)}


def _itself(_: SqliteDatabase, key: int) -> Outdated:
    return Outdated(key, 1, 0)


def _whole(database: SqliteDatabase, key: int) -> Outdated:
    """With its messages, its log, and the bytes of its files."""
    texts = fn.COALESCE(fn.SUM(_octets(_M.content) + _octets(_M.blocks) + _octets(_M.metadata)), SQL("0"))
    messages = rows.first(database, _M.select(fn.COUNT(_M.id), texts).where(_M.thread == key))
    entries = rows.first(database, _E.select(fn.COUNT(_E.position)).where(_E.thread == key))
    sizes = _V.select(fn.COALESCE(fn.SUM(_V.size), SQL("0"))).join(_F, on=(_V.file == _F.id))
    files = rows.first(database, sizes.where((_F.thread == key) & _F.deleted_at.is_null()))
    assert messages is not None
    assert entries is not None
    assert files is not None
    return Outdated(key, 1 + messages[0] + entries[0], messages[1] + files[0])


def _octets(column: Any) -> Any:
    return fn.LENGTH(fn.COALESCE(column, "").cast("BLOB"))


def _remove(tx: Transaction, command: RemoveOutdated) -> Done[tuple[int, ...]]:
    return _each(tx, command, DELETED)


def _archive(tx: Transaction, command: RemoveOutdated) -> Done[tuple[int, ...]]:
    return _each(tx, command, ARCHIVED)


def _each(tx: Transaction, command: RemoveOutdated, statuses: Statuses) -> Done[tuple[int, ...]]:
    found = rows.fetch(tx.database, _threads().where(_T.id.in_(command.keys)))
    waiting = _kept(tx.database, command.keys, statuses)
    idle = [
        (key, uid) for key, _, time, status, uid in found
        if time < command.before and status in statuses and key not in waiting
    ]  # fmt: skip
    done = [_end(tx, command, uid, is_deleted=statuses is DELETED) for _, uid in idle]
    events = tuple(event for each in done for event in each.events)
    user_events = tuple(entry for each in done for entry in each.user_events)
    return Done(tuple(key for key, _ in idle), events, user_events=user_events)


def _end(tx: Transaction, command: RemoveOutdated, uid: str, *, is_deleted: bool) -> Done[Any]:
    """As an administrator does it, with an entry in the audit log."""
    identity = command.identity
    if is_deleted:
        return writing.delete_thread(tx, DeleteThread(identity=identity, origin=NOWHERE, thread_id=uid))
    update = UpdateThread(identity=identity, origin=NOWHERE, thread_id=uid, status="ARCHIVED")
    return writing.update_thread(tx, update)


OUTDATED: Final = {
    "delete_threads": OutdatedRule(partial(_find, DELETED), _remove),
    "archive_threads": OutdatedRule(partial(_find, ARCHIVED), _archive),
}
