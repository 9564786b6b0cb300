"""API keys: what they may do by every way in, until when, and what is seen of them."""

from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from tests.realtime_client import event_stream, raw_client
from tests.server.operations.signing_in import sign_in, sql
from tests.server.operations.sweep.requests import check_problem
from tests.server.operations.test_artifacts import create
from tests.serving import Answer, Client, Server

KEYS = "/api/v1/auth/api-keys"
FORBIDDEN = 103
BROWSER = {
    "endpoint": "https://push.example/1",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "AAAAAAAAAAAAAAAAAAAAAA",
    },
}  # fmt: skip


async def made(client: Client, *scopes: str, **more: Any) -> Client:
    """Whoever comes by a new key."""
    chosen: dict[str, Any] = {"scopes": list(scopes)} if scopes else {}
    answer = await client.post(KEYS, name="A key", **chosen, **more)
    assert answer.status == 201, answer.raw
    bot = Client(client.session, client.url, "bot")
    bot.token = answer.data["key"]
    return bot


async def key_id(bot: Client) -> str:
    return str((await bot.get("/api/v1/auth/verify")).data["api_key_id"])


async def test_a_key_is_shown_once(alice: Client, tmp_path: Path) -> None:
    answer = await alice.post(KEYS, name="Summariser", expires_in=3600)
    shown = answer.data
    assert answer.headers["Location"] == f"{KEYS}/{shown['id']}"
    assert (len(shown["key"]), shown["key"][:4], shown["scopes"]) == (4 + 43, "xpk_", ["read", "write"])
    assert (len(shown["prefix"]), shown["last_used_at"]) == (12, None)
    assert shown["key"].startswith(shown["prefix"])
    listed = await alice.get(KEYS)
    assert listed.data == [shown | {"key": None}]
    assert shown["key"].encode() not in listed.raw
    kept = [file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file()]
    assert shown["key"].encode() not in b"".join(kept)


async def test_a_retry_makes_one_key_and_shows_it_no_more(alice: Client) -> None:
    headers = {"Idempotency-Key": "again"}
    first, again = [await alice.post(KEYS, headers, name="A key") for _ in range(2)]
    assert (first.status, again.status) == (201, 201)
    assert again.data == first.data | {"key": None}
    assert len((await alice.get(KEYS)).data) == 1


async def test_when_it_was_used(alice: Client, tmp_path: Path) -> None:
    bot = await made(alice)
    await bot.me()
    while (used := (await alice.get(KEYS)).data[0]["last_used_at"]) is None:
        await bot.me()  # it is written beside the request, not before its answer
    sql(tmp_path / "data", "UPDATE api_key SET last_used_at = last_used_at - ?", limits.SEEN_SECONDS * 1000 + 1)
    raised = (await alice.get(KEYS)).data[0]["last_used_at"]
    assert raised < used, "what is remembered writes nothing"


@pytest.mark.parametrize("scopes", ["read", "write", "admin", "read write", "read write admin"])
async def test_what_a_scope_opens(server: Server, root: Client, scopes: str) -> None:
    """The same by REST and by RPC; and a key without the scope `admin` acts as somebody who is no admin."""
    bot, has = await made(root, *scopes.split()), set(scopes.split())
    requests: dict[str, tuple[str, str, dict[str, Any], str]] = {
        "read": ("GET", "/api/v1/threads", {}, "list_threads"),
        "write": ("POST", "/api/v1/threads", {"title": "Hello"}, "create_thread"),
        "admin": ("GET", "/api/v1/admin/summary", {}, "get_summary"),
    }
    for scope, (method, path, body, rpc) in requests.items():
        answer = await bot.request(method, path, **({"json": body} if body else {}))
        async with raw_client(server.session, server.websocket_url, bot.token) as socket:
            replied = await socket.ask("rpc", method=rpc, data=body)
        if scope in has:
            assert answer.status < 300, (scope, answer.raw)
            assert "error" not in replied
        else:
            error = check_problem(answer, 403)
            assert error["code"] == "scope_missing"
            assert f"`{scope}`" in error["detail"]
            assert replied["error"]["code"] == FORBIDDEN
    if "read" in has:
        everything = await bot.get("/api/v1/threads", all="true")
        assert everything.status == (200 if "admin" in has else 403)
        assert (await bot.get("/api/v1/users/me")).data["role"] == "ADMIN", "the user is one still"


async def test_what_is_read_later_needs_the_scope_to_read(alice: Client) -> None:
    """A webhook, a browser or a link shows what its maker may read."""
    thread = await alice.thread()
    artifact = (await create(alice, f"/api/v1/threads/{thread['id']}/artifacts", "One.\n"))["id"]
    hook = {"name": "bot", "url": "https://receiver.example/", "events": ["message.created"]}
    hers = (await alice.post("/api/v1/webhooks", **hook)).data["id"]
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/v1/webhooks", hook),
        ("PATCH", f"/api/v1/webhooks/{hers}", {"url": "https://elsewhere.example/"}),
        ("POST", "/api/v1/push/subscriptions", BROWSER),
        ("POST", f"/api/v1/artifacts/{artifact}/shares", {}),
    ]
    writes, may_both = await made(alice, "write"), await made(alice, "read", "write")
    for method, path, body in requests:
        refused = check_problem(await writes.request(method, path, json=body), 403)
        assert (refused["code"], "`read`" in refused["detail"]) == ("scope_missing", True)
        assert (await may_both.request(method, path, json=body)).status in (200, 201), path


async def test_what_a_scope_opens_live(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    channel = f"thread:{thread['id']}"
    for scope, may_read, may_write in (("read", True, False), ("write", False, True)):
        bot = await made(alice, scope)
        async with raw_client(server.session, server.websocket_url, bot.token) as socket:
            assert ("error" not in await socket.ask("subscribe", channel=channel)) == may_read
            said = await socket.ask("publish", channel=channel, data={"content": scope})
            assert ("error" not in said) == may_write
            assert ("error" not in await socket.ask("history", channel=channel, limit=1)) == may_read
        for path in ("/api/v1/events", f"/api/v1/threads/{thread['id']}/events"):
            if may_read:
                async with event_stream(server.session, server.url + path, bot.token) as stream:
                    await stream.begun()
            else:
                assert check_problem(await bot.get(path), 403)["code"] == "scope_missing"
    assert [message["content"] for message in (await alice.get(f"/api/v1/threads/{thread['id']}/messages")).data] == [
        "write"
    ]


async def test_a_key_that_has_expired(server: Server, alice: Client, bob: Client, tmp_path: Path) -> None:
    """Whether it was remembered or not."""
    bot = await made(alice, expires_in=60)
    sql(tmp_path / "data", "UPDATE api_key SET expires_at = created_at")
    refused = check_problem(await bot.get("/api/v1/auth/verify"), 401)
    assert "expired" in refused["detail"]
    async with raw_client(server.session, server.websocket_url) as socket:
        await socket.send(socket.command("connect", token=bot.token))
        assert (await socket.closed()).code == 3500
    for seconds in (0, 59, 10 * 366 * 24 * 3600 + 1, -5, 1.5, "60"):
        assert (await alice.post(KEYS, name="A key", expires_in=seconds)).status == 400


async def test_a_revoked_key(server: Server, alice: Client, bob: Client, root: Client) -> None:
    bot, other = await made(alice), await made(alice)
    path = f"{KEYS}/{await key_id(bot)}"
    check_problem(await bob.delete(path), 404)
    check_problem(await alice.delete(f"{KEYS}/{new_id()}"), 404)
    async with (
        raw_client(server.session, server.websocket_url, bot.token) as socket,
        event_stream(server.session, f"{server.url}/api/v1/events", bot.token) as stream,
        raw_client(server.session, server.websocket_url, other.token) as going_on,
    ):
        await stream.begun()
        for _ in range(2):
            assert (await alice.delete(path)).status == 200
        assert (await socket.closed()).code == 3500
        await stream.ended()
        assert await going_on.ask("ping")
    assert "revoked" in check_problem(await bot.get("/api/v1/auth/verify"), 401)["detail"]
    assert [key["id"] for key in (await alice.get(KEYS)).data] == [await key_id(other)]
    assert (await root.delete(f"{KEYS}/{await key_id(other)}")).status == 200
    assert (await other.get("/api/v1/auth/verify")).status == 401


@pytest.mark.parametrize(
    "key", ["xpk_", "xpk_nothing", "xpk_" + "x" * 43, "xpk_" + "x" * 125, "XPK_" + "x" * 43, "xpk_" + "\u00e9" * 43]
)
async def test_keys_that_are_none(alice: Client, key: str) -> None:
    answer = await alice.get("/api/v1/auth/verify", {"Authorization": f"Bearer {key}"})
    check_problem(answer, 401)
    assert key not in answer.error["detail"]


async def test_a_key_makes_no_keys_and_changes_no_password(server: Server, root: Client) -> None:
    bot = await made(root, "read", "write", "admin")
    answers: list[Answer] = [
        await bot.post(KEYS, name="Another"),
        await bot.post("/api/v1/auth/password", new_password="another password"),
    ]
    for answer in answers:
        assert check_problem(answer, 403)["code"] == "forbidden"
    assert "revokes it" in check_problem(await bot.post("/api/v1/auth/logout"), 409)["detail"]
    assert (await bot.delete(f"{KEYS}/{await key_id(bot)}")).status == 200, "it may end itself"


async def test_keys_for_others(server: Server, alice: Client, bob: Client, root: Client) -> None:
    her = (await alice.me())["id"]
    check_problem(await bob.post(KEYS, name="A key", user_id=her), 403)
    check_problem(await bob.get(KEYS, user_id=her), 403)
    check_problem(await root.post(KEYS, name="A key", user_id=new_id()), 404)
    check_problem(await root.post(KEYS, name="A key", user_id=her, scopes=["admin"]), 403)
    bot = await made(root, user_id=her)
    assert (await bot.me())["id"] == her
    assert [key["user_id"] for key in (await root.get(KEYS, user_id=her)).data] == [her]
    assert (await root.get(KEYS)).data == []
    await root.patch(f"/api/v1/users/{her}", status="DEACTIVATED")
    check_problem(await bot.get("/api/v1/auth/verify"), 401)
    check_problem(await root.post(KEYS, name="A key", user_id=her), 409)


async def test_a_key_of_somebody_who_is_no_admin_any_more(root: Client, server: Server) -> None:
    """The scope stays, the rights are those of the user."""
    boss = server.client("boss", role="ADMIN")
    device = await sign_in(server, root, (await boss.me())["id"])
    bot = await made(device.client, "read", "admin")
    assert (await bot.get("/api/v1/admin/summary")).status == 200
    await root.patch(f"/api/v1/users/{(await boss.me())['id']}", role="USER")
    assert check_problem(await bot.get("/api/v1/admin/summary"), 403)["code"] == "forbidden"


async def test_so_many_keys(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "API_KEYS_PER_USER", 2)
    bots = [await made(alice) for _ in range(2)]
    assert "at most 2" in check_problem(await alice.post(KEYS, name="One more"), 409)["detail"]
    await alice.delete(f"{KEYS}/{await key_id(bots[0])}")
    await made(alice)


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["all"]}, {"name": "x", "key": "k"}]
)
async def test_keys_that_cannot_be_made(alice: Client, body: dict[str, Any]) -> None:
    check_problem(await alice.post(KEYS, **body), 400)
