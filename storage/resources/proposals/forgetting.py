"""What proposals say is forgotten: with their artifact, and of those that were resolved long ago."""

from typing import Any

from actors import limits
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.artifacts import bodies
from storage.schema import proposal_models

_P = proposal_models.Proposal
_WITHOUT_PATCH: dict[str, Any] = {"patch": None, "hunks": None, "base_body": None}


def forget_all(tx: Transaction, artifact: int) -> int:
    """Of an artifact that is deleted: of each stays that it was made; answers how many there were."""
    found = rows.fetch(tx.database, _P.select(_P.id, _P.base_body).where(_P.artifact == artifact))
    bodies.release(tx, [body for _, body in found if body is not None])
    theirs = _P.artifact == artifact
    tx.execute(_P.update(status="withdrawn").where(theirs & (_P.status == "open")))
    tx.execute(_P.update(comment="", reason="", **_WITHOUT_PATCH).where(theirs))
    return len(found)


def forget_base(tx: Transaction, key: int) -> None:
    """Of one that is resolved: nothing is compared any more."""
    row = rows.first(tx.database, _P.select(_P.base_body).where(_P.id == key))
    if row is not None and row[0] is not None:
        tx.execute(_P.update(base_body=None).where(_P.id == key))
        bodies.release(tx, [row[0]])


def forget_old(tx: Transaction, artifact: int) -> None:
    """The patches of all but the newest resolved ones."""
    resolved = (_P.artifact == artifact) & (_P.status != "open") & _P.patch.is_null(False)
    old = _P.select(_P.id).where(resolved).order_by(_P.id.desc()).offset(limits.PROPOSALS_KEPT)
    keys = [key for (key,) in rows.fetch(tx.database, old.limit(limits.PROPOSALS_KEPT))]
    tx.execute(_P.update(patch=None, hunks=None).where(_P.id.in_(keys)))


def forget_words(tx: Transaction, key: int) -> None:
    """Of one whose author is erased."""
    forget_base(tx, key)
    tx.execute(_P.update(status="withdrawn", resolved_at=tx.now).where((_P.id == key) & (_P.status == "open")))
    tx.execute(_P.update(comment="", updated_at=tx.now, **_WITHOUT_PATCH).where(_P.id == key))
