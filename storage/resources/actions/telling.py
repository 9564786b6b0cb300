"""Entries of logs about actions: in users' own for who acted and for the author, in the thread's for those who see the
artifact that was acted on."""

from collections.abc import Sequence
from typing import Any

from actors.events import Event, EventKind
from actors.resources.actions import (
    ACTION_CREATED,
    ACTIONS_DELETED,
    ARTIFACT_ACTION_CREATED,
    ARTIFACT_ACTION_UPDATED,
    Action,
    ArtifactAction,
    SubjectKind,
)
from actors.resources.user_events import UserEvent
from actors.resources.users import Author
from storage.compiled import Prepared
from storage.journal import user_log
from storage.journal.transaction import Transaction
from storage.journal.user_log import Entry
from storage.schema import action_models, artifact_models, models

_A, _M, _R = action_models.Action, models.Message, artifact_models.Artifact


def tell(tx: Transaction, thread_key: int, kind: EventKind, actions: Sequence[Action]) -> tuple[UserEvent, ...]:
    """Who has left the thread hears nothing of it."""
    members = _Members(tx, thread_key)
    return user_log.tell(
        tx,
        (
            Entry(user_key, kind, action, {"id": action.id})
            for action in actions
            for user_key in dict.fromkeys((action.author.key, action.user.key))
            if members.has(user_key)
        ),
    )


def log(
    tx: Transaction, thread: tuple[int, str], kind: EventKind, actor: Author, actions: Sequence[Action]
) -> tuple[Event, ...]:
    """Of those on artifacts. `kind` is that of the users' own logs."""
    public = ARTIFACT_ACTION_CREATED if kind is ACTION_CREATED else ARTIFACT_ACTION_UPDATED
    return tuple(
        tx.log(
            thread, public, actor, ArtifactAction(action.id, action.subject.id, action),
            ref=_ARTIFACT_OF.all(tx.database, key=action.key)[0][0],
            small={"id": action.id, "artifact_id": action.subject.id},
        )
        for action in actions
        if action.subject.kind == "artifact"
    )  # fmt: skip


_ARTIFACT_OF = Prepared(lambda given: _A.select(_A.artifact).where(_A.id == given.key))


class _Members:
    """Of a thread, each asked about once."""

    def __init__(self, tx: Transaction, thread_key: int) -> None:
        self._tx = tx
        self._thread_key = thread_key
        self._known: dict[int, bool] = {}

    def has(self, user_key: int) -> bool:
        if user_key not in self._known:
            self._known[user_key] = self._tx.role(self._thread_key, user_key) is not None
        return self._known[user_key]


def forget_message(tx: Transaction, message_key: int, thread_id: str) -> tuple[UserEvent, ...]:
    """It was deleted, and what was filled in goes with it; all who see one of its actions are notified once."""
    return _forget(tx, "message", message_key, thread_id)


def forget_artifact(tx: Transaction, artifact_key: int, thread_id: str) -> tuple[UserEvent, ...]:
    return _forget(tx, "artifact", artifact_key, thread_id)


def _forget(tx: Transaction, kind: SubjectKind, key: int, thread_id: str) -> tuple[UserEvent, ...]:
    find, forget = _STATEMENTS[kind]
    found: list[tuple[Any, ...]] = find.all(tx.database, key=key)
    if not found:
        return ()
    forget.execute(tx.database, key=key)
    facts = {f"{kind}_id": found[0][0], "thread_id": thread_id}
    users = dict.fromkeys(user for row in found for user in row[1:])
    return user_log.tell(tx, (Entry(user, ACTIONS_DELETED, facts) for user in users))


def _statements(subject: Any, column: Any) -> tuple[Prepared, Prepared]:
    """(who acted and who answers; their removal)."""
    return (
        Prepared(
            lambda given: (
                _A.select(subject.uid, _A.author, _A.user)
                .join(subject, on=(column == subject.id))
                .where(subject.id == given.key)
                .distinct()
            )
        ),
        Prepared(lambda given: _A.delete().where(column == given.key)),
    )


_STATEMENTS: dict[SubjectKind, tuple[Prepared, Prepared]] = {
    "message": _statements(_M, _A.message), "artifact": _statements(_R, _A.artifact),
}  # fmt: skip
