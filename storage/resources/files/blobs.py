"""Blobs that nothing refers to: marked in one transaction, deleted from the store, then forgotten in another."""

from collections.abc import Iterator
from typing import Any

from peewee import Database, SqliteDatabase, fn

from actors.outcomes import Done
from actors.resources.files.blobs import BlobUse, CountBlobs, ForgetBlobs, ListBlobs, NoteBlobs, TakeBlobs
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.files import room
from storage.schema import file_models

_B = file_models.Blob


@writes(NoteBlobs)
def note_blobs(tx: Transaction, command: NoteBlobs) -> Done[None]:
    for digest, size in command.blobs:
        room.note(tx, digest, size)
    return Done(None)


@writes(TakeBlobs)
def take_blobs(tx: Transaction, command: TakeBlobs) -> Done[tuple[str, ...]]:
    """Also those that were marked before, and whose deletion was broken off."""
    query = _B.select(_B.id, _B.digest).where(_B.unreferenced_at < command.before).limit(command.rows)
    found = rows.fetch(tx.database, query)
    tx.execute(_B.update(state="going").where(_B.id.in_([key for key, _ in found])))
    return Done(tuple(digest for _, digest in found))


@writes(ForgetBlobs)
def forget_blobs(tx: Transaction, command: ForgetBlobs) -> Done[int]:
    gone = _B.delete().where(_B.digest.in_(command.digests) & (_B.state == "going") & (_B.references == 0))
    return Done(int(tx.execute(gone)))


@answers(ListBlobs)
def page(database: SqliteDatabase, after: str, limit: int, unreferenced: bool = False) -> tuple[BlobUse, ...]:
    query = _B.select(_B.digest, _B.size, _B.references).where(_B.digest > after).order_by(_B.digest).limit(limit)
    if unreferenced:
        query = query.where(_B.references == 0)
    return tuple(BlobUse(*row) for row in rows.fetch(database, query))


@answers(CountBlobs)
def counts(database: SqliteDatabase) -> tuple[int, int]:
    row = rows.first(database, _B.select(fn.COUNT(_B.id), fn.COALESCE(fn.SUM(_B.size), 0)))
    assert row is not None
    return int(row[0]), int(row[1])


def one(database: Database, digest: str) -> BlobUse | None:
    query = _B.select(_B.digest, _B.size, _B.references).where(_B.digest == digest)
    row = rows.first(database, query)
    return BlobUse(*row) if row else None


def referred(database: Database) -> Iterator[BlobUse]:
    """All blobs that a row refers to, for backups."""
    query = _B.select(_B.digest, _B.size, _B.references).where(_B.references > 0).order_by(_B.digest)
    return (BlobUse(*row) for row in rows.iterate(database, query))


def collectable(database: Database, before: int) -> tuple[int, int]:
    """How many blobs nothing has named since `before` (milliseconds), and their bytes."""
    query = _B.select(fn.COUNT(_B.id), fn.COALESCE(fn.SUM(_B.size), 0)).where(_B.unreferenced_at < before)
    row = rows.first(database, query)
    assert row is not None
    return int(row[0]), int(row[1])


def files_of(database: Database, digest: str) -> list[tuple[str, str, int]]:
    """(id, name, number of the version) of the files whose content or preview it is."""
    F, found = file_models.File, []
    for part in (file_models.FileVersion, file_models.FilePreview):
        model: Any = part
        query = model.select(F.uid, F.name, model.number).join(F, on=(model.file == F.id))
        query = query.join_from(model, _B, on=(model.blob == _B.id)).where(_B.digest == digest)
        found += rows.fetch(database, query.limit(100))
    return [(uid, name, number) for uid, name, number in found]
