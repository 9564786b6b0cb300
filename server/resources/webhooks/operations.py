"""Webhooks: your programs hear of events by a request to a URL of theirs."""

from typing import Any

from actors import permissions
from actors.commands import UNSET
from actors.errors import ValidationFailed
from actors.resources.webhooks import (
    CreateWebhook,
    DeleteWebhook,
    GetWebhook,
    ListDeliveries,
    ListWebhooks,
    QueueTest,
    ReplayDeliveries,
    RotateSecret,
    UpdateWebhook,
)
from server.api.common_views import DeletedView
from server.api.cursors import integer
from server.api.fields import ById, given
from server.api.registry import Call, Operations, Result
from server.outbound.webhooks.signing import new_secret
from server.resources.webhooks.views import (
    CreateWebhookRequest,
    DeliveryView,
    ListDeliveriesRequest,
    ListWebhooksRequest,
    ReplayedView,
    ReplayRequest,
    RotateSecretRequest,
    UpdateWebhookRequest,
    WebhookView,
    delivery_view,
    webhook_view,
)

operations = Operations("webhooks")


@operations("GET", "/webhooks", response=WebhookView, paged=True)
async def list_webhooks(call: Call, request: ListWebhooksRequest) -> Result:
    """Your webhooks, newest first; admins can list other users' webhooks."""
    user_id = request.user_id or call.identity.user.id
    if user_id != call.identity.user.id:
        permissions.must_administer(call.identity)
    page = await call.services.ask(ListWebhooks(user_id=user_id, limit=request.limit, before=integer(request.cursor)))
    return Result([webhook_view(each) for each in page.items], next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/webhooks", response=WebhookView, status=201, rate="audited", reads_later=True)
async def create_webhook(call: Call, request: CreateWebhookRequest) -> Result:
    """Create a webhook: events are posted to its URL, signed by the secret that is returned only once.

    It gets events of threads while you are a member of them, and of your own log (mentions and other notifications). A
    webhook that an API key created ends with the key.
    """
    _must_be_reachable(call, request.url)
    secret = new_secret()
    command = CreateWebhook(
        identity=call.identity, once=call.once, origin=call.origin, name=request.name, url=request.url,
        events=tuple(request.events), ordered=request.ordered, secret=secret,
        thread_ids=None if request.thread_ids is None else tuple(request.thread_ids),
    )  # fmt: skip
    done = await call.services.write(command)
    made = done.result
    shown = webhook_view(made, None if done.replayed else secret)
    return Result(shown, location=f"/api/v1/webhooks/{made.id}", version=made.version)


@operations("GET", "/webhooks/{id}", response=WebhookView)
async def get_webhook(call: Call, request: ById) -> Result:
    """One of your webhooks; admins can see every webhook."""
    found = await call.services.ask(GetWebhook(call.identity, request.id))
    return Result(webhook_view(found), version=found.version)


@operations("PATCH", "/webhooks/{id}", response=WebhookView, rate="audited", reads_later=True)
async def update_webhook(call: Call, request: UpdateWebhookRequest) -> Result:
    """Change one of your webhooks, disable it, or enable it again.

    Events of the time in which it was disabled are not delivered.
    """
    if "url" in request.model_fields_set:
        _must_be_reachable(call, request.url)
    chosen: dict[str, Any] = given(request, "name", "url", "events", "ordered", "status")
    for name in ("events", "thread_ids"):
        if name in request.model_fields_set:
            value = getattr(request, name)
            chosen[name] = None if value is None else tuple(value)
    command = UpdateWebhook(
        identity=call.identity, once=call.once, origin=call.origin, webhook_id=request.id, if_version=call.if_version,
        **{name: chosen.get(name, UNSET) for name in ("name", "url", "events", "thread_ids", "ordered", "status")},
    )  # fmt: skip
    found = await call.services.result(command)
    return Result(webhook_view(found), version=found.version)


@operations("DELETE", "/webhooks/{id}", response=DeletedView, rate="audited")
async def delete_webhook(call: Call, request: ById) -> Result:
    """Delete a webhook with its deliveries; admins can delete every webhook."""
    command = DeleteWebhook(
        identity=call.identity, origin=call.origin, webhook_id=request.id, if_version=call.if_version
    )
    await call.services.write(command)
    return Result({"id": request.id, "deleted": True})


@operations("POST", "/webhooks/{id}/rotate", response=WebhookView, rate="audited")
async def rotate_webhook_secret(call: Call, request: RotateSecretRequest) -> Result:
    """Sign with a new secret, which is returned only once; for a while the secret before signs, too."""
    secret = new_secret()
    command = RotateSecret(
        identity=call.identity, once=call.once, origin=call.origin, webhook_id=request.id, secret=secret,
        overlap_seconds=request.overlap,
    )  # fmt: skip
    done = await call.services.write(command)
    found = done.result
    return Result(webhook_view(found, None if done.replayed else secret), version=found.version)


@operations("POST", "/webhooks/{id}/test", response=DeliveryView, status=202)
async def test_webhook(call: Call, request: ById) -> Result:
    """Queue a test event. What came of it stands in the deliveries."""
    command = QueueTest(identity=call.identity, once=call.once, webhook_id=request.id)
    return Result(delivery_view(await call.services.result(command)))


@operations("GET", "/webhooks/{id}/deliveries", response=DeliveryView, paged=True)
async def list_deliveries(call: Call, request: ListDeliveriesRequest) -> Result:
    """Deliveries of a webhook with their last attempts, newest first."""
    query = ListDeliveries(
        call.identity, request.id, state=request.state, limit=request.limit, before=integer(request.cursor)
    )
    page = await call.services.ask(query)
    return Result([delivery_view(each) for each in page.items], next_cursor=page.next_cursor, limit=request.limit)


@operations("POST", "/webhooks/{id}/replay", response=ReplayedView)
async def replay_deliveries(call: Call, request: ReplayRequest) -> Result:
    """Deliver again: all dead letters, or the deliveries named. Each keeps its id."""
    ids = None if request.delivery_ids is None else tuple(request.delivery_ids)
    command = ReplayDeliveries(identity=call.identity, once=call.once, webhook_id=request.id, delivery_ids=ids)
    return Result({"count": (await call.services.write(command)).result})


def _must_be_reachable(call: Call, url: str) -> None:
    """As far as it can be known now: a name is resolved, and its addresses are checked, for each attempt."""
    fault = call.services.webhook_addresses.fault(url)
    if fault is not None:
        raise ValidationFailed({"url": [fault]})
