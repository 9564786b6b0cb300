"""Bodies of versions, counted in the transaction that refers to them; one that nothing refers to goes at once."""

from actors.resources.artifacts.contents import Packed
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.schema import artifact_models

_B = artifact_models.ArtifactBody
_FIND = Prepared(lambda given: _B.select(_B.id).where(_B.digest == given.digest))
_AGAIN = Prepared(lambda given: _B.update(references=_B.references + 1).where(_B.id == given.key))
_LESS = Prepared(lambda given: _B.update(references=_B.references - 1).where(_B.id == given.key))
_DROP = Prepared(lambda given: _B.delete().where(_B.id == given.key, _B.references < 1))


def refer(tx: Transaction, content: Packed) -> int:
    """Count one more reference to a content; answers the key of its body."""
    row = _FIND.first(tx.database, digest=content.digest)
    if row is None:
        return int(tx.execute(_B.insert(digest=content.digest, data=content.data)))
    again(tx, row[0])
    return int(row[0])


def stored(tx: Transaction, content: Packed) -> int:
    """The key of the body that has this content, or 0."""
    row = _FIND.first(tx.database, digest=content.digest)
    return int(row[0]) if row else 0


def again(tx: Transaction, key: int) -> None:
    _AGAIN.execute(tx.database, key=key)


def release(tx: Transaction, keys: list[int]) -> None:
    """Count one reference less, for each time that a body is named here."""
    for key in keys:
        _LESS.execute(tx.database, key=key)
        _DROP.execute(tx.database, key=key)
