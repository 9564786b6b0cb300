"""`xp webhooks`."""

import pytest

from actors.identifiers import new_id
from actors.resources.webhooks import Attempt, CreateWebhook, QueueTest, RecordAttempt, Webhook
from server.outbound.webhooks.signing import new_secret
from tests.builders import Ledger
from tests.cli.conftest import Xp


@pytest.fixture
def made(ledger: Ledger) -> Webhook:
    bot = ledger.user("bot", kind="ASSISTANT")
    command = CreateWebhook(
        identity=bot, name="Agent", url="https://agent.example.com/hook", events=("message.created",),
        thread_ids=None, ordered=False, secret=new_secret(),
    )  # fmt: skip
    webhook = ledger.do(command).result
    assert isinstance(webhook, Webhook)
    return webhook


def give_up(ledger: Ledger, webhook: Webhook) -> str:
    """A dead letter."""
    delivery = ledger.do(QueueTest(identity=ledger.user("bot"), webhook_id=webhook.id)).result
    key: int = delivery.key  # type: ignore[attr-defined]
    ledger.sql("UPDATE webhook_delivery SET attempts = 10 WHERE id = ?", key)
    assert ledger.do(RecordAttempt(key, Attempt(0, 7, 500, "status"))).result == "dead"
    return str(delivery.id)  # type: ignore[attr-defined]


def test_listing(xp: Xp, made: Webhook, ledger: Ledger) -> None:
    ledger.user("ana")
    listed = xp("webhooks", "list").out
    assert made.id in listed
    assert "https://agent.example.com/hook" in listed
    assert [each["id"] for each in xp("webhooks", "list", "--user", "bot@example.com", "--json").json] == [made.id]
    assert xp("webhooks", "list", "--user", "ana@example.com", "--json").json == []


def test_showing_one_with_its_deliveries(xp: Xp, made: Webhook, ledger: Ledger) -> None:
    delivery = give_up(ledger, made)
    shown = xp("webhooks", "show", made.id)
    assert "all of its owner's" in shown.out
    assert delivery in shown.out
    assert "500 status" in shown.out
    told = xp("webhooks", "show", made.id, "--json").json
    assert (told["secret"], [each["state"] for each in told["deliveries"]]) == (None, ["dead"])
    assert xp("webhooks", "show", new_id()).sentence.startswith("There is no webhook")


def test_replaying(xp: Xp, made: Webhook, ledger: Ledger) -> None:
    one, other = give_up(ledger, made), give_up(ledger, made)
    assert xp("webhooks", "replay", made.id, one).out == "1 deliveries are pending again.\n"
    assert xp("webhooks", "replay", made.id).out == "1 deliveries are pending again.\n"
    assert ledger.sql("SELECT state, attempts FROM webhook_delivery ORDER BY id") == [("pending", 0)] * 2
    assert xp("webhooks", "replay", made.id, new_id()).sentence.startswith("There is no delivery")
    assert other


def test_a_test_without_a_server_says_that_nothing_sends_it(xp: Xp, made: Webhook) -> None:
    ran = xp("webhooks", "test", made.id, "--wait", "1s")
    assert ran.sentence.endswith("was not sent within 1 s; a running server sends it.")
