"""Entries of users' own logs about actions: for who acted, and for the author of the message."""

from collections.abc import Sequence
from typing import Any

from actors.events import EventKind
from actors.resources.actions import ACTIONS_DELETED, Action
from actors.resources.user_events import UserEvent
from storage.compiled import Prepared
from storage.journal import user_log
from storage.journal.transaction import Transaction
from storage.journal.user_log import Entry
from storage.schema import action_models, models

_A, _M = action_models.Action, models.Message


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
    found: list[tuple[Any, ...]] = _OF_MESSAGE.all(tx.database, key=message_key)
    if not found:
        return ()
    _FORGET.execute(tx.database, key=message_key)
    facts = {"message_id": found[0][0], "thread_id": thread_id}
    users = dict.fromkeys(user for row in found for user in row[1:])
    return user_log.tell(tx, (Entry(user, ACTIONS_DELETED, facts) for user in users))


_OF_MESSAGE = Prepared(
    lambda given: (
        _A.select(_M.uid, _A.author, _A.user).join(_M, on=(_A.message == _M.id)).where(_M.id == given.key).distinct()
    )
)
_FORGET = Prepared(lambda given: _A.delete().where(_A.message == given.key))
