"""Webhooks in the store: secrets that are rotated, and deliveries that are tried anew."""

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, NotFound
from actors.identifiers import new_id
from actors.resources.webhooks import (
    CreateWebhook,
    DeleteWebhook,
    QueueTest,
    ReplayDeliveries,
    RotateSecret,
    UpdateWebhook,
    Webhook,
)
from storage.journal import transaction
from tests.builders import Ledger


def create(ledger: Ledger, who: Identity) -> Webhook:
    command = CreateWebhook(
        identity=who, name="bot", url="https://receiver.example/", events=("message.created",), thread_ids=None,
        ordered=False, secret="first",
    )  # fmt: skip
    made = ledger.do(command).result
    assert isinstance(made, Webhook)
    return made


@pytest.fixture
def webhook(ledger: Ledger, ana: Identity) -> Webhook:
    return create(ledger, ana)


def test_both_secrets_are_good_until_the_overlap_ends(
    ledger: Ledger, ana: Identity, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = webhook.created_at + 1_000
    monkeypatch.setattr(transaction, "now_ms", lambda: now)
    command = RotateSecret(identity=ana, webhook_id=webhook.id, secret="second", overlap_seconds=60)
    rotated = ledger.do(command).result
    assert isinstance(rotated, Webhook)
    assert (rotated.previous_secret_until, rotated.version, rotated.updated_at) == (now + 60_000, 2, now)
    assert ledger.sql("SELECT secret, previous_secret FROM webhook") == [("second", "first")]


def test_a_user_has_a_bounded_number(ledger: Ledger, ana: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOKS_PER_USER", 2)
    first, _ = create(ledger, ana), create(ledger, ana)
    with pytest.raises(Conflict, match="at most 2"):
        create(ledger, ana)
    ledger.do(DeleteWebhook(identity=ana, webhook_id=first.id))
    create(ledger, ana)


def test_what_is_replayed_is_as_if_it_were_new(ledger: Ledger, ana: Identity, webhook: Webhook) -> None:
    delivery = ledger.do(QueueTest(identity=ana, webhook_id=webhook.id)).result
    ledger.sql("UPDATE webhook_delivery SET state = 'dead', attempts = 7, not_before = 9e15, finished_at = 1")
    assert ledger.do(ReplayDeliveries(identity=ana, webhook_id=webhook.id, delivery_ids=(delivery.id,))).result == 1
    waiting = "SELECT state, attempts, not_before < 9e15, finished_at FROM webhook_delivery"
    assert ledger.sql(waiting) == [("pending", 0, 1, None)]
    assert ledger.do(ReplayDeliveries(identity=ana, webhook_id=webhook.id, delivery_ids=None)).result == 0
    with pytest.raises(NotFound, match="delivery"):
        ledger.do(ReplayDeliveries(identity=ana, webhook_id=webhook.id, delivery_ids=(delivery.id, new_id())))


def test_what_waits_is_given_up_with_the_webhook_and_its_failures_are_forgotten_when_it_returns(
    ledger: Ledger, ana: Identity, webhook: Webhook
) -> None:
    ledger.do(QueueTest(identity=ana, webhook_id=webhook.id))
    disabled = ledger.do(UpdateWebhook(identity=ana, webhook_id=webhook.id, status="DISABLED")).result
    assert isinstance(disabled, Webhook)
    assert (disabled.disabled_by, disabled.version) == ("request", 2)
    assert ledger.sql("SELECT state FROM webhook_delivery") == [("dead",)]
    for act in (QueueTest(identity=ana, webhook_id=webhook.id),
                ReplayDeliveries(identity=ana, webhook_id=webhook.id, delivery_ids=None)):  # fmt: skip
        with pytest.raises(Conflict, match="DISABLED"):
            ledger.do(act)
    ledger.sql("UPDATE webhook SET failures = 5, failing_since = 5, resumes_at = 5")
    active = ledger.do(UpdateWebhook(identity=ana, webhook_id=webhook.id, status="ACTIVE")).result
    assert isinstance(active, Webhook)
    assert (active.disabled_by, active.failing_since, active.resumes_at) == (None, None, 0)
    assert ledger.one("SELECT failures FROM webhook") == 0
