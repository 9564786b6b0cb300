"""Webhooks and deliveries on the wire."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, StringConstraints

from actors import limits
from actors.event_kinds import KINDS, USER_KINDS
from actors.resources.webhooks import TEST, AttemptError, Delivery, DeliveryState, DisabledBy, Webhook, WebhookStatus
from server.api.fields import LEFT_OUT, Id, Name, NoNul, Paged, Request, Time, View
from server.api.render import Json, iso_time, maybe_time

THREAD_TYPES = tuple(kind.name for kind in KINDS.values() if kind.ends_access != "everyone")
"""Without the event after which nobody may see the thread: `thread.left` in the owner's own log says that."""
TYPES = (*THREAD_TYPES, *USER_KINDS)
"""What a webhook may choose."""


def _known(name: str) -> str:
    if name not in TYPES:
        raise ValueError(f"expected a type of event ({', '.join(TYPES)})")
    return name


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("expected each of them once")
    return values


_UNIQUE: dict[str, Any] = {"uniqueItems": True}
EventType = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(TYPES)})]
EventTypes = Annotated[
    list[EventType], Field(min_length=1, max_length=len(TYPES), json_schema_extra=_UNIQUE), AfterValidator(_distinct)
]
ThreadIds = Annotated[
    list[Id],
    Field(min_length=1, max_length=limits.WEBHOOK_THREADS, json_schema_extra=_UNIQUE),
    AfterValidator(_distinct),
]
ReceiverUrl = Annotated[
    str, StringConstraints(min_length=1, max_length=limits.URL_CHARS, pattern=r"^https?://[!-~]+$"), NoNul
]
_THREADS = "Only events of these threads; null: of all threads that you are a member of. Your own log has no threads."


class WebhookView(View):
    id: Id
    user_id: Id
    name: str
    url: str
    events: list[str]
    thread_ids: list[Id] | None = Field(description=_THREADS)
    ordered: bool
    status: WebhookStatus
    disabled_by: DisabledBy | None = Field(
        description="`request` of the owner or an admin; `gone`: the receiver answered 410; `failing` for days."
    )
    failing_since: Time | None = Field(description="First failure since the last success.")
    paused_until: Time | None = Field(description="While the circuit breaker is open.")
    secret: str | None = Field(default=None, description="Returned only when it is made: on creation and rotation.")
    previous_secret_until: Time | None = Field(description="Until then the secret before signs, too.")
    version: int
    created_at: Time
    updated_at: Time


class ListWebhooksRequest(Paged):
    user_id: Id | None = Field(default=None, description="For admins: the user whose webhooks to list.")


class CreateWebhookRequest(Request):
    url: ReceiverUrl = Field(description="https; http only to networks in the setting WEBHOOK_NETWORKS.")
    events: EventTypes = Field(description="Types of events of threads, and of your own log.")
    name: Name = "Webhook"
    thread_ids: ThreadIds | None = Field(default=None, description=_THREADS)
    ordered: bool = Field(
        default=False, description="An event waits until those before it in its thread were delivered or given up."
    )


class UpdateWebhookRequest(Request):
    id: Id
    url: ReceiverUrl = LEFT_OUT
    events: EventTypes = LEFT_OUT
    name: Name = LEFT_OUT
    thread_ids: ThreadIds | None = LEFT_OUT
    ordered: bool = LEFT_OUT
    status: WebhookStatus = LEFT_OUT


class RotateSecretRequest(Request):
    id: Id
    overlap: int = Field(
        default=limits.WEBHOOK_OVERLAP_SECONDS, ge=0, le=limits.WEBHOOK_OVERLAP_SECONDS_MAX,
        description="Seconds in which the secret before signs, too.",
    )  # fmt: skip


class AttemptView(View):
    at: Time
    duration_ms: int
    status: int | None = Field(description="HTTP status; null if there was no answer.")
    error: AttemptError | None = Field(description="Null: delivered.")


class DeliveryView(View):
    id: Id = Field(description="The `webhook-id` of every attempt.")
    type: str = Field(description=f"Type of the event; `{TEST}` of a test.")
    thread_id: Id | None
    state: DeliveryState
    attempts: int = Field(description="Since it was queued, or replayed.")
    next_attempt_at: Time | None
    log: list[AttemptView] = Field(
        description="The last attempts, the oldest first.", max_length=limits.WEBHOOK_ATTEMPTS_LOGGED
    )
    created_at: Time
    finished_at: Time | None


class ListDeliveriesRequest(Paged):
    id: Id
    state: Literal["pending", "delivered", "dead", "withdrawn"] | None = None


class ReplayRequest(Request):
    id: Id
    delivery_ids: Annotated[
        list[Id],
        Field(min_length=1, max_length=limits.WEBHOOK_REPLAYED, json_schema_extra=_UNIQUE),
        AfterValidator(_distinct),
    ] | None = Field(default=None, description="Delivered or dead ones; by default all that are dead.")  # fmt: skip


class ReplayedView(View):
    count: int = Field(description="Deliveries that are pending again.")


assert get_args(DeliveryState) == get_args(get_args(ListDeliveriesRequest.model_fields["state"].annotation)[0])


def webhook_view(webhook: Webhook, secret: str | None = None) -> Json:
    """`secret`: shown once, when it is made."""
    return {
        "id": webhook.id,
        "user_id": webhook.user_id,
        "name": webhook.name,
        "url": webhook.url,
        "events": list(webhook.events),
        "thread_ids": None if webhook.thread_ids is None else list(webhook.thread_ids),
        "ordered": webhook.ordered,
        "status": webhook.status,
        "disabled_by": webhook.disabled_by,
        "failing_since": maybe_time(webhook.failing_since),
        "paused_until": maybe_time(webhook.resumes_at or None),
        "secret": secret,
        "previous_secret_until": maybe_time(webhook.previous_secret_until),
        "version": webhook.version,
        "created_at": iso_time(webhook.created_at),
        "updated_at": iso_time(webhook.updated_at),
    }


def delivery_view(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "type": delivery.type,
        "thread_id": delivery.thread_id,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_attempt_at": maybe_time(delivery.next_attempt_at),
        "log": [
            {"at": iso_time(each.at), "duration_ms": each.milliseconds, "status": each.status, "error": each.error}
            for each in delivery.log
        ],
        "created_at": iso_time(delivery.created_at),
        "finished_at": maybe_time(delivery.finished_at),
    }
