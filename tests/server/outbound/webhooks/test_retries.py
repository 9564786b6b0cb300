"""A receiver that fails: when it is tried again, when it is left alone, and when it is given up."""

import asyncio
import time
from datetime import datetime
from email.utils import formatdate

import pytest

from actors import limits
from actors.resources.webhook_retries import breaker_pause, next_attempt
from tests.server.outbound.webhooks.hooks import WEBHOOKS, hook, in_state, once_shown, tried
from tests.server.outbound.webhooks.receiver import Receiver, ok, receiving, status
from tests.serving import Client

DAY = 24 * 3600 * 1000


def test_retries_span_three_days() -> None:
    now, moments = 0, []
    for attempts in range(1, 11):
        again = next_attempt(now, attempts, None, 0.5)
        assert again is not None
        moments.append(again - now)
        now = again
    assert moments == sorted(moments)
    assert 2.8 * DAY < now < 3.2 * DAY
    assert next_attempt(now, 11, None, 0.5) is None


def test_jitter_is_a_tenth_both_ways() -> None:
    assert next_attempt(0, 3, None, 0.0) == 270_000
    assert next_attempt(0, 3, None, 1.0) == 330_000


def test_a_receiver_may_ask_for_more_time_and_not_for_less() -> None:
    assert next_attempt(0, 1, 600.0, 0.5) == 600_000
    assert next_attempt(0, 4, 1.0, 0.5) == 1_800_000
    assert next_attempt(0, 1, 1e9, 0.5) == DAY


def test_the_circuit_opens_after_some_failures_for_longer_each_time() -> None:
    assert [breaker_pause(failures) for failures in (0, 4, 5, 6, 7, 100)] == [0, 0, 30, 60, 120, 3600]


async def test_a_failure_is_tried_again_with_the_same_id(
    alice: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_DELAYS", (0.05,) * 10)
    receiver.answer = status(500)
    thread = await alice.thread()
    made = await hook(alice, receiver)
    await alice.say(thread)
    await receiver.until(2)
    receiver.answer = ok
    (delivery,) = await in_state(alice, made, "delivered")
    assert {got.id for got in receiver.got} == {delivery["id"]}
    assert [each["error"] for each in delivery["log"]][-2:] == ["status", None]
    assert delivery["attempts"] == len(receiver.got) == len(delivery["log"])
    shown = (await alice.get(f"{WEBHOOKS}/{made['id']}")).data
    assert (shown["failing_since"], shown["paused_until"]) == (None, None)


@pytest.mark.parametrize("wait", ["7", pytest.param(None, id="date")])
async def test_retry_after_is_honoured(alice: Client, receiver: Receiver, wait: str | None) -> None:
    receiver.answer = status(503, **{"Retry-After": wait or formatdate(time.time() + 8, usegmt=True)})
    thread = await alice.thread()
    made = await hook(alice, receiver)
    began = time.time()
    await alice.say(thread)
    delivery = await tried(alice, made)
    assert delivery["next_attempt_at"] is not None
    shown = (await alice.get(f"{WEBHOOKS}/{made['id']}")).data
    assert shown["paused_until"] is not None, "nothing else is sent there meanwhile"
    for moment in (delivery["next_attempt_at"], shown["paused_until"]):
        assert 4 < datetime.fromisoformat(moment).timestamp() - began < 30


async def test_410_disables_the_webhook(alice: Client, receiver: Receiver) -> None:
    receiver.answer = status(410)
    thread = await alice.thread()
    made = await hook(alice, receiver)
    await alice.say(thread)
    (dead,) = await in_state(alice, made, "dead")
    assert [each["status"] for each in dead["log"]] == [410]
    shown = (await alice.get(f"{WEBHOOKS}/{made['id']}")).data
    assert (shown["status"], shown["disabled_by"]) == ("DISABLED", "gone")
    await alice.say(thread, "nothing more")
    enabled = await alice.patch(f"{WEBHOOKS}/{made['id']}", status="ACTIVE")
    assert (enabled.data["status"], enabled.data["disabled_by"]) == ("ACTIVE", None)
    receiver.answer = ok
    await alice.say(thread, "from now on again")
    await receiver.until(2)
    assert receiver.got[-1].event["data"]["content"] == "from now on again"


async def test_dead_letters_are_replayed(alice: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_DELAYS", (0.01,))
    receiver.answer = status(500)
    thread = await alice.thread()
    made = await hook(alice, receiver)
    for number in range(2):
        await alice.say(thread, f"{number}")
    dead = await in_state(alice, made, "dead", 2)
    receiver.answer = ok
    receiver.got.clear()
    assert (await alice.post(f"{WEBHOOKS}/{made['id']}/replay")).data == {"count": 2}
    delivered = await in_state(alice, made, "delivered", 2)
    assert {got.id for got in receiver.got} == {each["id"] for each in dead} == {each["id"] for each in delivered}
    assert (await alice.post(f"{WEBHOOKS}/{made['id']}/replay")).data == {"count": 0}
    again = await alice.post(f"{WEBHOOKS}/{made['id']}/replay", delivery_ids=[dead[0]["id"]])
    assert again.data == {"count": 1}
    await receiver.until(3)
    assert receiver.got[-1].id == dead[0]["id"]


async def test_while_the_circuit_is_open_nothing_is_sent(
    alice: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then one probe; after a success all goes on."""
    monkeypatch.setattr(limits, "WEBHOOK_DELAYS", (0.01,) * 10)
    monkeypatch.setattr(limits, "WEBHOOK_PAUSE_SECONDS", 1)
    receiver.answer = status(500)
    thread = await alice.thread()
    made = await hook(alice, receiver)
    for number in range(20):
        await alice.say(thread, f"{number}")
    await once_shown(alice, made, lambda shown: shown["paused_until"] is not None)
    assert limits.WEBHOOK_FAILURES <= len(receiver.got) < limits.WEBHOOK_FAILURES + limits.WEBHOOK_AT_ONCE
    receiver.answer = ok
    await in_state(alice, made, "delivered", 20, seconds=20)
    assert (await alice.get(f"{WEBHOOKS}/{made['id']}")).data["paused_until"] is None


async def test_a_dead_receiver(alice: Client) -> None:
    async with receiving() as gone:
        url = gone.url
    thread = await alice.thread()
    made = await hook(alice, url)
    await alice.say(thread)
    delivery = await tried(alice, made)
    assert [(each["status"], each["error"]) for each in delivery["log"]] == [(None, "connection_failed")]


async def test_a_receiver_that_says_nothing(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        thread = await alice.thread()
        made = await hook(alice, f"http://127.0.0.1:{port}/")
        await alice.say(thread)
        assert (await tried(alice, made))["log"][0]["error"] == "timeout"


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", None, 200),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nlies", None, 200),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "connection_failed", None),
        (b"220 smtp.example.com ESMTP\r\n", "connection_failed", None),
        (b"", "connection_failed", None),
    ],
    ids=["short", "not-gzip", "huge-header", "smtp", "nothing"],
)
async def test_a_receiver_that_lies(alice: Client, answer: bytes, error: str | None, code: int | None) -> None:
    async def lying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(lying, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        thread = await alice.thread()
        made = await hook(alice, f"http://127.0.0.1:{port}/")
        await alice.say(thread)
        delivery = await tried(alice, made)
        assert (delivery["log"][0]["status"], delivery["log"][0]["error"]) == (code, error)


async def test_redirects_are_not_followed(alice: Client, receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        for target in ("http://169.254.169.254/latest/meta-data/", elsewhere.url):
            receiver.answer = status(307, Location=target)
            thread = await alice.thread()
            made = await hook(alice, receiver)
            await alice.say(thread)
            delivery = await tried(alice, made)
            assert (delivery["log"][0]["status"], delivery["log"][0]["error"]) == (307, "redirect")
            await alice.delete(f"{WEBHOOKS}/{made['id']}")
        assert elsewhere.got == []
