"""Rows of webhooks and deliveries become records."""

from collections.abc import Sequence
from typing import Any

import orjson
from peewee import SqliteDatabase

from actors.resources.webhooks import Attempt, Delivery, Webhook
from storage.readers import rows
from storage.schema import models
from storage.schema import webhook_models as webhooks

_W, _B, _D = webhooks.Webhook, webhooks.WebhookThread, webhooks.WebhookDelivery
_U, _T = models.User, models.Thread


def webhooks_query() -> Any:
    return _W.select(
        _W.id, _W.uid, _U.uid, _W.name, _W.url, _W.events, _W.names_threads, _W.ordered, _W.status, _W.disabled_by,
        _W.failing_since, _W.resumes_at, _W.previous_until, _W.version, _W.created_at, _W.updated_at,
    ).join(_U, on=(_W.user == _U.id))  # fmt: skip


def webhooks_of(database: SqliteDatabase, found: Sequence[Sequence[Any]]) -> tuple[Webhook, ...]:
    named = _threads(database, [row[0] for row in found if row[6]])
    return tuple(_webhook(row, named.get(row[0], ())) for row in found)


def _webhook(row: Sequence[Any], named: tuple[str, ...]) -> Webhook:
    key, uid, user_id, name, url, events, names_threads, ordered, *rest = row
    chosen = tuple(orjson.loads(events))
    return Webhook(key, uid, user_id, name, url, chosen, named if names_threads else None, bool(ordered), *rest)


def _threads(database: SqliteDatabase, keys: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Of webhooks that name threads: those that were not deleted."""
    if not keys:
        return {}
    query = _B.select(_B.webhook, _T.uid).join(_T, on=(_B.thread == _T.id))
    found: dict[int, list[str]] = {}
    there = _B.webhook.in_(list(keys)) & _T.deleted_at.is_null()
    for key, uid in rows.fetch(database, query.where(there).order_by(_T.id)):
        found.setdefault(key, []).append(uid)
    return {key: tuple(uids) for key, uids in found.items()}


def deliveries_query() -> Any:
    return _D.select(
        _D.id, _D.uid, _D.type, _T.uid, _D.state, _D.attempts, _D.not_before, _D.log, _D.created_at, _D.finished_at
    ).join(_T, "LEFT OUTER JOIN", on=(_D.thread == _T.id))


def delivery_of(row: Sequence[Any]) -> Delivery:
    key, uid, kind, thread_id, state, attempts, not_before, log, created_at, finished_at = row
    tried = tuple(Attempt(*each) for each in orjson.loads(log))
    due = not_before if state == "pending" else None
    return Delivery(key, uid, kind, thread_id, state, attempts, due, tried, created_at, finished_at)
