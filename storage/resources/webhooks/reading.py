"""Webhooks and their deliveries, as owners and administrators see them."""

from typing import Any

from peewee import SqliteDatabase, fn

from actors import limits
from actors.auth.identity import Identity
from actors.errors import NotFound
from actors.page import Page
from actors.resources.webhooks import (
    CountDeliveries,
    Delivery,
    DeliveryState,
    GetWebhook,
    ListDeliveries,
    ListWebhooks,
    Webhook,
)
from storage.readers import rows
from storage.readers.answers import answers
from storage.resources.webhooks.records import deliveries_query, delivery_of, webhooks_of, webhooks_query
from storage.schema import models
from storage.schema import webhook_models as webhooks

_W, _D, _U = webhooks.Webhook, webhooks.WebhookDelivery, models.User


@answers(ListWebhooks)
def page(database: SqliteDatabase, *, user_id: str | None, limit: int, before: int | None) -> Page[Webhook]:
    """The newest first."""
    query = webhooks_query()
    if user_id is not None:
        query = query.where(_U.uid == user_id)
    if before is not None:
        query = query.where(_W.id < before)
    found = rows.fetch(database, query.order_by(_W.id.desc()).limit(limit + 1))
    return Page(webhooks_of(database, found[:limit]), str(found[limit - 1][0]) if len(found) > limit else None)


@answers(GetWebhook)
def one(database: SqliteDatabase, identity: Identity, webhook_id: str) -> Webhook:
    found = find(database, webhook_id)
    if found.user_id != identity.user.id and not identity.is_admin:
        raise NotFound("webhook", webhook_id)
    return found


def find(database: SqliteDatabase, webhook_id: str) -> Webhook:
    """Of any owner. Raises `NotFound`."""
    row = rows.first(database, webhooks_query().where(_W.uid == webhook_id))
    if row is None:
        raise NotFound("webhook", webhook_id)
    return webhooks_of(database, [row])[0]


@answers(ListDeliveries)
def deliveries(
    database: SqliteDatabase,
    identity: Identity,
    webhook_id: str,
    *,
    state: DeliveryState | None,
    limit: int,
    before: int | None,
) -> Page[Delivery]:
    """The newest first."""
    webhook = one(database, identity, webhook_id)
    query: Any = deliveries_query().where(_D.webhook == webhook.key)
    if state is not None:
        query = query.where(_D.state == state)
    if before is not None:
        query = query.where(_D.id < before)
    found = rows.fetch(database, query.order_by(_D.id.desc()).limit(limit + 1))
    return Page(tuple(map(delivery_of, found[:limit])), str(found[limit - 1][0]) if len(found) > limit else None)


def has_room(database: SqliteDatabase, webhook_key: int) -> bool:
    """Whether another delivery of it may wait."""
    waits = (_D.webhook == webhook_key) & (_D.state == "pending")
    query = _D.select(_D.id).where(waits).order_by(_D.id).limit(1).offset(limits.WEBHOOK_PENDING - 1)
    return rows.first(database, query) is None


@answers(CountDeliveries)
def counts(database: SqliteDatabase) -> dict[DeliveryState, int]:
    """Of those that are not over: pending and dead."""
    query = _D.select(_D.state, fn.COUNT(_D.id)).where(_D.state.in_(["pending", "dead"])).group_by(_D.state)
    return dict(rows.fetch(database, query))
