"""Whom messages name: names and ids become the keys of users; and by what names a user is found."""

from collections.abc import Iterable

from actors import limits
from actors.text import mentions as scanning
from actors.text.mentions import Mentions
from actors.text.names import handles
from storage import markdown
from storage.compiled import ManyRows, Prepared, insert_rows, values
from storage.journal.transaction import Transaction
from storage.readers import rows
from storage.schema import models

_U, _R, _H = models.User, models.Member, models.UserHandle
_Pair = tuple[int, str]
"""(thread, comparable name)."""


def _bearers(count: int) -> object:
    """Members of a thread who bear a name. From the name on: most are borne by few, and threads may be large."""
    table = values(count, 2)
    given = table.c
    return (
        _H.select(given.column1, _H.handle, _H.user)
        .join(table, on=(_H.handle == given.column2))
        .join_from(_H, _R, on=((_R.thread == given.column1) & (_R.user == _H.user)))
    )


SELECT_USERS = ManyRows(lambda count: _U.select(_U.uid, _U.id).where(_U.uid.in_([""] * count)))
SELECT_BEARERS = ManyRows(_bearers)  # type: ignore[arg-type]  # a query; joins of tables of values are not typed
_FORGET = Prepared(lambda given: _H.delete().where(_H.user == given.user))
_INSERT = insert_rows(_H, (_H.handle, _H.user))


def mentions(content: str, blocks: str | None) -> Mentions:
    """What Markdown, and blocks of it, name."""
    return scanning.mentions(content, blocks, markdown.prose)


def call(tx: Transaction, user_key: int, name: str, email: str) -> None:
    """From now on they are found by these, and not by what they were called before."""
    _FORGET.execute(tx.database, user=user_key)
    _INSERT.run(tx.database, [(handle, user_key) for handle in sorted({*handles(name, email)} - {""})])


class Named:
    """What a batch of messages names, looked up by two statements, however many they are."""

    def __init__(self, tx: Transaction, found: Iterable[tuple[int, Mentions]]) -> None:
        """(thread, what a message there names)."""
        self._tx = tx
        found = list(found)
        ids = {uid for _, mentions in found for uid in mentions.ids}
        pairs = {(thread, each) for thread, mentions in found for name in mentions.names for each in name}
        self._ids: dict[str, int] = dict(SELECT_USERS.run(tx.database, [(uid,) for uid in ids])) if ids else {}
        self._bearers: dict[_Pair, set[int]] = {}
        for thread, handle, user in SELECT_BEARERS.run(tx.database, sorted(pairs)) if pairs else ():
            self._bearers.setdefault((thread, handle), set()).add(user)

    def users(self, thread_key: int, found: Mentions) -> set[int]:
        """Their keys; who is no member is among them only by an id."""
        keys = {self._ids[uid] for uid in found.ids if uid in self._ids}
        for name in found.names:
            keys |= next((users for each in name if (users := self._bearers.get((thread_key, each)))), set())
        if found.everyone:
            keys |= self._everyone(thread_key)
        return keys

    def _everyone(self, thread_key: int) -> set[int]:
        query = _R.select(_R.user).where(_R.thread == thread_key).limit(limits.NOTIFIED_AT_ONCE + 2)
        members = {row[0] for row in rows.fetch(self._tx.database, query)}
        return members if len(members) <= limits.NOTIFIED_AT_ONCE + 1 else set()
