"""What is due, what a sender needs for it, and what became of an attempt."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import orjson
from peewee import SqliteDatabase, fn

from actors import limits
from actors.events import Event
from actors.outcomes import Done
from actors.resources.user_events import UserEvent
from actors.resources.webhook_retries import breaker_pause, next_attempt
from actors.resources.webhooks import (
    TEST,
    DeliveryState,
    DueDeliveries,
    ListDueDeliveries,
    LoadDelivery,
    Outgoing,
    RecordAttempt,
    WithdrawDelivery,
)
from storage.clock import now_ms
from storage.compiled import Prepared
from storage.journal.transaction import Transaction
from storage.journal.writers import writes
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.log import reading as log
from storage.resources.user_log import reading as user_log
from storage.resources.webhooks import access
from storage.resources.webhooks.writing import give_up
from storage.schema import models
from storage.schema import webhook_models as webhooks

_W, _D, _U = webhooks.Webhook, webhooks.WebhookDelivery, models.User
_Before = _D.alias("before")

GONE = 410
"""The receiver wants nothing more (RFC 9110 15.5.11)."""


def _with_due_deliveries(given: Any) -> Any:
    is_due = _D.select(_D.id).where((_D.webhook == _W.id) & (_D.state == "pending") & (_D.not_before <= given.now))
    query = _W.select(_W.id, _W.ordered, _W.failures, _U.domain, _U.email).join(_U, on=(_W.user == _U.id))
    return query.where(access.may_send(given.now) & (_W.resumes_at <= given.now) & fn.EXISTS(is_due))


_DUE = Prepared(_with_due_deliveries)


@answers(ListDueDeliveries)
def due(database: SqliteDatabase) -> Sequence[DueDeliveries]:
    """Asked up to ten times a second while anything is written."""
    now = now_ms()
    return [_of_webhook(database, now, *row) for row in _DUE.all(database, now=now)]


def _of_webhook(
    database: SqliteDatabase, now: int, key: int, ordered: int, failures: int, domain: str, email: str
) -> DueDeliveries:  # fmt: skip
    at_once = 1 if breaker_pause(failures) else limits.WEBHOOK_AT_ONCE
    query = _D.select(_D.id).where((_D.webhook == key) & (_D.state == "pending") & (_D.not_before <= now))
    if ordered:
        query = query.where(~fn.EXISTS(_before()))
    found = rows.fetch(database, query.order_by(_D.not_before, _D.id).limit(limits.WEBHOOK_DUE))
    return DueDeliveries(key, tuple(row[0] for row in found), at_once, (domain, email))


def _before() -> Any:
    """What waits before a delivery in the same thread, or beside it in the owner's own log."""
    same_log = (_Before.thread == _D.thread) | (_Before.thread.is_null() & _D.thread.is_null())
    waits = (_Before.webhook == _D.webhook) & (_Before.state == "pending") & (_Before.id < _D.id)
    return _Before.select(_Before.id).where(waits & same_log)


@answers(LoadDelivery)
def load(database: SqliteDatabase, delivery_key: int) -> Outgoing | None:
    query = _D.select(
        _D.uid, _D.type, _D.thread, _D.position, _W.id, _W.uid, _W.url, _W.secret, _W.previous_secret,
        _W.previous_until, _W.names_threads, _U.id, access.role(),
    ).join(_W, on=(_D.webhook == _W.id)).join(_U, on=(_W.user == _U.id))  # fmt: skip
    now = now_ms()
    row = rows.first(database, query.where((_D.id == delivery_key) & (_D.state == "pending") & access.may_send(now)))
    if row is None:
        return None
    uid, kind, thread, position, key, webhook_id, url, secret, previous, until, names_threads, user, role = row
    secrets = (secret, previous) if previous is not None and until > now else (secret,)
    event = None
    if kind != TEST:
        event = _event(database, (key, bool(names_threads)), (user, role), thread, position)
    return Outgoing(uid, webhook_id, url, secrets, kind, event)


def _event(
    database: SqliteDatabase, webhook: tuple[int, bool], owner: tuple[int, str], thread: int | None, position: int
) -> Event | UserEvent | None:
    """None where the owner may not see it any more, or where it is gone."""
    if thread is None:
        return user_log.at(database, owner[0], position)
    is_named = webhook[1] and access.names(database, webhook[0], thread)
    if webhook[1] and not is_named:
        return None
    return log.at(database, position) if access.sees(database, *owner, thread, is_named=is_named) else None


# What became of it


@writes(WithdrawDelivery)
def withdraw(tx: Transaction, command: WithdrawDelivery) -> Done[None]:
    waits = (_D.id == command.delivery_key) & (_D.state == "pending")
    tx.execute(_D.update(state="withdrawn", finished_at=tx.now).where(waits))
    return Done(None)


@writes(RecordAttempt)
def record(tx: Transaction, command: RecordAttempt) -> Done[str]:
    row = rows.first(
        tx.database,
        _D.select(_D.webhook, _D.attempts, _D.log, _D.queued_at).where(
            (_D.id == command.delivery_key) & (_D.state == "pending")
        ),
    )
    if row is None:
        return Done("withdrawn")
    webhook_key, attempts, tried, queued_at = row
    state, due_at = _outcome(tx, command, attempts + 1, queued_at)
    tx.execute(
        _D.update(
            state=state, attempts=attempts + 1, not_before=due_at, log=_logged(tried, command),
            finished_at=None if state == "pending" else tx.now,
        ).where(_D.id == command.delivery_key)
    )  # fmt: skip
    if command.attempt.error is None:
        _succeeded(tx, webhook_key)
    else:
        _failed(tx, webhook_key, command)
    return Done(state)


def _outcome(tx: Transaction, command: RecordAttempt, attempts: int, queued_at: int) -> tuple[DeliveryState, int]:
    if command.attempt.error is None:
        return "delivered", tx.now
    again = next_attempt(tx.now, attempts, command.retry_after, command.chance)
    is_old = tx.now - queued_at > limits.WEBHOOK_GIVE_UP_SECONDS * 1000
    if again is None or is_old or command.attempt.status == GONE:
        return "dead", tx.now
    return "pending", again


def _logged(tried: str, command: RecordAttempt) -> str:
    kept = [*orjson.loads(tried), astuple(command.attempt)][-limits.WEBHOOK_ATTEMPTS_LOGGED :]
    return orjson.dumps(kept).decode()


def _succeeded(tx: Transaction, webhook_key: int) -> None:
    """Only where that is news: most attempts succeed."""
    was_failing = (_W.id == webhook_key) & (_W.failures > 0)
    tx.execute(_W.update(failures=0, failing_since=None, resumes_at=0).where(was_failing))


def _failed(tx: Transaction, webhook_key: int, command: RecordAttempt) -> None:
    row = rows.first(tx.database, _W.select(_W.failures, _W.failing_since).where(_W.id == webhook_key))
    assert row is not None  # a delivery goes with its webhook
    failures, since = row[0] + 1, row[1] if row[1] is not None else tx.now
    pause = max(breaker_pause(failures), min(command.retry_after or 0, limits.WEBHOOK_PAUSE_SECONDS_MAX))
    columns: dict[str, Any] = {
        "failures": failures, "failing_since": since, "resumes_at": tx.now + round(pause * 1000) if pause else 0
    }  # fmt: skip
    reason = _disables(tx, command, since)
    if reason is not None:
        columns |= {"status": "DISABLED", "disabled_by": reason, "version": _W.version + 1, "updated_at": tx.now}
        give_up(tx, webhook_key)
    tx.execute(_W.update(**columns).where(_W.id == webhook_key))


def _disables(tx: Transaction, command: RecordAttempt, since: int) -> str | None:
    if command.attempt.status == GONE:
        return "gone"
    return "failing" if tx.now - since > limits.WEBHOOK_FAILING_SECONDS * 1000 else None
