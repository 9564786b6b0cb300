"""Webhooks in the store: secrets that are rotated, and deliveries that are tried anew."""

from typing import Any

import pytest

from actors import limits
from actors.auth.identity import Identity
from actors.errors import Conflict, NotFound, PreconditionFailed
from actors.identifiers import new_id
from actors.resources.webhooks import (
    CreateWebhook,
    DeleteWebhook,
    Delivery,
    GetWebhook,
    QueueTest,
    ReplayDeliveries,
    RotateSecret,
    UpdateWebhook,
    Webhook,
)
from storage.journal import transaction
from storage.readers.answers import answer
from tests.builders import Ledger


def create(ledger: Ledger, who: Identity, **more: Any) -> Webhook:
    given = {"events": ("message.created",), "thread_ids": None, "ordered": False, **more}
    command = CreateWebhook(identity=who, name="bot", url="https://receiver.example/", secret="first", **given)
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


@pytest.fixture
def other(ledger: Ledger, bo: Identity) -> Webhook:
    """Of another user, for one thread."""
    return create(ledger, bo, thread_ids=(ledger.thread(bo).id,))


def get(ledger: Ledger, who: Identity, webhook: Webhook) -> Webhook:
    found = ledger.ask(answer, GetWebhook(who, webhook.id))
    assert isinstance(found, Webhook)
    return found


def queue(ledger: Ledger, who: Identity, webhook: Webhook, state: str = "pending") -> Delivery:
    made = ledger.do(QueueTest(identity=who, webhook_id=webhook.id)).result
    assert isinstance(made, Delivery)
    ledger.sql("UPDATE webhook_delivery SET state = ?, finished_at = 1 WHERE id = ?", state, made.key)
    return made


def states(ledger: Ledger) -> list[str]:
    return [state for (state,) in ledger.sql("SELECT state FROM webhook_delivery ORDER BY id")]


def audited(ledger: Ledger) -> list[tuple[str, str]]:
    """(act, target) of all but the first acts."""
    return ledger.sql("SELECT action, target_id FROM audit WHERE action != 'create_webhook' ORDER BY id")


def test_it_names_threads_that_its_owner_sees(ledger: Ledger, ana: Identity, root: Identity, other: Webhook) -> None:
    first, second, theirs = ledger.thread(ana), ledger.thread(ana), ledger.thread(root)
    made = create(ledger, ana, thread_ids=(second.id, first.id, second.id), ordered=True)
    assert (made.thread_ids, made.ordered, made.version) == ((first.id, second.id), True, 1)
    for wrong in (theirs.id, new_id()):
        with pytest.raises(NotFound, match="thread"):
            create(ledger, ana, thread_ids=(first.id, wrong))
    assert create(ledger, ana, thread_ids=()).thread_ids == ()
    assert create(ledger, root, thread_ids=(first.id,)).thread_ids == (first.id,)


def test_only_what_happens_from_now_on_is_delivered(
    ledger: Ledger, ana: Identity, bo: Identity, other: Webhook
) -> None:
    """Also after a pause."""
    ledger.thread(bo, ana)
    made = create(ledger, ana)

    def heads() -> tuple[int, int]:
        (found,) = ledger.sql("SELECT position, own_offset FROM webhook WHERE id = ?", made.key)
        return tuple(found)

    def newest() -> tuple[int, int]:
        own = "SELECT max(offset) FROM user_event WHERE user_id = ?"
        return ledger.one("SELECT position FROM log_head"), ledger.one(own, ana.user.key)

    began = newest()
    assert heads() == began
    ledger.do(UpdateWebhook(identity=ana, webhook_id=made.id, status="DISABLED"))
    ledger.thread(bo, ana)
    assert heads() == began
    ledger.do(UpdateWebhook(identity=ana, webhook_id=made.id, status="ACTIVE"))
    assert heads() == newest() != began
    without_a_log = create(ledger, ledger.user())
    assert ledger.sql("SELECT position, own_offset FROM webhook WHERE id = ?", without_a_log.key) == [(newest()[0], 0)]


def test_an_update_changes_what_it_names_of_one_webhook(
    ledger: Ledger, ana: Identity, bo: Identity, other: Webhook
) -> None:
    first, second = ledger.thread(ana), ledger.thread(ana)
    webhook = create(ledger, ana, thread_ids=(first.id,))
    mine = {"identity": ana, "webhook_id": webhook.id}
    events = ("message.updated", "thread.updated")
    after = ledger.do(UpdateWebhook(**mine, events=events, thread_ids=(second.id,), ordered=True, name="b")).result
    assert after == get(ledger, ana, webhook)
    assert (after.name, after.events, after.thread_ids, after.ordered) == ("b", events, (second.id,), True)
    assert (after.url, after.status, after.version) == (webhook.url, "ACTIVE", 2)
    before = ledger.dump()
    assert ledger.do(UpdateWebhook(**mine, events=events, thread_ids=(second.id,))).result == after
    with pytest.raises(PreconditionFailed):
        ledger.do(UpdateWebhook(**mine, name="c", if_version=1))
    assert ledger.dump() == before
    everywhere = ledger.do(UpdateWebhook(**mine, thread_ids=None, if_version=2)).result
    assert (everywhere.thread_ids, everywhere.version) == (None, 3)
    nowhere = ledger.do(UpdateWebhook(**mine, thread_ids=())).result
    assert nowhere.thread_ids == ()
    assert ledger.do(UpdateWebhook(**mine, url="https://other.example/")).result.thread_ids == ()
    assert ledger.ask(answer, GetWebhook(ana, webhook.id)).url == "https://other.example/"
    assert get(ledger, bo, other) == other
    assert audited(ledger) == [("update_webhook", webhook.id)] * 4


def test_an_administrator_ends_and_tests_it_but_changes_nothing_of_it(
    ledger: Ledger, ana: Identity, root: Identity, webhook: Webhook, other: Webhook
) -> None:
    dead = queue(ledger, root, webhook, "dead")
    for act in (UpdateWebhook(identity=root, webhook_id=webhook.id, url="https://root.example/"),
                RotateSecret(identity=root, webhook_id=webhook.id, secret="x", overlap_seconds=0)):  # fmt: skip
        with pytest.raises(NotFound):
            ledger.do(act)
    assert ledger.do(ReplayDeliveries(identity=root, webhook_id=webhook.id, delivery_ids=(dead.id,))).result == 1
    assert ledger.do(DeleteWebhook(identity=root, webhook_id=webhook.id)).result.id == webhook.id
    assert ledger.sql("SELECT id FROM webhook") == [(other.key,)]
    assert audited(ledger) == [("delete_webhook", webhook.id)]


def test_nobody_else_does_anything_with_it(ledger: Ledger, bo: Identity, webhook: Webhook) -> None:
    about = {"identity": bo, "webhook_id": webhook.id}
    before = ledger.dump()
    for act in (UpdateWebhook(**about, name="x"), RotateSecret(**about, secret="x", overlap_seconds=0),
                QueueTest(**about), ReplayDeliveries(**about, delivery_ids=None), DeleteWebhook(**about)):  # fmt: skip
        with pytest.raises(NotFound, match="webhook"):
            ledger.do(act)
    with pytest.raises(NotFound):
        ledger.do(DeleteWebhook(identity=bo, webhook_id=new_id()))
    assert ledger.dump() == before


def test_it_is_deleted_as_it_was_seen(ledger: Ledger, ana: Identity, webhook: Webhook) -> None:
    with pytest.raises(PreconditionFailed):
        ledger.do(DeleteWebhook(identity=ana, webhook_id=webhook.id, if_version=2))
    ledger.do(DeleteWebhook(identity=ana, webhook_id=webhook.id, if_version=1))
    assert ledger.sql("SELECT id FROM webhook") == []


def test_another_secret_is_of_one_webhook(ledger: Ledger, ana: Identity, webhook: Webhook, other: Webhook) -> None:
    rotated = ledger.do(RotateSecret(identity=ana, webhook_id=webhook.id, secret="second", overlap_seconds=60)).result
    assert rotated == get(ledger, ana, webhook)
    assert ledger.sql("SELECT secret FROM webhook ORDER BY id") == [("second",), ("first",)]
    assert audited(ledger) == [("rotate_webhook_secret", webhook.id)]


def test_a_test_is_a_delivery_where_few_wait(
    ledger: Ledger, ana: Identity, bo: Identity, webhook: Webhook, other: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_PENDING", 1)
    queue(ledger, bo, other)
    made = ledger.do(QueueTest(identity=ana, webhook_id=webhook.id)).result
    assert (made.type, made.state, made.attempts, made.log, made.thread_id) == (
        "webhook.test", "pending", 0, (), None
    )  # fmt: skip
    assert made.next_attempt_at == made.created_at
    with pytest.raises(Conflict, match="1 deliveries of this webhook wait"):
        ledger.do(QueueTest(identity=ana, webhook_id=webhook.id))


def test_what_has_ended_is_replayed_of_one_webhook(
    ledger: Ledger, ana: Identity, bo: Identity, webhook: Webhook, other: Webhook
) -> None:
    made = [queue(ledger, ana, webhook, state) for state in ("dead", "delivered", "dead", "pending")]
    theirs = queue(ledger, bo, other, "dead")
    everything = ReplayDeliveries(identity=ana, webhook_id=webhook.id, delivery_ids=None)
    with pytest.raises(NotFound, match="delivery"):
        ledger.do(ReplayDeliveries(identity=ana, webhook_id=webhook.id, delivery_ids=(made[0].id, theirs.id)))
    chosen = tuple(made[number].id for number in (0, 1, 3))
    assert ledger.do(ReplayDeliveries(identity=ana, webhook_id=webhook.id, delivery_ids=chosen)).result == 2
    assert states(ledger) == ["pending", "pending", "dead", "pending", "dead"]
    assert ledger.do(everything).result == 1
    assert states(ledger) == ["pending"] * 4 + ["dead"]


def test_what_waits_of_others_is_not_given_up(
    ledger: Ledger, ana: Identity, bo: Identity, webhook: Webhook, other: Webhook
) -> None:
    for who, which, state in ((ana, webhook, "pending"), (ana, webhook, "delivered"), (bo, other, "pending")):
        queue(ledger, who, which, state)
    ledger.do(UpdateWebhook(identity=ana, webhook_id=webhook.id, status="DISABLED"))
    assert states(ledger) == ["dead", "delivered", "pending"]
    renamed = ledger.do(UpdateWebhook(identity=ana, webhook_id=webhook.id, name="b")).result
    assert (renamed.status, renamed.disabled_by) == ("DISABLED", "request")
