"""What waits to leave the server and was dated by a clock that was ahead: due when the clock is right again."""

import pytest

from actors import limits
from actors.auth.identity import Identity, Origin
from actors.resources.letters import AskForLink
from actors.resources.notifications import UpdatePreferences
from actors.resources.outbox import RedateWaiting
from actors.resources.users import UpdateUser
from actors.resources.webhooks import CreateWebhook, QueueTest, Webhook
from tests.builders import Ledger
from tests.storage.clock import NOW, Clock

HOUR = 3_600_000
TABLES = ("letter", "notice", "webhook_delivery", "outbox")


@pytest.fixture
def webhook(ledger: Ledger, ana: Identity) -> Webhook:
    command = CreateWebhook(
        identity=ana, name="bot", url="https://receiver.example/", secret="s", events=("message.created",),
        thread_ids=None, ordered=False,
    )  # fmt: skip
    made = ledger.do(command).result
    assert isinstance(made, Webhook)
    return made


@pytest.fixture
def _waiting(ledger: Ledger, clock: Clock, root: Identity, ana: Identity, bo: Identity, webhook: Webhook) -> None:
    """A row of each kind that was written by a clock an hour ahead, as the clock comes back."""
    thread = ledger.thread(ana, bo)
    ledger.do(UpdatePreferences(identity=bo, deliver=("web_push",)))
    clock.now = NOW + HOUR
    ledger.post(ana, thread, "@bo")
    ledger.do(AskForLink(bo.user.email, "", Origin("127.0.0.1", "a test", "")))
    ledger.do(UpdateUser(identity=root, user_id=ana.user.id, email="other@rpotential.ai"))
    ledger.do(QueueTest(identity=ana, webhook_id=webhook.id))
    clock.now = NOW


def due(ledger: Ledger) -> dict[str, list[int]]:
    """When the rows of each kind are due, in milliseconds from now."""
    return {table: [at - NOW for (at,) in ledger.sql(f"SELECT not_before FROM {table}")] for table in TABLES}


@pytest.mark.usefixtures("_waiting")
def test_it_is_due_at_once_and_is_new(ledger: Ledger) -> None:
    assert due(ledger) == {table: [HOUR] for table in TABLES}
    assert [ledger.do(RedateWaiting()).result for _ in range(2)] == [1, 0]
    assert due(ledger) == {table: [0] for table in TABLES}
    assert {ledger.one(f"SELECT created_at FROM {table}") for table in ("letter", "notice", "outbox")} == {NOW}
    assert ledger.one("SELECT queued_at FROM webhook_delivery") == NOW


@pytest.mark.usefixtures("_waiting")
def test_a_notification_keeps_the_quiet_hours_of_its_user(ledger: Ledger, bo: Identity) -> None:
    minute = NOW // 60_000 % (24 * 60)
    ledger.do(UpdatePreferences(identity=bo, quiet=(minute, minute + 10), time_zone="UTC"))
    assert [ledger.do(RedateWaiting()).result for _ in range(2)] == [1, 0]
    assert ledger.one("SELECT not_before FROM outbox") == NOW - NOW % 60_000 + 600_000


@pytest.mark.usefixtures("_waiting")
def test_what_was_sent_stays_as_it_was(ledger: Ledger) -> None:
    states = {"letter": "sent", "notice": "sent", "webhook_delivery": "delivered", "outbox": "sent"}
    for table, state in states.items():
        ledger.sql(f"UPDATE {table} SET state = ?", state)
    assert ledger.do(RedateWaiting()).result == 0
    assert due(ledger) == {table: [HOUR] for table in TABLES}


@pytest.mark.usefixtures("_waiting")
@pytest.mark.parametrize("too_far", [False, True])
def test_a_retry_is_believed_as_far_as_one_may_be_put_off(ledger: Ledger, too_far: bool) -> None:
    """It was written by a clock that was right."""
    furthest = limits.DUE_AHEAD_SECONDS * 1000 + too_far
    for table in TABLES:
        since = "queued_at" if table == "webhook_delivery" else "created_at"
        ledger.sql(f"UPDATE {table} SET {since} = {NOW}, not_before = {NOW + furthest}")
    assert ledger.do(RedateWaiting()).result == too_far
    assert due(ledger) == {table: [0 if too_far else furthest] for table in TABLES}


def test_no_retry_is_put_off_further_than_is_believed() -> None:
    pauses = (1.1 * max(limits.WEBHOOK_DELAYS), 1.2 * max(*limits.PUSH_DELAYS, *limits.LETTER_DELAYS))
    asked_for = (limits.WEBHOOK_RETRY_AFTER_SECONDS, limits.PUSH_TTL_SECONDS)
    assert max(*pauses, *asked_for, 25 * 3600) <= limits.DUE_AHEAD_SECONDS


@pytest.mark.usefixtures("_waiting")
def test_many_are_taken_in_steps(ledger: Ledger, ana: Identity, webhook: Webhook, clock: Clock) -> None:
    clock.now = NOW + HOUR
    for _ in range(2):
        ledger.do(QueueTest(identity=ana, webhook_id=webhook.id))
    clock.now = NOW
    assert [ledger.do(RedateWaiting(rows=2)).result for _ in range(3)] == [2, 1, 0]
    assert due(ledger) == {table: [0] for table in TABLES} | {"webhook_delivery": [0, 0, 0]}


@pytest.mark.parametrize(
    "until", [limits.WEBHOOK_PAUSE_SECONDS_MAX * 1000, limits.WEBHOOK_PAUSE_SECONDS_MAX * 1000 + 1]
)
def test_a_receiver_that_failed_then_gets_its_deliveries_within_an_hour(
    ledger: Ledger, webhook: Webhook, clock: Clock, until: int
) -> None:
    ledger.sql("UPDATE webhook SET resumes_at = ? WHERE uid = ?", clock.now + until, webhook.id)
    ledger.do(RedateWaiting())
    goes_on = 0 if until > limits.WEBHOOK_PAUSE_SECONDS_MAX * 1000 else clock.now + until
    assert ledger.one("SELECT resumes_at FROM webhook") == goes_on


def test_those_that_may_be_wrong_are_found_by_indexes(ledger: Ledger, webhook: Webhook) -> None:
    read: list[str] = []
    connection = ledger.store.database.connection()
    connection.set_trace_callback(lambda text: read.append(text) if text.startswith("SELECT") else None)
    ledger.do(RedateWaiting())
    connection.set_trace_callback(None)
    selects = [text for text in read if "'pending'" in text]
    plans = [" ".join(row[3] for row in ledger.sql(f"EXPLAIN QUERY PLAN {text}")) for text in selects]
    assert len(plans) == 2 * len(TABLES)
    new, far = (plan for text, plan in zip(selects, plans, strict=True) if 'FROM "outbox"' in text)
    assert ("created_at>?" in new, "outbox_due (not_before>?)" in far) == (True, True), (new, far)
    assert any("webhook_delivery_due (webhook_id=? AND not_before>?)" in plan for plan in plans), plans
