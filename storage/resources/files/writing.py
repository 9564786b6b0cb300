"""What commands do to the records of files."""

from typing import Any, Final

from peewee import fn

from actors import permissions
from actors.auth.identity import Identity
from actors.commands import Gone
from actors.errors import NotFound
from actors.events import Event, EventKind
from actors.outcomes import Done
from actors.permissions import must_match
from actors.resources.files.commands import CreateFile, DeleteFile, MoveFile, RestoreVersion, UpdateFile
from actors.resources.files.file import FILE_ATTACHED, FILE_CREATED, FILE_DELETED, File
from actors.resources.users import Author
from storage.journal import results
from storage.journal.transaction import Transaction, given
from storage.journal.writers import writes
from storage.readers import rows
from storage.resources.audit import writing as audit
from storage.resources.files import places, reading, records, room, texts, uses
from storage.resources.files.places import Place
from storage.schema import file_models, models

_F, _V, _P = file_models.File, file_models.FileVersion, file_models.FilePreview
_M, _U, _E = file_models.MessageFile, file_models.Upload, models.Event


@writes(CreateFile)
def create_file(tx: Transaction, command: CreateFile) -> Done[File]:
    thread = place_for(tx, command.identity, command.thread_id) if command.thread_id else None
    return insert(
        tx, command.identity.author, command.file_id, command.name, thread, command.media_type, command.metadata
    )


def place_for(tx: Transaction, identity: Any, thread_id: str) -> tuple[int, str]:
    """The thread, where the caller may write into it."""
    key, uid, status = tx.thread(thread_id)
    permissions.must_write(identity, tx.role(key, identity.user.key), uid, status)  # type: ignore[arg-type]
    return key, uid


def insert(
    tx: Transaction, owner: Author, uid: str, name: str, thread: tuple[int, str] | None, declared: str | None,
    metadata: str,
) -> Done[File]:  # fmt: skip
    row = _F.insert(
        uid=uid, owner=owner.key, thread=thread[0] if thread else None, name=name, declared_type=declared,
        metadata=metadata, created_at=tx.now, updated_at=tx.now,
    )  # fmt: skip
    key = int(tx.execute(row))
    texts.begin(tx.database, key, name)
    file = records.by_key(tx.database, [key])[key]
    return Done(file, places.log(tx, thread, owner, FILE_CREATED, file))


@writes(UpdateFile)
def update_file(tx: Transaction, command: UpdateFile) -> Done[File]:
    place = places.find_to_change(tx, command.file_id, command.identity)
    must_match(command.if_version, place.revision)
    before = records.by_key(tx.database, [place.key])[place.key]
    fields = given(name=command.name, metadata=command.metadata)
    difference = {name: value for name, value in fields.items() if getattr(before, name) != value}
    if not difference:
        return Done(before)
    with texts.changing(tx.database, place.key):
        if "name" in difference:
            texts.rename(tx.database, place.key, difference["name"])
        return places.changed(tx, place, command.identity.author, **difference)


@writes(RestoreVersion)
def restore_version(tx: Transaction, command: RestoreVersion) -> Done[File]:
    place = places.find_to_change(tx, command.file_id, command.identity)
    must_match(command.if_version, place.revision)
    query = _V.select(
        _V.blob, _V.size, _V.media_type, _V.scan, _V.preview, _V.details, _V.placeholder, _V.trusted, _V.charset
    )
    old = rows.first(tx.database, query.where((_V.file == place.key) & (_V.number == command.number)))
    if old is None:
        raise NotFound("version", str(command.number))
    blob, size, media_type, scan, preview, details, placeholder, trusted, charset = old
    preview = "due" if preview == "done" else preview  # its text is extracted anew
    room.take(tx, place.owner, place.thread_key, size)
    _again(tx, blob)
    number = place.version + 1
    tx.execute(_V.insert(
        file=place.key, number=number, blob=blob, size=size, media_type=media_type,
        author=command.identity.author.key, created_at=tx.now, scan=scan, preview=preview, details=details,
        placeholder=placeholder, trusted=trusted, charset=charset,
    ))  # fmt: skip
    _copy_previews(tx, place.key, command.number, number)
    texts.replace(tx.database, place.key, "")
    return places.changed(tx, place, command.identity.author, version=number, status=status_of(scan), reason=None)


def status_of(scan: str) -> str:
    return {"due": "scanning", "found": "quarantined"}.get(scan, "ready")


def _again(tx: Transaction, blob: int) -> None:
    B = file_models.Blob
    tx.execute(B.update(references=B.references + 1, unreferenced_at=None).where(B.id == blob))


def _copy_previews(tx: Transaction, file: int, before: int, number: int) -> None:
    query = _P.select(_P.name, _P.blob, _P.size, _P.media_type, _P.width, _P.height)
    for name, blob, *rest in rows.fetch(tx.database, query.where((_P.file == file) & (_P.number == before))):
        _again(tx, blob)
        size, media_type, width, height = rest
        tx.execute(_P.insert(
            file=file, number=number, name=name, blob=blob, size=size, media_type=media_type, width=width,
            height=height,
        ))  # fmt: skip


@writes(MoveFile)
def move_file(tx: Transaction, command: MoveFile) -> Done[File]:
    """Messages of the thread that it leaves show it no more."""
    place = places.find_to_change(tx, command.file_id, command.identity)
    if (place.thread[1] if place.thread else None) == command.thread_id:
        return Done(records.by_key(tx.database, [place.key])[place.key])
    thread = place_for(tx, command.identity, command.thread_id) if command.thread_id else None
    left = places.log(tx, place.thread, command.identity.author, FILE_DELETED, _tombstone(tx, place))
    tx.execute(_M.delete().where(_M.file == place.key))
    joined = join(tx, place, thread, command.identity.author)
    return Done(joined.result, (*left, *joined.events))


def join(tx: Transaction, place: Place, thread: tuple[int, str] | None, actor: Author) -> Done[File]:
    """Into a thread, or out of any."""
    room.move(tx, place.thread_key, thread[0] if thread else None, room.size_of(tx, place.key))
    moved = Place(place.key, place.id, place.owner, place.version, place.revision, thread, None, None)
    with texts.changing(tx.database, place.key):
        return places.changed(tx, moved, actor, FILE_ATTACHED, thread=thread[0] if thread else None, position=None)


def _tombstone(tx: Transaction, place: Place) -> File:
    return records.tombstone(records.by_key(tx.database, [place.key])[place.key])


@writes(DeleteFile)
def delete_file(tx: Transaction, command: DeleteFile) -> Done[Gone]:
    place = places.find_to_change(tx, command.file_id, command.identity)
    must_match(command.if_version, place.revision)
    is_own = place.owner == command.identity.user.key
    if not is_own:
        audit.act(tx, command, "delete_file", ("file", place.id))
    done = remove(tx, place, command.identity.author)
    return Done(Gone(place.id), done.events)


def remove(tx: Transaction, place: Place, actor: Author, kind: EventKind = FILE_DELETED) -> Done[File]:
    """Leave a tombstone; what it held is released."""
    _forget_content(tx, place.key, place.owner, place.thread_key)
    tx.execute(_M.delete().where(_M.file == place.key))
    with texts.changing(tx.database, place.key):
        texts.end(tx.database, place.key)
        return places.changed(tx, place, actor, kind, deleted_at=tx.now, **_TOMBSTONE)


_TOMBSTONE: Final[dict[str, Any]] = {
    "status": "deleted", "name": "", "metadata": "{}", "declared_type": None, "reason": None, "version": 0
}  # fmt: skip


def _forget_content(tx: Transaction, key: int, owner: int, thread: int | None) -> None:
    room.take(tx, owner, thread, -room.size_of(tx, key), asked=False)
    tx.execute(_U.delete().where(_U.file == key))
    for model in (_P, _V):
        mine: Any = model
        blobs = rows.fetch(tx.database, mine.select(mine.blob).where(mine.file == key))
        tx.execute(mine.delete().where(mine.file == key))
        room.release(tx, [blob for (blob,) in blobs])


def forget_version(tx: Transaction, place: Place, number: int) -> None:
    """One that is not the newest, with its previews."""
    size = _V.select(_V.size).where((_V.file == place.key) & (_V.number == number)).scalar(tx.database)
    room.take(tx, place.owner, place.thread_key, -int(size), asked=False)
    for model in (_P, _V):
        part: Any = model
        this = (part.file == place.key) & (part.number == number)
        blobs = rows.fetch(tx.database, part.select(part.blob).where(this))
        tx.execute(part.delete().where(this))
        room.release(tx, [blob for (blob,) in blobs])


def purge_thread(tx: Transaction, thread_key: int, count: int) -> int:
    """Files of a deleted thread, `count` at most; answers how many. A tombstone stays of those made elsewhere:
    the logs of other threads may refer to them."""
    kind = _E.select(_E.type).where(_E.position == _F.position)
    query = _F.select(_F.id, _F.owner, kind).where(_F.thread == thread_key).limit(count)
    found = rows.fetch(tx.database, query)
    for key, owner, joined_by in found:
        _forget_content(tx, key, owner, thread_key)
        with texts.changing(tx.database, key):
            texts.end(tx.database, key)
            if joined_by == FILE_ATTACHED.name:
                _leave_tombstone(tx, key)
            else:
                tx.execute(_F.delete().where(_F.id == key))
    return len(found)


def _leave_tombstone(tx: Transaction, key: int) -> None:
    """In no thread."""
    tx.execute(_M.delete().where(_M.file == key))
    deleted_at = fn.COALESCE(_F.deleted_at, tx.now)
    tx.execute(_F.update(thread=None, position=None, deleted_at=deleted_at, **_TOMBSTONE).where(_F.id == key))


def with_message(tx: Transaction, message_key: int, author: Author, actor: Author) -> tuple[Event, ...]:
    """Its files go with a message where nothing else shows them and they are its author's own."""
    query = _M.select(_F.uid).join(_F, on=(_M.file == _F.id))
    elsewhere = uses.is_used(but_message=message_key)
    query = query.where((_M.message == message_key) & (_F.owner == author.key) & ~elsewhere)
    found = [places.there(tx, uid) for (uid,) in rows.fetch(tx.database, query)]
    tx.execute(_M.delete().where(_M.message == message_key))
    return tuple(event for place in found if place is not None for event in remove(tx, place, actor).events)


# Results, read again for an idempotency key


def _read_again(tx: Transaction, identity: Identity, reference: results.Reference) -> File:
    return reading.one(tx.database, identity, reference["id"])


results.keep(File, refer=lambda file: {"id": file.id}, load=_read_again)


THREAD_PURGES = (purge_thread,)
