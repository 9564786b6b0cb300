"""Who is concerned by a comment, beside the members that it names."""

from actors.resources.comments.comment import Comment
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.resources.notifications.of_comments import Said
from storage.schema import artifact_models, comment_models

_A, _C = artifact_models.Artifact, comment_models.Comment
_FIRST = Prepared(lambda given: _C.select(_C.parent).where(_C.id == given.key))
_TALKERS = Prepared(
    lambda given: (
        _C.select(_C.author).where((_C.id == given.key) | (_C.parent == given.key), _C.deleted_at.is_null()).distinct()
    )
)
_CREATOR = Prepared(lambda given: _A.select(_A.creator).join(_C, on=(_C.artifact == _A.id)).where(_C.id == given.key))


def said(tx: Transaction, comment: Comment, thread_key: int) -> Said:
    """The comment, and who is notified of it: the artifact's creator, and all who have replied to the same one."""
    first = _FIRST.all(tx.database, key=comment.key)[0][0]
    concerned = {row[0] for row in _TALKERS.all(tx.database, key=first)} if first is not None else set()
    creator = _CREATOR.all(tx.database, key=comment.key)[0][0]
    return Said(comment, thread_key, frozenset({*concerned, creator}))
