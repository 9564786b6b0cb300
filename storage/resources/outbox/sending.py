"""What is due to leave the server, and what became of an attempt."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from peewee import SqliteDatabase, fn

from actors import limits
from actors.outcomes import Done
from actors.resources.notifications import DeliveryKind, DeliveryState
from actors.resources.outbox import (
    WAYS,
    CountRows,
    DueRows,
    ListDueRows,
    RecordFailed,
    RecordSent,
    Way,
    WithdrawRows,
    next_attempt,
)
from storage.clock import now_ms
from storage.compiled import Prepared, Shaped
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.schema import models, notification_models

_O, _U = notification_models.Outbox, models.User


def _due(given: Any, *, gathers: bool, busy: tuple[int, ...] = ()) -> Any:
    """`gathers`: only of users who have something that was made before `given.before`."""
    is_due = (_O.state == "pending") & (_O.not_before <= given.now) & (_O.kind == given.way)
    query = _O.select(_O.id, _O.created_at, *rows.USER_COLUMNS).join(_U, on=(_O.user == _U.id)).where(is_due)
    if gathers:
        query = query.where(_O.user.in_(_O.select(_O.user).where(is_due & (_O.created_at <= given.before))))
    if busy:
        query = query.where(_O.user.not_in(busy))
    return query.order_by(_O.not_before, _O.id).limit(limits.OUTBOX_DUE)


_DUE = Shaped(_due)


@answers(ListDueRows)
def due(
    database: SqliteDatabase, way: Way, gathered: int = 0, busy: tuple[int, ...] = ()
) -> Sequence[DueRows]:  # fmt: skip
    """Asked up to ten times a second while anything is written: prepared for when nobody is busy."""
    gathers = gathered > 0
    statement = Prepared(partial(_due, gathers=gathers, busy=busy)) if busy else _DUE.of(gathers=gathers)
    now = now_ms()
    found: dict[int, list[Any]] = {}
    for row in statement.all(database, now=now, way=way, before=now - gathered * 1000):
        found.setdefault(row[2], []).append(row)
    return [_group(way, group) for group in found.values()]


def _group(way: Way, group: Sequence[Any]) -> DueRows:
    return DueRows(rows.user_of(group[0][2:]), way, tuple(row[0] for row in group), max(row[1] for row in group))


@answers(CountRows)
def counts(database: SqliteDatabase) -> dict[tuple[DeliveryKind, DeliveryState], int]:
    query = _O.select(_O.kind, _O.state, fn.COUNT(_O.id)).where(_O.state.in_(["pending", "failed"]))
    query = query.where(_O.kind.in_(WAYS)).group_by(_O.kind, _O.state)
    return {(kind, state): count for kind, state, count in rows.fetch(database, query)}


# What became of it


@writes(RecordSent)
def sent(tx: Transaction, command: RecordSent) -> Done[None]:
    tx.execute(_O.update(state="sent", attempts=_O.attempts + 1, error=None).where(_waiting(command.keys)))
    return Done(None)


def _waiting(keys: tuple[int, ...]) -> Any:
    return _O.id.in_(list(keys)) & (_O.state == "pending")


@writes(WithdrawRows)
def withdraw(tx: Transaction, command: WithdrawRows) -> Done[None]:
    tx.execute(_O.delete().where(_waiting(command.keys)))
    return Done(None)


@writes(RecordFailed)
def failed(tx: Transaction, command: RecordFailed) -> Done[DeliveryState]:
    query = _O.select(fn.MAX(_O.attempts), fn.MAX(_O.created_at)).where(_waiting(command.keys))
    attempts, created_at = rows.fetch(tx.database, query)[0]
    if attempts is None:
        return Done("sent")  # read meanwhile: nothing waits
    again = None
    if command.retry:
        again = next_attempt(tx.now, attempts + 1, created_at, command.retry_after, command.chance)
    state: DeliveryState = "failed" if again is None else "pending"
    columns: dict[str, Any] = {"state": state, "attempts": attempts + 1, "error": command.error}
    if command.reached:
        columns["reached"] = orjson.dumps(command.reached).decode()
    if again is not None:
        columns["not_before"] = again
    tx.execute(_O.update(**columns).where(_waiting(command.keys)))
    return Done(state)
