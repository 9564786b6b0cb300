"""Web Push: what browsers get, decrypted with keys of their own; and what becomes of subscriptions."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from actors import limits
from actors.commands import Purge
from tests.builders import until, until_asked
from tests.realtime_client import raw_client
from tests.server.outbound.push.browser import SUBSCRIPTIONS, Browser, claims
from tests.server.outbound.webhooks.receiver import Answer, Received, Receiver, status
from tests.serving import Client, Server, serving


def outbox(server: Server) -> list[Any]:
    """(state, attempts, error) of what has been, or is to be, sent."""
    path = server.services.measured_files["database"]
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
        return database.execute("SELECT state, attempts, error FROM outbox ORDER BY id").fetchall()


async def once_in(server: Server, *states: str) -> list[Any]:
    async def look() -> Any:
        found = outbox(server)
        return found if [row[0] for row in found] == list(states) else None

    return list(await until_asked(look))


async def listed(client: Client) -> list[Any]:
    return list((await client.get(SUBSCRIPTIONS)).data)


async def test_a_mention_arrives_encrypted_for_the_browser_alone(
    server: Server, alice: Client, bob: Client, thread: str, service: Receiver, browser: Browser
) -> None:
    made = await browser.subscribe(bob, name="Phone")
    said = await alice.say(thread, "@bob, look — 見て")
    (got,) = await service.until(1)
    body = browser.read(got)
    assert (body["type"], body["unread"]) == ("notification.created", 1)
    assert (body["data"]["kind"], body["data"]["message_id"]) == ("mention", said["id"])
    assert (body["data"]["excerpt"], body["data"]["actor"]["name"]) == ("@bob, look — 見て", "Alice")
    assert "見て".encode() not in got.body
    assert (got.headers["ttl"], got.headers["urgency"]) == ("86400", "high")
    assert (got.headers["content-encoding"], len(got.headers["topic"])) == ("aes128gcm", 32)
    token = claims(got)
    assert token["sub"] == "mailto:ops@example.com"
    assert token["aud"] == browser.endpoint.rsplit("/", 2)[0]
    await once_in(server, "sent")
    (shown,) = await listed(bob)
    assert shown["id"] == made["id"]
    assert (shown["name"], shown["service"], shown["failing_since"]) == ("Phone", browser.endpoint.split("/")[2], None)
    assert shown["sent_at"] is not None
    assert "p256dh" not in str(shown)


async def test_news_of_one_kind_in_one_thread_have_one_topic(
    alice: Client, bob: Client, thread: str, service: Receiver, browser: Browser
) -> None:
    await browser.subscribe(bob)
    mine = await bob.say(thread, "A message")
    await alice.say(thread, "@bob 1")
    await alice.say(thread, "@bob 2")
    await alice.put(f"/api/v1/messages/{mine['id']}/reactions/👍")
    got = {each.headers["topic"]: each.headers["urgency"] for each in await service.until(3)}
    assert sorted(got.values()) == ["high", "low"]


async def test_who_is_active_reads_it_first_and_devices_stay_silent(
    server: Server, alice: Client, bob: Client, thread: str, service: Receiver, browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(limits, "PUSH_WHILE_ACTIVE_SECONDS", 3600)
    await browser.subscribe(bob)
    async with raw_client(server.session, server.websocket_url) as client:
        await client.connect(bob.token)
        await alice.say(thread, "@bob first")
        assert [row[0] for row in outbox(server)] == ["pending"]
        await bob.post(f"/api/v1/threads/{thread}/read")
        assert outbox(server) == []
        await alice.say(thread, "@bob second")
        monkeypatch.setattr(limits, "PUSH_WHILE_ACTIVE_SECONDS", 0)
        (got,) = await service.until(1)
    assert browser.read(got)["data"]["excerpt"] == "@bob second"


@pytest.mark.parametrize("code", [404, 410])
async def test_a_subscription_that_is_gone_is_removed(
    server: Server, alice: Client, bob: Client, thread: str, service: Receiver, browser: Browser, code: int
) -> None:
    service.answer = status(code)
    await browser.subscribe(bob)
    await alice.say(thread, "@bob")
    assert await once_in(server, "failed") == [("failed", 1, "no_recipient")]
    assert await listed(bob) == []


async def test_only_the_device_that_failed_is_tried_again(
    server: Server, alice: Client, bob: Client, thread: str, service: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PUSH_DELAYS", (0.01,) * 9)
    phone, laptop = Browser(f"{service.url}/phone"), Browser(f"{service.url}/laptop")
    tries = 0

    async def answer(received: Received) -> web.StreamResponse:
        nonlocal tries
        if not received.request.path.endswith("laptop"):
            return web.Response(status=201)
        tries += 1
        return web.Response(status=201 if tries > 2 else 503)

    service.answer = answer
    await phone.subscribe(bob)
    await laptop.subscribe(bob)
    await alice.say(thread, "@bob")
    assert await once_in(server, "sent") == [("sent", 3, None)]
    paths = [each.request.path.rpartition("/")[2] for each in service.got]
    assert (paths.count("phone"), paths.count("laptop")) == (1, 3)
    assert [shown["failing_since"] for shown in await listed(bob)] == [None, None]


async def test_what_is_refused_is_given_up_and_seen(
    server: Server, alice: Client, bob: Client, root: Client, thread: str, service: Receiver, browser: Browser
) -> None:
    service.answer = status(403)
    await browser.subscribe(bob)
    await alice.say(thread, "@bob")
    assert await once_in(server, "failed") == [("failed", 1, "refused")]
    assert (await listed(bob))[0]["failing_since"] is not None

    async def is_counted() -> bool:
        return b'xp_notifications_sent_total{result="failed",way="web_push"} 1.0' in (await root.get("/metrics")).raw

    assert await until_asked(is_counted)


async def test_nothing_is_lost_when_the_server_ends_before_the_answer(
    tmp_path: Path, service: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again with the same topic, so that a push service keeps one, and with the same id, by which a browser
    shows one."""
    monkeypatch.setattr(limits, "DUE_STOP_SECONDS", 0)
    browser = Browser(f"{service.url}/1")
    held = asyncio.Event()

    async def never(_: Received) -> web.StreamResponse:
        await held.wait()
        return web.Response(status=201)

    service.answer = never
    async with serving(tmp_path / "data", WEBHOOK_NETWORKS="127.0.0.1") as server:
        alice, bob = server.client("alice"), server.client("bob")
        key = (await bob.get("/api/v1/push/key")).data
        thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
        await bob.patch("/api/v1/users/me/preferences", deliver=["web_push"])
        await browser.subscribe(bob)
        await alice.say(thread, "@bob")
        await service.until(1)
    held.set()
    service.answer = status(201)
    async with serving(tmp_path / "data", WEBHOOK_NETWORKS="127.0.0.1") as server:
        assert (await server.client("bob").get("/api/v1/push/key")).data == key
        await once_in(server, "sent")
    assert len(service.got) == 2
    assert len({(each.headers["topic"], browser.read(each)["data"]["id"]) for each in service.got}) == 1


async def test_a_subscription_ends_with_its_session(
    server: Server, alice: Client, bob: Client, root: Client, thread: str, service: Receiver, browser: Browser
) -> None:
    link = (await root.post(f"/api/v1/admin/users/{(await bob.me())['id']}/sign-in-link")).data["link"]
    session = (await bob.post("/api/v1/auth/login", link=link)).data
    device = server.client("bob")
    device.token = session["access_token"]
    await browser.subscribe(device)
    assert len(await listed(bob)) == 1
    assert (await device.post("/api/v1/auth/logout")).status == 200
    assert await listed(bob) == []
    await alice.say(thread, "@bob")
    assert await once_in(server, "failed") == [("failed", 1, "no_recipient")]
    assert service.got == []
    await server.services.write(Purge(rows=100))
    path = server.services.measured_files["database"]
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM push_subscription").fetchone() == (0,)


async def test_who_may_not_come_in_gets_nothing(
    server: Server, alice: Client, bob: Client, root: Client, thread: str, service: Receiver, browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await browser.subscribe(bob)
    monkeypatch.setattr(limits, "PUSH_WHILE_ACTIVE_SECONDS", 3600)
    async with raw_client(server.session, server.websocket_url) as client:
        await client.connect(bob.token)
        await alice.say(thread, "@bob")
        await root.patch(f"/api/v1/users/{(await bob.me())['id']}", status="DEACTIVATED")
        assert await once_in(server, "failed") == [("failed", 1, "not_allowed")]
    assert service.got == []


async def test_an_endpoint_belongs_to_who_named_it_last(
    server: Server, alice: Client, bob: Client, thread: str, service: Receiver, browser: Browser
) -> None:
    await browser.subscribe(alice)
    await browser.subscribe(bob)
    assert (await listed(alice), len(await listed(bob))) == ([], 1)


async def test_the_oldest_of_too_many_is_removed(bob: Client, service: Receiver) -> None:
    made = [await Browser(f"{service.url}/{n}").subscribe(bob) for n in range(limits.PUSH_SUBSCRIPTIONS + 1)]
    assert [each["id"] for each in await listed(bob)] == [each["id"] for each in reversed(made[1:])]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/1", "https://127.0.0.1/1", "https://169.254.169.254/latest", "https://[::1]/",
        "https://10.0.0.1/1", "https://a@push.example.com/1",
    ],
)  # fmt: skip
async def test_addresses_inside_are_refused(tmp_path: Path, endpoint: str) -> None:
    async with serving(tmp_path / "data") as server:
        refused = await server.client("bob").post(SUBSCRIPTIONS, **Browser(endpoint).json())
    assert refused.status == 400, refused.raw
    assert "endpoint" in refused.error["errors"]


@pytest.mark.parametrize("part", ["p256dh", "auth"])
async def test_keys_of_another_kind_are_refused(bob: Client, browser: Browser, part: str) -> None:
    body = browser.json()
    body["keys"][part] = ("B" + "A" * 86) if part == "p256dh" else "short"
    refused = await bob.post(SUBSCRIPTIONS, **body)
    assert refused.status == 400, refused.raw


@pytest.mark.parametrize(
    ("answer", "told", "left"),
    [
        (status(201), (201, None), 1), (status(410), (410, "status"), 0),
        (status(302, Location="/"), (302, "redirect"), 1),
    ],
)  # fmt: skip
async def test_a_test_says_what_the_push_service_answered(
    bob: Client, service: Receiver, browser: Browser, answer: Answer, told: tuple[Any, Any], left: int
) -> None:
    service.answer = answer
    made = await browser.subscribe(bob)
    tested = (await bob.post(f"{SUBSCRIPTIONS}/{made['id']}/test")).data
    assert (tested["status"], tested["error"]) == told
    assert browser.read(service.got[0]) == {"type": "push.test", "data": {"id": made["id"]}}
    assert len(await listed(bob)) == left


@pytest.mark.parametrize("answer", [status(201), status(410)])
async def test_the_retry_of_a_test_sends_nothing(
    bob: Client, service: Receiver, browser: Browser, answer: Answer
) -> None:
    service.answer = answer
    made = await browser.subscribe(bob)
    key = {"Idempotency-Key": "test-1"}
    first, retry = [await bob.post(f"{SUBSCRIPTIONS}/{made['id']}/test", headers=key) for _ in range(2)]
    assert (retry.status, retry.data) == (first.status, first.data)
    assert len(service.got) == 1


async def test_a_test_over_a_websocket(server: Server, bob: Client, service: Receiver, browser: Browser) -> None:
    made = await browser.subscribe(bob)
    async with raw_client(server.session, server.websocket_url, bob.token) as client:
        client.ignores_own = True
        tested = await client.ask("rpc", method="test_push_subscription", data={"id": made["id"]})
    assert tested["rpc"]["data"] == {"status": 204, "error": None}
    assert browser.read(service.got[0]) == {"type": "push.test", "data": {"id": made["id"]}}


async def test_it_is_removed_by_its_user_alone(alice: Client, bob: Client, browser: Browser) -> None:
    made = await browser.subscribe(bob)
    assert (await alice.delete(f"{SUBSCRIPTIONS}/{made['id']}")).status == 404
    assert (await bob.delete(f"{SUBSCRIPTIONS}/{made['id']}")).data == {"id": made["id"], "deleted": True}
    assert await listed(bob) == []


@pytest.mark.parametrize("content", ["no key at all", ""])
async def test_a_key_file_that_is_none_ends_the_start_with_a_sentence(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "data"
    async with serving(folder):
        pass
    (folder / "push-key").write_text(content)
    with pytest.raises(Exception, match="push-key must hold a private key of P-256 as PEM"):
        async with serving(folder):
            pass


async def test_pushes_go_out_while_a_push_service_hangs(
    alice: Client, bob: Client, thread: str, server: Server, service: Receiver, browser: Browser
) -> None:
    """One user's push service keeps no other user waiting."""
    carol = server.client("carol")
    await carol.patch("/api/v1/users/me/preferences", deliver=["web_push"])
    held = asyncio.Event()
    slow, fast = Browser(f"{service.url}/slow"), Browser(f"{service.url}/fast")

    async def answer(received: Received) -> web.StreamResponse:
        if received.request.path.endswith("slow"):
            await held.wait()
        return web.Response(status=201)

    service.answer = answer
    await slow.subscribe(bob)
    await fast.subscribe(carol)
    await alice.say(thread, "@bob")
    await service.until(1)
    await alice.post(f"/api/v1/threads/{thread}/members", user_id=(await carol.me())["id"])
    await service.until(2)
    assert [each.request.path.rpartition("/")[2] for each in service.got] == ["slow", "fast"]
    held.set()
    await once_in(server, "sent", "sent")


async def test_what_waits_goes_with_its_thread(
    server: Server, alice: Client, bob: Client, thread: str, service: Receiver, browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It would be looked at again as soon as it was, hundreds of times a second, for as long as the thread is there."""
    monkeypatch.setattr(limits, "PUSH_WHILE_ACTIVE_SECONDS", 3600)
    await browser.subscribe(bob)
    async with raw_client(server.session, server.websocket_url) as client:
        await client.connect(bob.token)
        await alice.say(thread, "@bob")
        await alice.delete(f"/api/v1/threads/{thread}")
        assert [row[0] for row in outbox(server)] == ["pending"]
        monkeypatch.setattr(limits, "PUSH_WHILE_ACTIVE_SECONDS", 0)
        await until(lambda: outbox(server) == [])
    assert service.got == []


async def test_what_waits_for_a_user_who_is_active_holds_up_no_others(
    server: Server, alice: Client, bob: Client, thread: str, service: Receiver, browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(limits, "PUSH_WHILE_ACTIVE_SECONDS", 3600)
    carol = server.client("carol")
    await carol.patch("/api/v1/users/me/preferences", deliver=["web_push"])
    await alice.post(f"/api/v1/threads/{thread}/members", user_id=(await carol.me())["id"])
    await carol.post("/api/v1/notifications/read-all")
    await browser.subscribe(bob)
    async with raw_client(server.session, server.websocket_url) as client:
        await client.connect(carol.token)
        for number in range(limits.OUTBOX_DUE):  # as many as one look takes
            await alice.say(thread, f"@carol {number}")
        await alice.say(thread, "@bob")
        (got,) = await service.until(1)
        await once_in(server, *["pending"] * limits.OUTBOX_DUE, "sent")
    assert browser.read(got)["data"]["excerpt"] == "@bob"
