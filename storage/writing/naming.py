"""Whom a message names: names and ids become the keys of a thread's members, as far as that is cheap."""

from actors import limits
from actors.mentions import Mentions, handles
from storage import models, rows
from storage.compiled import ManyRows
from storage.writing.transaction import Transaction

_U, _R = models.User, models.Member

SELECT_USERS = ManyRows(lambda count: _U.select(_U.id).where(_U.uid.in_([""] * count)))


class Members:
    """Of the threads of one batch: each is looked through once, however many messages name somebody there."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._by_handle: dict[int, dict[str, set[int]]] = {}

    def named(self, thread_key: int, found: Mentions) -> set[int]:
        """Users; who is no member is among them only by an id."""
        keys: set[int] = set()
        if found.ids:
            keys |= {row[0] for row in SELECT_USERS.run(self._tx.database, [(uid,) for uid in found.ids])}
        if found.names:
            by_handle = self._handles(thread_key)
            keys = keys.union(*(by_handle.get(name, ()) for name in found.names))
        if found.everyone:
            keys |= self._everyone(thread_key)
        return keys

    def _handles(self, thread_key: int) -> dict[str, set[int]]:
        """Handle → members; none where there are too many to look through."""
        known = self._by_handle.get(thread_key)
        if known is not None:
            return known
        query = _R.select(_U.id, _U.name, _U.email).join(_U, on=(_R.user == _U.id)).where(_R.thread == thread_key)
        members = rows.fetch(self._tx.database, query.limit(limits.MEMBERS_SEARCHED + 1))
        by_handle = self._by_handle[thread_key] = {}
        if len(members) <= limits.MEMBERS_SEARCHED:
            for key, name, email in members:
                for handle in handles(name, email):
                    by_handle.setdefault(handle, set()).add(key)
        return by_handle

    def _everyone(self, thread_key: int) -> set[int]:
        query = _R.select(_R.user).where(_R.thread == thread_key).limit(limits.NOTIFIED_AT_ONCE + 2)
        members = {row[0] for row in rows.fetch(self._tx.database, query)}
        return members if len(members) <= limits.NOTIFIED_AT_ONCE + 1 else set()
