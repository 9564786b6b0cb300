"""Events reach the programs of users: the chosen ones, signed, in the form that they have everywhere."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from actors import limits
from actors.resources.actions import ExpireForms
from tests.server.operations.signing_in import sql
from tests.server.operations.test_actions import BUTTONS, approval
from tests.server.operations.test_artifact_actions import desk_of
from tests.server.outbound.webhooks.hooks import deliveries, hook, in_state
from tests.server.outbound.webhooks.receiver import Received, Receiver, ok, receiving, status
from tests.serving import Client, Server


async def test_an_event_arrives_signed_as_every_subscriber_sees_it(alice: Client, receiver: Receiver) -> None:
    thread = await alice.thread()
    made = await hook(alice, receiver)
    message = await alice.say(thread, "Hello")
    (got,) = await receiver.until(1)
    (shown,) = (await alice.get(f"/api/v1/threads/{thread['id']}/log", after=str(message["offset"] - 1))).data
    assert got.event == shown
    assert got.is_signed_by(made["secret"])
    assert got.headers["content-type"] == "application/json"
    (delivery,) = await in_state(alice, made, "delivered")
    assert (delivery["id"], delivery["type"], delivery["thread_id"]) == (got.id, "message.created", thread["id"])
    assert [(each["status"], each["error"]) for each in delivery["log"]] == [(204, None)]


async def test_events_are_chosen_by_type_and_thread(alice: Client, receiver: Receiver) -> None:
    one, other = await alice.thread("One"), await alice.thread("Other")
    await hook(alice, receiver, "message.created", "reaction.added", thread_ids=[one["id"]])
    await alice.say(other, "not this")
    message = await alice.say(one, "this")
    await alice.patch(f"/api/v1/messages/{message['id']}", content="not the edit")
    await alice.post(f"/api/v1/messages/{message['id']}/reactions", emoji="👍")
    await receiver.until(2)
    await alice.say(one, "and this")
    await receiver.until(3)
    assert sorted(receiver.types) == ["message.created", "message.created", "reaction.added"]
    assert {got.event["thread_id"] for got in receiver.got} == {one["id"]}


async def test_mentions_reach_an_agent_by_its_own_log(alice: Client, bob: Client, receiver: Receiver) -> None:
    """Bo needs no webhook on messages to hear that it is mentioned."""
    bob_id = (await bob.me())["id"]
    await hook(bob, receiver, "notification.created", "thread.joined")
    thread = await alice.thread(members=[{"user_id": bob_id}])
    message = await alice.say(thread, "@bob, look at this")
    await alice.say(thread, "and at nothing else")
    await receiver.until(3)
    mention = next(got.event for got in receiver.got if got.event["data"].get("kind") == "mention")
    assert mention["data"]["message_id"] == message["id"]
    assert sorted(receiver.types) == ["notification.created", "notification.created", "thread.joined"]


async def test_notifications_wait_for_the_end_of_quiet_hours(alice: Client, bob: Client, receiver: Receiver) -> None:
    bob_id = (await bob.me())["id"]
    await bob.patch("/api/v1/users/me/preferences", quiet_hours={"start": "00:00", "end": "23:59"})
    made = await hook(bob, receiver, "notification.created", "thread.joined")
    await alice.thread(members=[{"user_id": bob_id}])
    assert (await receiver.until(1))[0].event["type"] == "thread.joined"
    await in_state(bob, made, "delivered")
    waiting = await in_state(bob, made, "pending")
    assert [each["type"] for each in waiting] == ["notification.created"]


async def test_nothing_of_before_is_delivered(alice: Client, receiver: Receiver) -> None:
    thread = await alice.thread()
    await alice.say(thread, "before")
    await hook(alice, receiver)
    await alice.say(thread, "after")
    await receiver.until(1)
    assert [got.event["data"]["content"] for got in receiver.got] == ["after"]


async def test_content_that_was_deleted_meanwhile_is_not_sent(
    alice: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_DELAYS", (0.05,) * 10)
    receiver.answer = status(500)
    thread = await alice.thread()
    await hook(alice, receiver)
    message = await alice.say(thread, "a secret")
    await receiver.until(1)
    await alice.delete(f"/api/v1/messages/{message['id']}")
    receiver.got.clear()
    again = (await receiver.until(2))[1]  # the first may have been on its way
    assert again.event["data"]["content"] == ""
    assert again.event["type"] == "message.created"


async def test_who_left_gets_nothing_more(
    alice: Client, bob: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what was due before: access is asked for again with each attempt."""
    monkeypatch.setattr(limits, "WEBHOOK_DELAYS", (0.2,) * 10)
    bob_id = (await bob.me())["id"]
    thread = await alice.thread(members=[{"user_id": bob_id}])
    made = await hook(bob, receiver)
    receiver.answer = status(500)
    await alice.say(thread, "due, and tried once")
    await receiver.until(1)
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{bob_id}")
    await alice.say(thread, "after")
    receiver.answer = ok
    (withdrawn,) = await in_state(bob, made, "withdrawn")
    assert withdrawn["attempts"] >= 1
    await alice.thread(members=[{"user_id": bob_id}])
    assert len(await deliveries(bob, made)) == 1


@pytest.mark.parametrize("ends", ["revoked", "may not read"])
async def test_a_revoked_key_takes_its_webhooks_with_it(
    alice: Client, receiver: Receiver, tmp_path: Path, ends: str
) -> None:
    """So does one that may not read, with which earlier releases let them be made."""
    key = (await alice.post("/api/v1/auth/api-keys", name="Agent")).data
    agent = Client(alice.session, alice.url, "alice")
    agent.token = key["key"]
    thread = await alice.thread()
    by_key = await hook(agent, receiver, name="by key")
    by_alice = await hook(alice, receiver, name="by alice")
    await alice.say(thread)
    await receiver.until(2)
    if ends == "revoked":
        await alice.delete(f"/api/v1/auth/api-keys/{key['id']}")
    else:
        sql(tmp_path / "data", "UPDATE api_key SET scopes = ?", '["write"]')
    await alice.say(thread)
    await receiver.until(3)
    await in_state(alice, by_alice, "delivered", 2)
    assert len(await deliveries(alice, by_key)) == 1


async def test_order_within_a_thread(alice: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first fails: all of its thread waits for it, and the other thread does not."""
    monkeypatch.setattr(limits, "WEBHOOK_DELAYS", (0.1,) * 100)
    monkeypatch.setattr(limits, "WEBHOOK_FAILURES", 100)
    one, other = await alice.thread("One"), await alice.thread("Other")
    said: list[str] = []

    async def answer(received: Received) -> web.StreamResponse:
        content = received.event["data"]["content"]
        if content == "one 0" and "other 3" not in said:
            return web.Response(status=500)
        said.append(content)
        return web.Response()

    receiver.answer = answer
    made = await hook(alice, receiver, ordered=True)
    for number in range(4):
        await alice.say(one, f"one {number}")
        await alice.say(other, f"other {number}")
    await in_state(alice, made, "delivered", 8)
    assert said == [*(f"other {n}" for n in range(4)), *(f"one {n}" for n in range(4))]


async def test_a_backlog_stays_in_the_log(alice: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries that wait are bounded; the cursor goes on when there is room, and nothing is lost."""
    monkeypatch.setattr(limits, "WEBHOOK_PENDING", 5)
    monkeypatch.setattr(limits, "WEBHOOK_SCAN", 3)
    monkeypatch.setattr(limits, "WEBHOOK_DELAYS", (0.1,) * 10)
    monkeypatch.setattr(limits, "WEBHOOK_FAILURES", 10_000)
    receiver.answer = status(500)
    thread = await alice.thread()
    made = await hook(alice, receiver)
    sent = {(await alice.say(thread, f"{number}"))["id"] for number in range(20)}
    await receiver.until(5)
    assert len(await in_state(alice, made, "pending")) < 10
    receiver.answer = ok
    await in_state(alice, made, "delivered", 20)
    assert {got.event["data"]["id"] for got in receiver.got} == sent


async def test_a_slow_receiver_holds_up_no_other(alice: Client, receiver: Receiver, server: Server) -> None:
    held = asyncio.Event()

    async def never(_: Received) -> web.StreamResponse:
        await held.wait()
        return web.Response()

    async with receiving(never) as slow:
        thread = await alice.thread()
        await hook(alice, slow)
        await hook(alice, receiver)
        for number in range(8):
            await alice.say(thread, f"{number}")
        await receiver.until(8)
        await slow.until(limits.WEBHOOK_AT_ONCE)
        assert len(slow.got) == limits.WEBHOOK_AT_ONCE
        held.set()
        await slow.until(8)


async def test_counts_for_metrics(alice: Client, receiver: Receiver, server: Server) -> None:
    thread = await alice.thread()
    made = await hook(alice, receiver)
    await alice.say(thread)
    await in_state(alice, made, "delivered")
    text = (await alice.get("/metrics")).raw.decode()
    assert 'xp_webhook_attempts_total{result="delivered"} 1.0' in text
    assert 'xp_webhook_deliveries{state="pending"}' in text
    assert "xp_webhook_attempt_seconds_count 1.0" in text


async def test_an_agent_hears_of_an_action_and_the_person_of_the_answer(
    alice: Client, bob: Client, receiver: Receiver
) -> None:
    """The agent needs no connection to be asked, and none to answer."""
    blocks = [
        {
            "type": "actions",
            "block_id": "deploy",
            "elements": [
                {"type": "button", "action_id": "yes", "value": "42", "text": {"type": "plain_text", "text": "Yes"}}
            ],
        }
    ]
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    agents, persons = await hook(alice, receiver, "action.created"), await hook(bob, receiver, "action.updated")
    message = (await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="Deploy?", blocks=blocks)).data
    acted = await bob.post(f"/api/v1/messages/{message['id']}/actions", block_id="deploy", action_id="yes")
    assert acted.status == 201, acted.raw
    (asked,) = await receiver.until(1)
    assert asked.is_signed_by(agents["secret"])
    assert (asked.event["type"], asked.event["data"]["id"]) == ("action.created", acted.data["id"])
    assert (asked.event["data"]["value"], asked.event["data"]["block"]) == ("42", blocks[0])
    answer = {"status": "done", "text": "It is out."}
    assert (await alice.post(f"/api/v1/actions/{acted.data['id']}/answer", **answer)).status == 200
    told = (await receiver.until(2))[1]
    assert told.is_signed_by(persons["secret"])
    assert (told.event["type"], told.event["data"]["status"]) == ("action.updated", "done")
    assert told.event["data"]["text"] == "It is out."


async def test_what_is_done_with_an_artifact_reaches_its_creator(
    server: Server, alice: Client, bob: Client, receiver: Receiver
) -> None:
    """An agent hears of clicks, of forms that closed unanswered, and of comments, without a connection."""
    made = await hook(
        alice, receiver, "action.created", "artifact.action_created", "form.expired", "comment.created",
        "notification.created",
    )  # fmt: skip
    desk = await desk_of(alice, bob, BUTTONS, approval())
    acted = await desk.act("deploy", "yes")
    assert acted.status == 201, acted.raw
    await server.services.write(ExpireForms(before=40_000_000_000_000))
    comment = await bob.post(f"{desk.url}/comments", content="Really?")
    assert comment.status == 201, comment.raw
    got = await receiver.until(5)
    assert all(each.is_signed_by(made["secret"]) for each in got)
    found = {each.event["type"]: each.event["data"] for each in got}
    artifact_id = desk.artifact["id"]
    assert (found["action.created"]["id"], found["action.created"]["artifact_id"]) == (acted.data["id"], artifact_id)
    assert found["action.created"]["block"] == BUTTONS
    assert found["artifact.action_created"]["artifact_id"] == artifact_id
    assert (found["form.expired"]["artifact_id"], found["form.expired"]["block_id"]) == (artifact_id, "approval")
    assert (found["comment.created"]["id"], found["comment.created"]["content"]) == (comment.data["id"], "Really?")
    told = found["notification.created"]
    assert (told["kind"], told["comment_id"], told["artifact_id"]) == ("reply", comment.data["id"], artifact_id)
