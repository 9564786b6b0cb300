"""What commands do to uploads: room is kept when they begin, and rights are asked again when they end."""

from dataclasses import replace
from typing import Any

from peewee import Select, SqliteDatabase

from actors.auth.identity import Identity
from actors.errors import Conflict, NotFound
from actors.events import Event
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.files.file import File
from actors.resources.files.uploads import (
    AbandonUpload,
    BeginUpload,
    CompleteUpload,
    EndForms,
    ExpireUploads,
    FindPlainUpload,
    GetUpload,
    NoteUpload,
    SetUploadLength,
    Upload,
)
from actors.resources.users import Author
from storage.journal import results
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.files import places, records, room, texts, uses, writing
from storage.resources.files.places import Place
from storage.schema import file_models

_F, _V, _U = file_models.File, file_models.FileVersion, file_models.Upload
EXPIRED = "the upload was not completed in time"
ABANDONED = "the upload was given up"
BROKEN_OFF = "the server ended while the upload came"


def uploads_query() -> Select:
    return _U.select(
        _U.uid, _F.uid, _U.owner, _U.kind, _U.length, _U.declared_type, _F.name, _U.created_at, _U.expires_at,
        _U.completed_as, _U.id, _U.reserved,
    ).join(_F, on=(_U.file == _F.id))  # fmt: skip


@answers(GetUpload)
def one(database: SqliteDatabase, identity: Identity, upload_id: str) -> Upload:
    """Raises `NotFound` for one that is not the caller's own."""
    row = rows.first(database, uploads_query().where((_U.uid == upload_id) & (_U.owner == identity.user.key)))
    if row is None:
        raise NotFound("upload", upload_id)
    return Upload(*row[:10])


@answers(FindPlainUpload)
def newest_plain(database: SqliteDatabase, identity: Identity, file_id: str) -> Upload | None:
    mine = (_F.uid == file_id) & (_U.owner == identity.user.key) & (_U.kind == "plain")
    query = uploads_query().where(mine & _U.completed_as.is_null()).order_by(_U.id.desc()).limit(1)
    row = rows.first(database, query)
    return Upload(*row[:10]) if row else None


def by_uid(database: SqliteDatabase, upload_id: str) -> Upload | None:
    row = rows.first(database, uploads_query().where(_U.uid == upload_id))
    return Upload(*row[:10]) if row else None


@writes(BeginUpload)
def begin_upload(tx: Transaction, command: BeginUpload) -> Done[Upload]:
    """For a new file, whose record is made along, or for a new version of one."""
    if command.file_id is None:
        return _begin_new(tx, command)
    place = places.find_to_change(tx, command.file_id, command.identity)
    must_match(command.if_version, place.revision)
    return Done(_insert(tx, command, place))


def _begin_new(tx: Transaction, command: BeginUpload) -> Done[Upload]:
    identity = command.identity
    thread = writing.place_for(tx, identity, command.thread_id) if command.thread_id else None
    made = writing.insert(
        tx, identity.author, command.new_file_id, command.name or "", thread, command.media_type, command.metadata
    )
    place = places.there(tx, command.new_file_id)
    assert place is not None
    return Done(_insert(tx, command, place), made.events)


def _insert(tx: Transaction, command: BeginUpload, place: Place) -> Upload:
    room.take(tx, place.owner, place.thread_key, command.length or 0)
    tx.execute(_U.insert(
        uid=command.upload_id, file=place.key, owner=command.identity.user.key, kind=command.kind,
        length=command.length, reserved=command.length or 0, declared_type=command.media_type, created_at=tx.now,
        expires_at=command.expires_at,
    ))  # fmt: skip
    found = by_uid(tx.database, command.upload_id)
    assert found is not None
    return found


@writes(SetUploadLength)
def set_upload_length(tx: Transaction, command: SetUploadLength) -> Done[Upload]:
    mine = (_U.uid == command.upload_id) & (_U.owner == command.identity.user.key) & _U.length.is_null()
    row = rows.first(tx.database, uploads_query().where(mine))
    if row is None:
        raise NotFound("upload", command.upload_id)
    place = places.find_to_change(tx, row[1], command.identity)
    room.take(tx, place.owner, place.thread_key, command.length - row[11])
    tx.execute(_U.update(length=command.length, reserved=command.length).where(_U.id == row[10]))
    return Done(replace(Upload(*row[:10]), length=command.length))


@writes(NoteUpload)
def note_upload(tx: Transaction, command: NoteUpload) -> Done[None]:
    upload, _, reserved, place = _to_complete(tx, command)
    if upload.completed_as is None:
        missing = command.size - reserved
        room.take(tx, place.owner, place.thread_key, missing)
        room.take(tx, place.owner, place.thread_key, -missing, asked=False)
    room.note(tx, command.digest, command.size)
    return Done(None)


def _to_complete(tx: Transaction, command: NoteUpload | CompleteUpload) -> tuple[Upload, int, int, Place]:
    """With its key and what it has reserved. Raises where it may not become the newest version of its file."""
    mine = (_U.uid == command.upload_id) & (_U.owner == command.identity.user.key)
    row = rows.first(tx.database, uploads_query().where(mine))
    if row is None:
        raise NotFound("upload", command.upload_id)
    upload, key, reserved = Upload(*row[:10]), row[10], row[11]
    place = places.find_to_change(tx, upload.file_id, command.identity)
    if upload.completed_as is None:
        must_match(command.over, place.version)
        if upload.length is not None and upload.length != command.size:
            sentence = f"The upload was begun for {upload.length} bytes, and {command.size} came."
            raise Conflict(sentence, code="wrong_length")
    return upload, key, reserved, place


@writes(CompleteUpload)
def complete_upload(tx: Transaction, command: CompleteUpload) -> Done[File]:
    upload, key, reserved, place = _to_complete(tx, command)
    if upload.completed_as is not None:
        return Done(records.by_key(tx.database, [place.key])[place.key])
    room.take(tx, place.owner, place.thread_key, command.size - reserved)
    number = place.version + 1
    tx.execute(_U.update(completed_as=number, reserved=0).where(_U.id == key))
    return _add_version(tx, place, number, command)


def _add_version(tx: Transaction, place: Place, number: int, command: CompleteUpload) -> Done[File]:
    author = command.identity.author
    tx.execute(_V.insert(
        file=place.key, number=number, blob=room.refer(tx, command.digest, command.size), size=command.size,
        media_type=command.media_type, trusted=command.trusted, charset=command.charset, author=author.key,
        created_at=tx.now, scan=command.scan, preview=command.preview,
    ))  # fmt: skip
    texts.replace(tx.database, place.key, "")
    return places.changed(tx, place, author, version=number, status=writing.status_of(command.scan), reason=None)


@writes(AbandonUpload)
def abandon_upload(tx: Transaction, command: AbandonUpload) -> Done[None]:
    mine = (_U.uid == command.upload_id) & (_U.owner == command.identity.user.key)
    row = rows.first(tx.database, uploads_query().where(mine))
    if row is None:
        raise NotFound("upload", command.upload_id)
    return Done(None, _end(tx, row, command.identity.author, ABANDONED))


def expired_count(database: SqliteDatabase, now: int) -> int:
    """Of those that were never completed."""
    return int(_U.select().where((_U.expires_at < now) & _U.completed_as.is_null()).count(database))


@writes(ExpireUploads)
def expire_uploads(tx: Transaction, command: ExpireUploads) -> Done[tuple[str, ...]]:
    """Those that were completed leave no more than their row, by which a client could ask for their offset."""
    query = uploads_query().where(_U.expires_at < tx.now).order_by(_U.expires_at).limit(command.rows)
    return _end_all(tx, query, EXPIRED)


@writes(EndForms)
def end_forms(tx: Transaction, command: EndForms) -> Done[tuple[str, ...]]:
    """Of plain uploads only those of forms make their file themselves, in the same transaction."""
    of_forms = (_U.kind == "plain") & (_F.version == 0) & (_F.created_at == _U.created_at)
    return _end_all(tx, uploads_query().where(of_forms & _U.completed_as.is_null()).limit(command.rows), BROKEN_OFF)


def _end_all(tx: Transaction, query: Select, reason: str) -> Done[tuple[str, ...]]:
    found = rows.fetch(tx.database, query)
    events: list[Event] = []
    for row in found:
        events += _end(tx, row, tx.author(row[2]), reason)
    return Done(tuple(row[0] for row in found), tuple(events))


def _end(tx: Transaction, row: tuple[Any, ...], actor: Author, reason: str) -> tuple[Event, ...]:
    upload, key, reserved = Upload(*row[:10]), row[10], row[11]
    place = places.there(tx, upload.file_id)
    _give_back(tx, upload.file_id, reserved)
    tx.execute(_U.delete().where(_U.id == key))
    if place is None or upload.completed_as is not None:
        return ()
    if place.version or _is_awaited(tx, place):
        return ()
    if _is_shown(tx, place):
        return places.changed(tx, place, actor, status="failed", reason=reason).events
    return writing.remove(tx, place, actor).events


def _give_back(tx: Transaction, file_id: str, reserved: int) -> None:
    """Also where the thread of the file is deleted."""
    row = rows.first(tx.database, _F.select(_F.owner, _F.thread).where(_F.uid == file_id))
    assert row is not None  # an upload ends with its file
    room.take(tx, row[0], row[1], -reserved, asked=False)


def _is_awaited(tx: Transaction, place: Place) -> bool:
    """Whether another upload is to bring its bytes."""
    return rows.first(tx.database, _U.select(_U.id).where(_U.file == place.key)) is not None


def _is_shown(tx: Transaction, place: Place) -> bool:
    return rows.first(tx.database, _F.select(_F.id).where((_F.id == place.key) & uses.is_used())) is not None


def _again(tx: Transaction, identity: Identity, reference: results.Reference) -> Upload:
    return one(tx.database, identity, reference["id"])


results.keep(Upload, refer=lambda upload: {"id": upload.id}, load=_again)
