"""Webhooks over REST: made, shown, changed, tested and deleted; the secret is shown only when it is made."""

from pathlib import Path

import pytest

from actors import limits
from actors.identifiers import new_id
from tests.server.outbound.webhooks.hooks import WEBHOOKS, deliveries, hook, in_state
from tests.server.outbound.webhooks.receiver import Receiver
from tests.serving import Client, Server


async def test_the_secret_is_shown_once(alice: Client, receiver: Receiver) -> None:
    headers = {"Idempotency-Key": "again"}
    body = {"url": receiver.url, "events": ["message.created"], "name": "Mine"}
    first, again = [await alice.post(WEBHOOKS, headers, **body) for _ in range(2)]
    assert first.data["secret"].startswith("whsec_")
    assert again.data == first.data | {"secret": None}
    assert first.headers["Location"] == f"{WEBHOOKS}/{first.data['id']}"
    shown = await alice.get(first.headers["Location"])
    assert shown.data == first.data | {"secret": None}
    assert shown.headers["ETag"].startswith('"1-')
    assert (await alice.get(WEBHOOKS)).data == [shown.data]


async def test_changing_one(alice: Client, receiver: Receiver) -> None:
    made = await hook(alice, receiver)
    path = f"{WEBHOOKS}/{made['id']}"
    changed = await alice.patch(path, {"If-Match": '"1"'}, name="Other", events=["reaction.added"], ordered=True)
    shown = {"name": "Other", "events": ["reaction.added"], "ordered": True, "version": 2, "secret": None}
    assert changed.data == made | shown | {"updated_at": changed.data["updated_at"]}
    assert (await alice.patch(path, {"If-Match": '"1"'}, name="Late")).status == 412
    assert (await alice.patch(path, name="Other")).data["version"] == 2, "nothing was changed"
    thread = await alice.thread()
    await alice.patch(path, thread_ids=[thread["id"]], events=["message.created"])
    await alice.say(await alice.thread(), "elsewhere")
    await alice.say(thread, "here")
    assert (await receiver.until(1))[0].event["data"]["content"] == "here"
    assert (await alice.patch(path, thread_ids=None)).data["thread_ids"] is None


async def test_a_disabled_one_gets_nothing_and_what_waited_is_dead(alice: Client, receiver: Receiver) -> None:
    made = await hook(alice, receiver)
    path = f"{WEBHOOKS}/{made['id']}"
    shown = (await alice.patch(path, status="DISABLED")).data
    assert (shown["status"], shown["disabled_by"]) == ("DISABLED", "request")
    assert (await alice.post(f"{path}/test")).status == 409
    assert (await alice.post(f"{path}/replay")).status == 409
    thread = await alice.thread()
    await alice.say(thread, "while it was disabled")
    await alice.patch(path, status="ACTIVE")
    await alice.say(thread, "afterwards")
    assert (await receiver.until(1))[0].event["data"]["content"] == "afterwards"
    assert len(await deliveries(alice, made)) == 1


async def test_threads_that_went_do_not_open_it_to_all(alice: Client, receiver: Receiver) -> None:
    named, other = await alice.thread("Named"), await alice.thread("Other")
    made = await hook(alice, receiver, thread_ids=[named["id"]])
    await alice.delete(f"/api/v1/threads/{named['id']}")
    assert (await alice.get(f"{WEBHOOKS}/{made['id']}")).data["thread_ids"] == []
    await alice.say(other)
    everything = await hook(alice, receiver, "reaction.added")
    await alice.post(f"{WEBHOOKS}/{everything['id']}/test")
    assert (await receiver.until(1))[0].event["type"] == "webhook.test"
    assert await deliveries(alice, made) == []


async def test_threads_that_one_may_not_see(alice: Client, bob: Client) -> None:
    thread = await bob.thread()
    for thread_id in (thread["id"], new_id()):
        answer = await alice.post(
            WEBHOOKS, url="https://receiver.invalid/", events=["message.created"], thread_ids=[thread_id]
        )
        assert answer.status == 404


async def test_an_administrator_names_a_thread_to_hear_of_it(root: Client, alice: Client, receiver: Receiver) -> None:
    """Otherwise all that happens on the server would be sent."""
    thread = await alice.thread()
    everywhere = await hook(root, receiver)
    named = await hook(root, receiver, thread_ids=[thread["id"]])
    await alice.say(thread)
    await in_state(root, named, "delivered")
    assert await deliveries(root, everywhere) == []


async def test_a_test_event(alice: Client, receiver: Receiver) -> None:
    made = await hook(alice, receiver)
    queued = await alice.post(f"{WEBHOOKS}/{made['id']}/test")
    assert (queued.status, queued.data["state"], queued.data["type"]) == (202, "pending", "webhook.test")
    (got,) = await receiver.until(1)
    assert got.id == queued.data["id"]
    assert got.event["data"] == {"webhook_id": made["id"]}
    assert got.is_signed_by(made["secret"])


async def test_a_user_has_so_many(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOKS_PER_USER", 2)
    for _ in range(2):
        await hook(alice, "https://receiver.invalid/")
    answer = await alice.post(WEBHOOKS, url="https://receiver.invalid/", events=["message.created"])
    assert (answer.status, answer.error["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": []}, {"events": ["no.such"]}, {"events": ["thread.deleted"]}, {"events": ["webhook.test"]},
        {"events": ["message.created", "message.created"]}, {"thread_ids": []}, {"url": "ftp://receiver.invalid/"},
        {"url": "https://receiver.invalid/ x"}, {"name": ""}, {"ordered": "yes"},
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_not_taken(alice: Client, wrong: dict[str, object]) -> None:
    good = {"url": "https://receiver.invalid/", "events": ["message.created"]}
    answer = await alice.post(WEBHOOKS, **good | wrong)
    assert answer.status == 400
    assert {field.partition(".")[0] for field in answer.error["errors"]} == wrong.keys()


async def test_acts_are_in_the_audit_log_without_secrets(alice: Client, root: Client, tmp_path: Path) -> None:
    made = await hook(alice, "https://receiver.invalid/")
    path = f"{WEBHOOKS}/{made['id']}"
    await alice.patch(path, name="Other")
    rotated = (await alice.post(f"{path}/rotate")).data
    await root.delete(path)
    found = await root.get("/api/v1/admin/audit", target_id=made["id"])
    acts = [entry["action"] for entry in found.data]
    assert acts == ["delete_webhook", "rotate_webhook_secret", "update_webhook", "create_webhook"]
    assert made["secret"].encode() not in found.raw
    assert rotated["secret"].encode() not in found.raw


async def test_a_deleted_user_has_none(alice: Client, root: Client) -> None:
    made = await hook(alice, "https://receiver.invalid/")
    user_id = (await alice.me())["id"]
    assert (await root.delete(f"/api/v1/users/{user_id}")).status == 200
    assert (await root.get(f"{WEBHOOKS}/{made['id']}")).status == 404


async def test_tests_wait_in_a_bounded_number(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a receiver that never answers each would wait for days."""
    monkeypatch.setattr(limits, "WEBHOOK_PENDING", 3)
    made = await hook(alice, "https://192.0.2.1.invalid/")
    answers = [(await alice.post(f"{WEBHOOKS}/{made['id']}/test")).status for _ in range(4)]
    assert answers == [202, 202, 202, 409]


async def test_a_webhook_of_a_key_without_admin_has_no_rights_of_an_admin(
    server: Server, alice: Client, root: Client, receiver: Receiver
) -> None:
    roots = (await root.me())["id"]
    thread = await alice.thread(members=[{"user_id": roots}])
    program = server.client("program")
    program.token = (await root.post("/api/v1/auth/api-keys", name="k", scopes=["read", "write"])).data["key"]
    by_key, by_admin = [await hook(one, receiver, thread_ids=[thread["id"]]) for one in (program, root)]
    await alice.delete(f"/api/v1/threads/{thread['id']}/members/{roots}")
    await alice.say(thread, "after they have left")
    await in_state(root, by_admin, "delivered")
    await root.post(f"{WEBHOOKS}/{by_key['id']}/test")
    assert [each["type"] for each in await in_state(root, by_key, "delivered")] == ["webhook.test"]
