"""Blobs that nothing refers to: marked in one transaction, deleted from the store, then forgotten in another."""

from collections.abc import Iterator

from peewee import SqliteDatabase, fn

from actors.outcomes import Done
from actors.resources.files import BlobUse, CountBlobs, ForgetBlobs, ListBlobs, NoteBlob, TakeBlobs
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.schema import file_models

_B = file_models.Blob


@writes(NoteBlob)
def note_blob(tx: Transaction, command: NoteBlob) -> Done:
    row = _B.insert(digest=command.digest, size=command.size, references=0, unreferenced_at=tx.now)
    tx.execute(row.on_conflict_ignore())
    return Done(None)


@writes(TakeBlobs)
def take_blobs(tx: Transaction, command: TakeBlobs) -> Done:
    """Also those that were marked before, and whose deletion was broken off."""
    query = _B.select(_B.id, _B.digest).where(_B.unreferenced_at < command.before).limit(command.rows)
    found = rows.fetch(tx.database, query)
    tx.execute(_B.update(state="going").where(_B.id.in_([key for key, _ in found])))
    return Done(tuple(digest for _, digest in found))


@writes(ForgetBlobs)
def forget_blobs(tx: Transaction, command: ForgetBlobs) -> Done:
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


def every(database: SqliteDatabase) -> Iterator[BlobUse]:
    """For whoever compares them with the store."""
    return (BlobUse(*row) for row in rows.iterate(database, _B.select(_B.digest, _B.size, _B.references)))
