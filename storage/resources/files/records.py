"""Rows of files become records: the newest version and its previews along."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from peewee import JOIN, Database, Select

from actors.resources.files.file import File, FilePreview, FileVersion
from actors.resources.users import Author
from storage.compiled import ManyRows
from storage.schema import file_models, models

_F, _V, _B, _P = file_models.File, file_models.FileVersion, file_models.Blob, file_models.FilePreview
_M, _T, _U = file_models.MessageFile, models.Thread, models.User
_Author = _U.alias("version_author")
_VERSION = (
    _V.number, _B.digest, _V.size, _V.media_type, _V.created_at, _V.scan, _V.preview, _V.trusted, _V.charset,
    _V.details, _V.placeholder,
    _Author.id, _Author.uid, _Author.name, _Author.kind, _Author.avatar_url,
)  # fmt: skip
_COLUMNS = (
    _F.id, _F.uid, _T.uid, _F.name, _F.declared_type, _F.status, _F.reason, _F.metadata, _F.revision, _F.created_at,
    _F.updated_at, _F.deleted_at, _U.id, _U.uid, _U.name, _U.kind, _U.avatar_url, *_VERSION,
)  # fmt: skip
_OWNER, _NEWEST = 12, 17
"""Where their columns begin."""


def files_query() -> Select:
    newest = (_V.file == _F.id) & (_V.number == _F.version)
    return (
        _F.select(*_COLUMNS)
        .join(_U, on=(_F.owner == _U.id))
        .join_from(_F, _T, JOIN.LEFT_OUTER, on=(_F.thread == _T.id))
        .join_from(_F, _V, JOIN.LEFT_OUTER, on=newest)
        .join_from(_V, _B, JOIN.LEFT_OUTER, on=(_V.blob == _B.id))
        .join_from(_V, _Author, JOIN.LEFT_OUTER, on=(_V.author == _Author.id))
    )


def versions_query() -> Select:
    """(file key, version)."""
    return (
        _V.select(_V.file, *_VERSION)
        .join(_B, on=(_V.blob == _B.id))
        .join_from(_V, _Author, on=(_V.author == _Author.id))
    )


def files_of(database: Database, found: Sequence[Sequence[Any]]) -> tuple[File, ...]:
    shown = previews(database, {(row[0], row[_NEWEST]) for row in found if row[_NEWEST] is not None})
    return tuple(_file(row, shown) for row in found)


_Previews = dict[tuple[int, int], tuple[FilePreview, ...]]


def _file(row: Sequence[Any], shown: _Previews) -> File:
    (key, uid, thread, name, declared, status, reason, metadata, revision, created, updated, deleted) = row[:_OWNER]
    newest = version_of(row[_NEWEST:], shown.get((key, row[_NEWEST]), ())) if row[_NEWEST] is not None else None
    return File(
        key=key, id=uid, owner=Author(*row[_OWNER:_NEWEST]), thread_id=thread, name=name,
        declared_type=declared, status=status, reason=reason, metadata=metadata, version=newest, revision=revision,
        created_at=created, updated_at=updated, deleted_at=deleted,
    )  # fmt: skip


def version_of(row: Sequence[Any], shown: tuple[FilePreview, ...]) -> FileVersion:
    number, digest, size, media_type, created, scan, preview, trusted, charset, details, placeholder = row[:11]
    return FileVersion(
        number=number, digest=digest, size=size, media_type=media_type, author=Author(*row[11:16]),
        created_at=created, scan=scan, preview=preview, trusted=bool(trusted), charset=charset, details=details,
        placeholder=placeholder, previews=shown,
    )  # fmt: skip


def previews(database: Database, versions: Iterable[tuple[int, int]]) -> _Previews:
    """(file key, version) → its previews."""
    wanted = set(versions)
    found: dict[tuple[int, int], list[FilePreview]] = {}
    for file, number, *fields in _PREVIEWS.run(database, [(key,) for key in {file for file, _ in wanted}]):
        if (file, number) in wanted:
            found.setdefault((file, number), []).append(FilePreview(*fields))
    return {version: tuple(sorted(made, key=lambda each: each.size)) for version, made in found.items()}


def _previews_query(count: int) -> Any:
    query = _P.select(_P.file, _P.number, _P.name, _P.media_type, _B.digest, _P.size, _P.width, _P.height)
    return query.join(_B, on=(_P.blob == _B.id)).where(_P.file.in_([0] * count))


_PREVIEWS = ManyRows(_previews_query)
_BY_KEY = ManyRows(lambda count: files_query().where(_F.id.in_([0] * count)))
_OF_MESSAGES = ManyRows(lambda count: _M.select(_M.message, _M.place, _M.file).where(_M.message.in_([0] * count)))
NONE: Final[dict[int, tuple[File, ...]]] = {}


def by_key(database: Database, keys: Iterable[int]) -> dict[int, File]:
    found = _BY_KEY.run(database, [(key,) for key in set(keys)])
    return {file.key: file for file in files_of(database, found)}


def of_messages(database: Database, message_keys: Sequence[int]) -> dict[int, tuple[File, ...]]:
    """Message key → its files, in the message's order."""
    found = sorted(_OF_MESSAGES.run(database, [(key,) for key in message_keys]))
    if not found:
        return NONE
    files = by_key(database, (file for _, _, file in found))
    shown: dict[int, list[File]] = {}
    for message, _, file in found:
        shown.setdefault(message, []).append(files[file])
    return {message: tuple(each) for message, each in shown.items()}


def tombstone(file: File, thread_id: str | None = None) -> File:
    """What is left of a file, or what those see of it who may no longer see it."""
    return File(
        key=file.key, id=file.id, owner=file.owner, thread_id=thread_id or file.thread_id, name="", declared_type=None,
        status="deleted", reason=None, metadata="{}", version=None, revision=file.revision,
        created_at=file.created_at, updated_at=file.updated_at, deleted_at=file.deleted_at or file.updated_at,
    )  # fmt: skip


def unknown(key: int, author: Author, thread_id: str, time: int) -> File:
    """A tombstone of which no more is known than what its log says."""
    return File(
        key=key, id="", owner=author, thread_id=thread_id, name="", declared_type=None, status="deleted", reason=None,
        metadata="{}", version=None, revision=0, created_at=time, updated_at=time, deleted_at=time,
    )  # fmt: skip
