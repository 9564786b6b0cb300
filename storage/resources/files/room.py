"""Blobs and the room that they take, counted in the transaction that refers to them."""

from peewee import fn

from actors.errors import QuotaExceeded, Unavailable
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.schema import file_models

_B, _S = file_models.Blob, file_models.StorageUse
_FIND = Prepared(lambda given: _B.select(_B.id, _B.state, _B.references).where(_B.digest == given.digest))
_ADD = Prepared(
    lambda given: _S.insert(scope=given.scope, key=given.key, size=given.size).on_conflict(
        conflict_target=(_S.scope, _S.key), update={_S.size: _S.size + given.size}
    )
)
_USED = Prepared(lambda given: _S.select(_S.size).where(_S.scope == given.scope, _S.key == given.key))


def note(tx: Transaction, digest: str, size: int) -> None:
    """Before its bytes are put: they stay for a while though nothing names them. Raises `Unavailable` while they are
    being deleted."""
    row = _found(tx, digest)
    if row is None:
        tx.execute(_B.insert(digest=digest, size=size, references=0, unreferenced_at=tx.now))
    elif not row[1]:
        tx.execute(_B.update(unreferenced_at=tx.now).where(_B.id == row[0]))


def _found(tx: Transaction, digest: str) -> tuple[int, int] | None:
    """Its key, and how often it is referred to."""
    row = _FIND.first(tx.database, digest=digest)
    if row is None:
        return None
    if row[1] == "going":
        raise Unavailable("The same bytes are being deleted from the store right now; retry.", code="blob_going")
    return row[0], row[2]


def refer(tx: Transaction, digest: str, size: int) -> int:
    """Count one more reference; answers the key of the blob. Raises `Unavailable` while it is being deleted."""
    row = _found(tx, digest)
    if row is None:
        return int(tx.execute(_B.insert(digest=digest, size=size, references=1)))
    again = _B.update(references=_B.references + 1, unreferenced_at=None)
    tx.execute(again.where(_B.id == row[0]))
    return row[0] if row[1] else _as_new(tx, row[0])


def _as_new(tx: Transaction, key: int) -> int:
    """Under the next key: backups leave out what nothing names, and continuous backup copies blobs by their keys."""
    newest = rows.first(tx.database, _B.select(fn.MAX(_B.id)))
    assert newest is not None, "it is there itself"
    tx.execute(_B.update(id=newest[0] + 1).where(_B.id == key))
    return int(newest[0]) + 1


def release(tx: Transaction, blob_keys: list[int]) -> None:
    """Count one reference less, for each time that a blob is named here."""
    for key in blob_keys:
        tx.execute(_B.update(references=_B.references - 1).where(_B.id == key))
    free = _B.update(unreferenced_at=tx.now)
    tx.execute(free.where(_B.id.in_(blob_keys) & (_B.references == 0) & _B.unreferenced_at.is_null()))


def take(tx: Transaction, owner: int, thread: int | None, size: int, *, asked: bool = True) -> None:
    """Take room, or give it back where `size` is negative. `asked`: raises `QuotaExceeded` where there is none."""
    if not size:
        return
    quotas = tx.quotas
    for scope, key, most in (("user", owner, quotas.user), ("thread", thread, quotas.thread),
                             ("server", 0, quotas.server)):  # fmt: skip
        if key is None:
            continue
        if asked and size > 0 and most is not None and (have := used(tx, scope, key)) + size > most:
            raise QuotaExceeded(
                f"The {scope} may have {most} bytes of files and has {have}; {size} more do not fit. "
                "Delete files, or ask an administrator for more room.",
                scope=scope, limit=most, used=have,
            )  # fmt: skip
        _ADD.execute(tx.database, scope=scope, key=key, size=size)


def used(tx: Transaction, scope: str, key: int) -> int:
    row = _USED.first(tx.database, scope=scope, key=key)
    return int(row[0]) if row else 0


def move(tx: Transaction, before: int | None, after: int | None, size: int) -> None:
    """From one thread's room into another's; what is there moves, whether the other has room or not."""
    for key, amount in ((before, -size), (after, size)):
        if key is not None and size:
            _ADD.execute(tx.database, scope="thread", key=key, size=amount)


def size_of(tx: Transaction, file_key: int) -> int:
    """All versions of a file, and what its open uploads reserved."""
    V, U = file_models.FileVersion, file_models.Upload
    stored = V.select(fn.COALESCE(fn.SUM(V.size), 0)).where(V.file == file_key).scalar(tx.database)
    waiting = U.select(fn.COALESCE(fn.SUM(U.reserved), 0)).where(U.file == file_key).scalar(tx.database)
    return int(stored) + int(waiting)
