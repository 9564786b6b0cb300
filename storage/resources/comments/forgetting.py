"""What comments say is forgotten with their artifact."""

from actors.resources.user_events import UserEvent
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.resources.artifacts import bodies
from storage.resources.notifications import of_comments as notifications
from storage.schema import comment_models

_C = comment_models.Comment


def forget_all(tx: Transaction, artifact: int, thread_id: str) -> tuple[UserEvent, ...]:
    """Of an artifact that is deleted: of each stays that it was made."""
    release(tx, artifact)
    there = (_C.artifact == artifact) & _C.deleted_at.is_null()
    tx.execute(_C.update(content="", deleted_at=tx.now, updated_at=tx.now).where(there))
    return notifications.forget_artifact(tx, artifact, thread_id)


def release(tx: Transaction, artifact: int) -> None:
    """Their anchors, and the contents that these refer to."""
    anchored = (_C.artifact == artifact) & _C.base_body.is_null(False)
    found = [body for (body,) in rows.fetch(tx.database, _C.select(_C.base_body).where(anchored))]
    tx.execute(_C.update(anchor=None, base_body=None).where(anchored))
    bodies.release(tx, found)
