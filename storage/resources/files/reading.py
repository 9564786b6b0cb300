"""Files read: one, pages of them, their versions, the room that is left; and loaded for events."""

from collections.abc import Callable
from typing import Any, Final

from peewee import Select, SqliteDatabase, fn

from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.files.file import (
    FILE_ATTACHED,
    FILE_CREATED,
    FILE_DELETED,
    FILE_PREVIEW_READY,
    FILE_UPDATED,
    File,
    FileFilter,
    FileTotals,
    FileVersion,
)
from actors.resources.files.queries import (
    CountFiles,
    FindShowingThread,
    GetFile,
    GetFileVersion,
    GetStorageUse,
    ListFiles,
    ListFilesOf,
    ListFileVersions,
    OwnedFile,
)
from actors.resources.files.rules import must_see_file
from storage.readers import access, rows, weight
from storage.readers.answers import answers
from storage.readers.paging import page_of
from storage.resources.files import records
from storage.resources.log.replay import Entry, Loaders, Replay
from storage.schema import file_models, models
from storage.search import terms

_F, _V, _X = file_models.File, file_models.FileVersion, file_models.FileText
_T, _M, _U = models.Thread, models.Member, models.User


@answers(GetFile)
def one(database: SqliteDatabase, identity: Identity, file_id: str) -> File:
    found = records.files_of(
        database,
        rows.fetch(
            database,
            records.files_query().where((_F.uid == file_id) & _F.deleted_at.is_null() & _T.deleted_at.is_null()),
        ),
    )
    if not found:
        raise NotFound("file", file_id)
    _must_see(database, identity, found[0])
    return found[0]


def _must_see(database: SqliteDatabase, identity: Identity, file: File) -> None:
    role = None
    if file.thread_id is not None:
        row = rows.first(database, _F.select(_F.thread).where(_F.id == file.key))
        role = access.role(database, row[0], identity.user.key) if row else None
    must_see_file(identity, file.owner.key, file.thread_id is not None, role, file.id)


@answers(GetFileVersion)
def version(database: SqliteDatabase, identity: Identity, file_id: str, number: int) -> tuple[File, FileVersion]:
    file = one(database, identity, file_id)
    row = rows.first(database, records.versions_query().where((_V.file == file.key) & (_V.number == number)))
    if row is None:
        raise NotFound("version", str(number))
    shown = records.previews(database, [(file.key, number)])
    return file, records.version_of(row[1:], shown.get((file.key, number), ()))


@answers(ListFileVersions)
def versions(
    database: SqliteDatabase, identity: Identity, file_id: str, *, limit: int, before: int | None
) -> Page[FileVersion]:
    """The newest first."""
    file = one(database, identity, file_id)
    query = records.versions_query().where(_V.file == file.key).order_by(_V.number.desc())
    if before is not None:
        query = query.where(_V.number < before)
    found = rows.fetch(database, query.limit(limit + 1))
    shown = records.previews(database, [(file.key, row[1]) for row in found])
    items = tuple(records.version_of(row[1:], shown.get((file.key, row[1]), ())) for row in found[:limit])
    return Page(items, str(items[-1].number) if len(found) > limit else None)


@answers(ListFiles)
def page(
    database: SqliteDatabase, identity: Identity, wanted: FileFilter, *, limit: int, before: int | None,
    everything: bool = False,
) -> Page[File]:  # fmt: skip
    """The newest first."""
    query = _wanted(database, identity, wanted, records.files_query(), everything).order_by(_F.id.desc())
    if before is not None:
        query = query.where(_F.id < before)
    found = rows.iterate(database, query.limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: records.files_of(database, part), _weight)
    return Page(shown, str(shown[-1].key) if more else None)


@answers(ListFilesOf)
def files_of(database: SqliteDatabase, user_id: str, *, limit: int, after: int | None) -> Page[OwnedFile]:
    """The oldest first, also in threads that the user has left."""
    query = records.files_query().where(_F.deleted_at.is_null() & _T.deleted_at.is_null() & (_U.uid == user_id))
    found = rows.iterate(database, query.where(_F.id > (after or 0)).order_by(_F.id).limit(limit + 1))
    shown, more = page_of(found, limit, lambda part: records.files_of(database, part), _weight)
    joined = _M.select(_T.uid).join(_T, on=(_M.thread == _T.id)).join_from(_M, _U, on=(_M.user == _U.id))
    theirs = {uid for (uid,) in rows.fetch(database, joined.where(_U.uid == user_id))} if shown else set()
    owned = tuple(OwnedFile(file, file.thread_id is None or file.thread_id in theirs) for file in shown)
    return Page(owned, str(shown[-1].key) if more else None)


@weight.of.register
def _weight(file: File) -> int:
    version = file.version
    made = weight.FIXED // 4 * len(version.previews) + weight.carried(version.details) if version else 0
    return weight.FIXED + weight.author(file.owner) + weight.text(file.name) + weight.carried(file.metadata) + made


@answers(CountFiles)
def totals(database: SqliteDatabase, identity: Identity, wanted: FileFilter, *, everything: bool = False) -> FileTotals:
    query = _F.select(fn.COUNT(_F.id), fn.COALESCE(fn.SUM(_V.size), 0))
    query = query.left_outer_join(_V, on=((_V.file == _F.id) & (_V.number == _F.version)))
    query = query.join_from(_F, _T, "LEFT OUTER JOIN", on=(_F.thread == _T.id)).join_from(_F, _U, on=_F.owner == _U.id)
    row = rows.first(database, _wanted(database, identity, wanted, query, everything))
    assert row is not None
    return FileTotals(*row)


def _wanted(
    database: SqliteDatabase, identity: Identity, wanted: FileFilter, query: Select, everything: bool
) -> Select:
    query = query.where(_F.deleted_at.is_null() & _T.deleted_at.is_null())
    if wanted.thread_id is not None:
        key, _ = access.visible_thread(database, identity, wanted.thread_id)
        query = query.where(_F.thread == key)
    elif not everything:
        mine = _M.select(_M.thread).where(_M.user == identity.user.key)
        query = query.where((_F.thread.is_null() & (_F.owner == identity.user.key)) | _F.thread.in_(mine))
    for condition in _conditions(wanted):
        query = query.where(condition)
    return query


def _conditions(wanted: FileFilter) -> list[Any]:
    found: list[Any] = []
    asked: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (wanted.owner_id, lambda given: _U.uid == given),
        (wanted.status, lambda given: _F.status == given),
        (wanted.name, lambda given: fn.INSTR(fn.LOWER(_F.name), given.lower()) > 0),
        (wanted.size_from, lambda given: _V.size >= given),
        (wanted.size_to, lambda given: _V.size <= given),
        (wanted.created_from, lambda given: _F.created_at >= given),
        (wanted.created_to, lambda given: _F.created_at < given),
        (wanted.media_type, _is_of_type),
        (wanted.text, _has_words),
    )
    for value, condition in asked:
        if value is not None:
            found.append(condition(value))
    return found


def _is_of_type(given: str) -> Any:
    if given.endswith("/*"):
        return (_V.media_type >= given[:-1]) & (_V.media_type < given[:-2] + "0")  # 0 follows / in ASCII
    return _V.media_type == given


def _has_words(given: str) -> Any:
    asked = terms.parse(given)
    wanted = " AND ".join(asked.wanted)
    unwanted = f" NOT ({' OR '.join(asked.unwanted)})" if asked.unwanted and wanted else ""
    return _F.id.in_(_X.select(_X.rowid).where(_X.match(f"({wanted}){unwanted}"))) if wanted else _F.id == 0


@answers(FindShowingThread)
def showing_thread(database: SqliteDatabase, file_id: str) -> str | None:
    shown = file_models.MessageFile
    query = _F.select(_T.uid).join(_T, on=(_F.thread == _T.id)).join_from(_F, shown, on=(shown.file == _F.id))
    row = rows.first(database, query.where((_F.uid == file_id) & _T.deleted_at.is_null()))
    return str(row[0]) if row else None


@answers(GetStorageUse)
def use(database: SqliteDatabase, identity: Identity, thread_id: str | None = None) -> dict[str, int]:
    """Bytes used: of the caller, of the thread where one is named, and of the server."""
    S = file_models.StorageUse
    keys = {"user": identity.user.key, "server": 0}
    if thread_id is not None:
        keys["thread"] = access.visible_thread(database, identity, thread_id)[0]
    found = {}
    for scope, key in keys.items():
        row = rows.first(database, S.select(S.size).where((S.scope == scope) & (S.key == key)))
        found[scope] = int(row[0]) if row else 0
    return found


def _replayed(replay: Replay, entry: Entry) -> File:
    """As it is now; to those of a thread that it has left it is gone."""
    thread_id = replay.threads[entry.thread]
    files = replay.once((File, entry.ref), lambda: records.by_key(replay.database, [entry.ref]))
    file: File | None = files.get(entry.ref)
    if file is None:  # earlier releases left no tombstone where it moved to a thread that was deleted
        return records.unknown(entry.ref, replay.authors[entry.actor], thread_id, entry.time)
    return file if file.thread_id == thread_id else records.tombstone(file, thread_id)


def _gone(replay: Replay, entry: Entry) -> File:
    return records.tombstone(_replayed(replay, entry), replay.threads[entry.thread])


LOADERS: Final[Loaders] = {
    FILE_CREATED: _replayed,
    FILE_UPDATED: _replayed,
    FILE_ATTACHED: _replayed,
    FILE_PREVIEW_READY: _replayed,
    FILE_DELETED: _gone,
}
