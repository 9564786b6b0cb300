"""Notifications about comments on artifacts: members that they name; the artifact's creator; who talks along."""

from dataclasses import dataclass

from actors.resources.comments.comment import Comment
from actors.resources.notifications import NotificationKind
from actors.resources.user_events import UserEvent
from actors.text.mentions import may_mention
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.resources.notifications import mention_lookup as naming
from storage.resources.notifications.mention_lookup import mentions
from storage.resources.notifications.writing import Cause, notify, withdrawn
from storage.schema import comment_models, notification_models

_N, _C = notification_models.Notification, comment_models.Comment
_OF_COMMENT = Prepared(lambda given: _N.select(_N.user, _N.uid, _N.kind, _N.read_at).where(_N.comment == given.key))
_OF_ARTIFACT = Prepared(
    lambda given: _N.select(_N.user, _N.uid).join(_C, on=(_N.comment == _C.id)).where(_C.artifact == given.artifact)
)


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as it is now."""

    comment: Comment
    thread_key: int
    concerned: frozenset[int]
    """Users who are notified of it though it does not name them."""


def of_new(tx: Transaction, said: Said) -> tuple[UserEvent, ...]:
    return notify(tx, [_cause(said, user, kind) for user, kind in _reasons(tx, said).items()])


def of_edit(tx: Transaction, said: Said, before: str) -> tuple[UserEvent, ...]:
    """Notify those whom the comment names now and did not name before; withdraw from those whom it names no more.

    A user is notified once, by the strongest reason: who is named no more may still talk along.
    """
    there = {
        user: (uid, kind, read_at) for user, uid, kind, read_at in _OF_COMMENT.all(tx.database, key=said.comment.key)
    }
    now, named_before = _reasons(tx, said), _named(tx, said.thread_key, before)
    if not mentions(said.comment.content, None).leaves_out(mentions(before, None)):
        now |= {user: "mention" for user, (_, kind, _) in there.items() if kind == "mention"}
    gone = [(user, uid) for user, (uid, kind, _) in there.items() if now.get(user) != kind]
    causes = [
        _cause(said, user, kind, there[user][2] if kind == "reply" else None)
        for user, kind in now.items()
        if (kind != there[user][1] if user in there else kind == "mention" and user not in named_before)
    ]
    return withdrawn(tx, gone, said.comment.thread_id, "taken_back") + notify(tx, causes)


def forget(tx: Transaction, key: int, thread_id: str) -> tuple[UserEvent, ...]:
    """It was deleted."""
    gone = [(user, uid) for user, uid, *_ in _OF_COMMENT.all(tx.database, key=key)]
    return withdrawn(tx, gone, thread_id, "deleted")


def forget_artifact(tx: Transaction, artifact: int, thread_id: str) -> tuple[UserEvent, ...]:
    """It was deleted, and its comments with it."""
    return withdrawn(tx, _OF_ARTIFACT.all(tx.database, artifact=artifact), thread_id, "deleted")


def _reasons(tx: Transaction, said: Said) -> dict[int, NotificationKind]:
    """User → why they are notified."""
    kinds: dict[int, NotificationKind] = dict.fromkeys(said.concerned, "reply")
    kinds |= dict.fromkeys(_named(tx, said.thread_key, said.comment.content), "mention")
    kinds.pop(said.comment.author.key, None)
    return kinds


def _named(tx: Transaction, thread_key: int, content: str) -> set[int]:
    if not may_mention(content, None):
        return set()
    found = mentions(content, None)
    return naming.Named(tx, [(thread_key, found)]).users(thread_key, found)


def _cause(said: Said, user: int, kind: NotificationKind, read_at: int | None = None) -> Cause:
    comment = said.comment
    thread = (said.thread_key, comment.thread_id)
    return Cause(kind, user, thread, None, comment.author, read_at, comment=comment)
