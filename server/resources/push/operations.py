"""Web Push: notifications to your browsers while the application is closed."""

from actors.errors import NotFound, ValidationFailed
from actors.resources.push import GetSubscription, KeepPushTest, ListSubscriptions, PushTested, Subscribe, Unsubscribe
from server.api.common_views import DeletedView
from server.api.fields import ById, Nothing
from server.api.registry import Call, Operations, Result
from server.resources.push.views import (
    PushKeyView,
    PushSubscriptionView,
    PushTestView,
    SubscribeRequest,
    decoded,
    subscription_view,
)

operations = Operations("push")


@operations("GET", "/push/key", response=PushKeyView)
async def get_push_key(call: Call, request: Nothing) -> Result:
    """Public key of this server, with which a browser subscribes."""
    return Result({"key": call.services.pusher.vapid.public_key})


@operations("GET", "/push/subscriptions", response=PushSubscriptionView)
async def list_push_subscriptions(call: Call, request: Nothing) -> Result:
    """Your browsers, newest first."""
    return Result([subscription_view(each) for each in await call.services.ask(ListSubscriptions(call.identity))])


@operations("POST", "/push/subscriptions", response=PushSubscriptionView, status=201, reads_later=True)
async def subscribe_to_push(call: Call, request: SubscribeRequest) -> Result:
    """Add a browser, by `endpoint` and `keys` of its subscription; the same endpoint again renews it.

    It gets your notifications while `deliver` of your preferences has `web_push`, outside quiet hours, unless you have
    read them before. It ends with the session or API key that added it. Of more than 20 the oldest is removed.
    """
    fault = call.services.webhook_addresses.fault(request.endpoint)
    if fault is not None:
        raise ValidationFailed({"endpoint": [fault]})
    command = Subscribe(
        identity=call.identity, once=call.once, endpoint=request.endpoint, p256dh=decoded(request.keys.p256dh),
        auth=decoded(request.keys.auth), name=request.name,
    )  # fmt: skip
    made = await call.services.result(command)
    return Result(subscription_view(made), location=f"/api/v1/push/subscriptions/{made.id}")


@operations("DELETE", "/push/subscriptions/{id}", response=DeletedView)
async def unsubscribe_from_push(call: Call, request: ById) -> Result:
    """Remove one of your browsers."""
    await call.services.write(Unsubscribe(identity=call.identity, subscription_id=request.id))
    return Result({"id": request.id, "deleted": True})


@operations("POST", "/push/subscriptions/{id}/test", response=PushTestView, rate="audited", waits=True)
async def test_push_subscription(call: Call, request: ById) -> Result:
    """Send a test to one of your browsers now, and say what the push service answered. 404 and 410 remove it."""
    try:
        tested: PushTested = await call.first(NotFound("test", request.id))
    except NotFound:  # none was sent yet
        tested = await _test(call, request.id)
    return Result({"status": tested.status, "error": tested.error})


async def _test(call: Call, subscription_id: str) -> PushTested:
    found = await call.services.ask(GetSubscription(call.identity, subscription_id))
    answer = await call.services.pusher.test(found)
    tested = PushTested(answer.status, answer.error)
    return await call.services.result(KeepPushTest(identity=call.identity, once=call.once, tested=tested))
