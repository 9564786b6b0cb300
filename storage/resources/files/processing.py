"""What is found out about a version afterwards: the scanner's verdict, its previews, its text."""

from typing import Any

from peewee import JOIN, Select, SqliteDatabase, Tuple

from actors.outcomes import Done
from actors.resources.files.file import FILE_PREVIEW_READY, FILE_UPDATED, File
from actors.resources.files.processing import (
    Behind,
    Due,
    ListDuePreviews,
    ListDueScans,
    RecordPreview,
    RecordScan,
    RescanFiles,
    Rescanned,
)
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.audit import writing as audit
from storage.resources.files import places, room, texts, writing
from storage.resources.files.places import Place
from storage.schema import file_models, models

_F, _V, _B, _P = file_models.File, file_models.FileVersion, file_models.Blob, file_models.FilePreview
_T = models.Thread


def _due(condition: Any, given: Any) -> Select:
    """Not in a thread that is deleted: what is found out there is not written, and would be due again at once."""
    columns = (_F.uid, _V.number, _B.digest, _V.size, _V.media_type, _F.name, _F.id)
    query = _V.select(*columns).join(_F, on=(_V.file == _F.id)).join_from(_V, _B, on=(_V.blob == _B.id))
    query = query.join_from(_F, _T, JOIN.LEFT_OUTER, on=(_F.thread == _T.id))
    behind = Tuple(_V.file, _V.number) > Tuple(given.file, given.number)
    query = query.where(condition & behind & _F.deleted_at.is_null() & _T.deleted_at.is_null())
    return query.order_by(_V.file, _V.number).limit(given.limit)


@answers(ListDueScans)
def due_scans(database: SqliteDatabase, limit: int, after: Behind = (0, 0)) -> tuple[Due, ...]:
    return _page(_DUE_SCANS, database, limit, after)


@answers(ListDuePreviews)
def due_previews(database: SqliteDatabase, limit: int, after: Behind = (0, 0)) -> tuple[Due, ...]:
    """Of versions that the scanner has let pass, or that no scanner has to look at."""
    return _page(_DUE_PREVIEWS, database, limit, after)


def _page(due: Prepared, database: SqliteDatabase, limit: int, after: Behind = (0, 0)) -> tuple[Due, ...]:
    file, number = after
    return tuple(Due(*row) for row in due.all(database, limit=limit, file=file, number=number))


_DUE_SCANS = Prepared(lambda given: _due(_V.scan == "due", given))
_DUE_PREVIEWS = Prepared(lambda given: _due((_V.preview == "due") & _V.scan.in_(("clean", "skipped")), given))


@writes(RecordScan)
def record_scan(tx: Transaction, command: RecordScan) -> Done[File | None]:
    """What was found takes the file from all users, also where it was delivered before."""
    place = places.there(tx, command.file_id)
    version = _version(command)
    if place is None or not tx.execute(_V.update(scan=command.verdict).where(version(place))):
        return Done(None)
    if command.verdict == "found":
        _forget_previews(tx, place, command.number)
        tx.execute(_V.update(preview="none").where(version(place)))
        audit.note(tx, "quarantine_file", ("file", place.id), actor_id=None, reason=command.reason or "")
    if command.number != place.version:
        return Done(None)
    if command.verdict == "found":
        texts.replace(tx.database, place.key, "")
    status = writing.status_of(command.verdict)
    if rows.first(tx.database, _F.select(_F.status, _F.reason).where(_F.id == place.key)) == (status, command.reason):
        return Done(None)  # looked at again, with the same result
    return places.changed(tx, place, tx.author(place.owner), status=status, reason=command.reason)


@writes(RecordPreview)
def record_preview(tx: Transaction, command: RecordPreview) -> Done[File | None]:
    place = places.there(tx, command.file_id)
    version = _version(command)
    fields = {"preview": command.state, "details": command.details, "placeholder": command.placeholder}
    if place is None or not tx.execute(_V.update(fields).where(version(place) & (_V.scan != "found"))):
        return Done(None)
    if command.state == "none":
        return Done(None)  # nothing that a client would see
    _forget_previews(tx, place, command.number)
    for made in command.previews:
        tx.execute(_P.insert(
            file=place.key, number=command.number, name=made.name, blob=room.refer(tx, made.digest, made.size),
            size=made.size, media_type=made.media_type, width=made.width, height=made.height,
        ))  # fmt: skip
    if command.number != place.version:
        return Done(None)
    if command.text:
        texts.replace(tx.database, place.key, command.text, command.words)
    kind = FILE_PREVIEW_READY if command.state == "done" else FILE_UPDATED
    return places.changed(tx, place, tx.author(place.owner), kind)


def _version(command: RecordScan | RecordPreview) -> Any:
    return lambda place: (_V.file == place.key) & (_V.number == command.number)


def _forget_previews(tx: Transaction, place: Place, number: int) -> None:
    mine = (_P.file == place.key) & (_P.number == number)
    blobs = [blob for (blob,) in rows.fetch(tx.database, _P.select(_P.blob).where(mine))]
    tx.execute(_P.delete().where(mine))
    room.release(tx, blobs)


@writes(RescanFiles)
def rescan_files(tx: Transaction, command: RescanFiles) -> Done[Rescanned]:
    query = _F.select(_F.id).where(_F.deleted_at.is_null())
    query = query.where(_F.uid == command.file_id if command.file_id is not None else _F.id > command.after)
    keys = [key for (key,) in rows.fetch(tx.database, query.order_by(_F.id).limit(command.rows))]
    theirs = _V.file.in_(keys)
    waiting = int(tx.execute(_V.update(scan="due").where(theirs & _V.scan.in_(("clean", "skipped")))))
    if command.quarantined:  # what was taken from it is made again, should it pass
        waiting += int(tx.execute(_V.update(scan="due", preview="due").where(theirs & (_V.scan == "found"))))
    is_end = command.file_id is not None or len(keys) < command.rows
    return Done(Rescanned(waiting, None if is_end else keys[-1]))
