"""Files of a thread for a model: those that may be downloaded, newest first."""

import orjson
from peewee import SqliteDatabase, fn

from actors import limits
from actors.resources.context import FileNotes
from actors.resources.context_files import Material, files_of
from storage.readers import rows
from storage.schema import file_models

_F, _V, _X = file_models.File, file_models.FileVersion, file_models.FileText


def files(database: SqliteDatabase, thread_key: int, room: int) -> FileNotes:
    """Reads no more text than `room` tokens can hold."""

    def text_of(file_key: int, chars: int) -> str:
        row = rows.first(database, _X.select(fn.SUBSTR(_X.original, 1, chars)).where(_X.rowid == file_key))
        return str(row[0]) if row else ""

    query = (
        _F.select(_F.id, _F.uid, _F.name, _V.media_type, _V.size, _F.owner, _V.details, fn.LENGTH(_X.original) > 0)
        .join(_V, on=((_V.file == _F.id) & (_V.number == _F.version)))
        .join_from(_F, _X, on=(_X.rowid == _F.id))
        .where((_F.thread == thread_key) & (_F.status == "ready"))
        .order_by(_F.id.desc())
        .limit(limits.CONTEXT_FILES + 1)
    )
    found = rows.fetch(database, query)
    owners = rows.authors(database, {row[5] for row in found}) if found else {}
    known = [
        Material(key, uid, name, media_type, size, owners[owner], orjson.loads(details), bool(has_text))
        for key, uid, name, media_type, size, owner, details, has_text in found[: limits.CONTEXT_FILES]
    ]
    return files_of(known, text_of, room, are_all=len(found) <= limits.CONTEXT_FILES)
