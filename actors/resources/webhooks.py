"""Webhooks: events posted to the URL of a program, at least once each, always with the same id.

The log is the outbox: a webhook has a cursor in the log of threads and one in its owner's own log. What lies after them
becomes deliveries, which are rows, in the transaction that moves the cursor.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from actors.commands import UNSET, Command, Gone, IfVersion, Makes, Unset
from actors.events import Event
from actors.page import Page
from actors.queries import ADMINISTRATORS, IdentityQuery, Owner, Query
from actors.resources.user_events import UserEvent

WebhookStatus = Literal["ACTIVE", "DISABLED"]
DisabledBy = Literal["request", "gone", "failing"]
"""A request of the owner or of an administrator; the receiver, who answered 410; failures of several days."""
DeliveryState = Literal["pending", "delivered", "dead", "withdrawn"]
"""`dead`: given up, and kept to be replayed; `withdrawn`: the owner may not see the event any more."""
AttemptError = Literal[
    "address_refused", "name_not_found", "connection_failed", "tls_failed", "timeout", "redirect", "status"
]
WEBHOOK_STATUSES: tuple[WebhookStatus, ...] = ("ACTIVE", "DISABLED")
DISABLED_BY: tuple[DisabledBy, ...] = ("request", "gone", "failing")
DELIVERY_STATES: tuple[DeliveryState, ...] = ("pending", "delivered", "dead", "withdrawn")

TEST: Final = "webhook.test"
"""Type of an event that only a test delivery has."""
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how a secret begins


@dataclass(frozen=True, slots=True)
class Webhook:
    """Without its secret, which is shown only when it is made."""

    key: int
    id: str
    user_id: str
    """Its owner: it gets what this user may see."""
    name: str
    url: str
    events: tuple[str, ...]
    """Types of events of threads, and of the owner's own log."""
    thread_ids: tuple[str, ...] | None
    """The only threads whose events it gets; None: all of which the owner is a member."""
    ordered: bool
    """Whether an event waits until those before it in the same thread were delivered or given up."""
    status: WebhookStatus
    disabled_by: DisabledBy | None
    failing_since: int | None
    """Of the first failure since the last success."""
    resumes_at: int
    """Until then the circuit breaker lets nothing through; 0 where it is closed."""
    previous_secret_until: int | None
    version: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a receiver. Of its answer only the status is kept."""

    at: int
    milliseconds: int
    status: int | None
    error: AttemptError | None
    """None: delivered."""


@dataclass(frozen=True, slots=True)
class Delivery:
    key: int
    id: str
    """The `webhook-id` of every attempt, also of a replay."""
    type: str
    thread_id: str | None
    state: DeliveryState
    attempts: int
    """Since it was queued, or replayed."""
    next_attempt_at: int | None
    log: tuple[Attempt, ...]
    """The last ones, the oldest first."""
    created_at: int
    finished_at: int | None


# Commands of the owner


@dataclass(slots=True, kw_only=True)
class CreateWebhook(Command[Webhook]):
    """Answers the `Webhook`."""

    name: str
    url: str
    events: tuple[str, ...]
    thread_ids: tuple[str, ...] | None
    ordered: bool
    secret: str


@dataclass(slots=True, kw_only=True)
class UpdateWebhook(Command[Webhook]):
    """Answers the `Webhook`. Events of the time in which it was disabled are not delivered."""

    webhook_id: str
    name: str | Unset = UNSET
    url: str | Unset = UNSET
    events: tuple[str, ...] | Unset = UNSET
    thread_ids: tuple[str, ...] | Unset | None = UNSET
    ordered: bool | Unset = UNSET
    status: WebhookStatus | Unset = UNSET
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class DeleteWebhook(Command[Gone]):
    webhook_id: str
    if_version: IfVersion = None


@dataclass(slots=True, kw_only=True)
class RotateSecret(Command[Webhook]):
    """Sign with a new secret, and for `overlap_seconds` with the present one as well. Answers the `Webhook`."""

    webhook_id: str
    secret: str
    overlap_seconds: int


@dataclass(slots=True, kw_only=True)
class QueueTest(Command[Delivery]):
    """Queue an event of the type `TEST`. Answers the `Delivery`."""

    webhook_id: str


@dataclass(slots=True, kw_only=True)
class ReplayDeliveries(Command[int]):
    """Deliver again what was delivered or given up; without ids all dead letters. Answers how many."""

    webhook_id: str
    delivery_ids: tuple[str, ...] | None


# Commands of the server


@dataclass(frozen=True, slots=True)
class NewDelivery:
    webhook_key: int
    position: int
    """Of the event: its position in the log of threads, or its offset in the owner's own log."""
    type: str
    thread_key: int | None
    """None: of the owner's own log."""
    not_before: int
    """0: now."""


@dataclass(frozen=True, slots=True)
class QueueDeliveries(Makes[int]):
    """Move the cursor of some webhooks from `after` to `up_to`, and queue what lies between. A webhook whose cursor is
    elsewhere by now gets nothing. Answers how many deliveries were queued."""

    webhook_keys: tuple[int, ...]
    own: bool
    """Whether it is the cursor in the owner's own log."""
    after: int
    up_to: int
    deliveries: tuple[NewDelivery, ...]


@dataclass(frozen=True, slots=True)
class RecordAttempt(Makes[str]):
    """Answers the `DeliveryState` that the delivery has now."""

    delivery_key: int
    attempt: Attempt
    retry_after: float | None = None
    """Seconds that the receiver asked for."""
    chance: float = 0.5
    """From 0 to 1: spreads retries."""


@dataclass(frozen=True, slots=True)
class WithdrawDelivery(Makes[None]):
    delivery_key: int


# Queries


@dataclass(frozen=True, slots=True)
class ListWebhooks(Query[Page[Webhook]]):
    """The newest first; of one user, or of all."""

    _: KW_ONLY
    user_id: str | None
    limit: int
    before: int | None

    @property
    def owner(self) -> Owner:
        return self.user_id or ADMINISTRATORS


@dataclass(frozen=True, slots=True)
class GetWebhook(IdentityQuery[Webhook]):
    """Raises `NotFound`, also for another user's, unless an administrator asks."""

    webhook_id: str


@dataclass(frozen=True, slots=True)
class ListDeliveries(IdentityQuery[Page[Delivery]]):
    """The newest first."""

    webhook_id: str
    _: KW_ONLY
    state: DeliveryState | None
    limit: int
    before: int | None


@dataclass(frozen=True, slots=True)
class FindNews(Query[Sequence[QueueDeliveries] | None]):
    """What lies after the cursors of webhooks that have room for more; None where no webhook follows anything."""


@dataclass(frozen=True, slots=True)
class DueDeliveries:
    """Of one webhook: keys of deliveries, and how many of them may be on their way at once."""

    webhook_key: int
    keys: tuple[int, ...]
    at_once: int
    owner: tuple[str, str] = ("", "")
    """Domain and e-mail address of its user."""


@dataclass(frozen=True, slots=True)
class ListDueDeliveries(Query[Sequence[DueDeliveries]]):
    """A few of each webhook to which something is due."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a sender needs for one attempt."""

    delivery_id: str
    webhook_id: str
    url: str
    secrets: tuple[str, ...]
    """The current one first."""
    type: str
    event: Event | UserEvent | None
    """As it is now; None: a test, or the owner may not see it any more."""

    @property
    def is_visible(self) -> bool:
        return self.event is not None or self.type == TEST


@dataclass(frozen=True, slots=True)
class LoadDelivery(Query[Outgoing | None]):
    """A pending delivery, its event, and whether its owner may see it: all of one moment. None: it is not pending."""

    delivery_key: int


@dataclass(frozen=True, slots=True)
class CountDeliveries(Query[dict[DeliveryState, int]]):
    """How many deliveries wait, and how many are dead; for metrics."""
