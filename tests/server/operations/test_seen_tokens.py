"""Who comes by another issuer's token sees where they were used, and ends them, as others do with sessions."""

import pytest

from actors import limits
from server.realtime.protocol.codes import INVALID_TOKEN
from tests.realtime_client import raw_client
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Client, Server

SESSIONS = "/api/v1/auth/sessions"


def ana(root: Client, token_id: str) -> Client:
    return root.saying(sub="ana", email="ana@rpotential.ai", iss="https://issuer", jti=token_id)


async def test_the_tokens_seen_lately_are_listed_and_revoked(server: Server, root: Client) -> None:
    one, two = ana(root, "one"), ana(root, "two")
    await one.get("/api/v1/users/me", {"User-Agent": "phone"})
    found = (await two.get(SESSIONS, {"User-Agent": "desk"})).data
    assert [(each["token_id"], each["user_agent"], each["current"]) for each in found] == [
        ("two", "desk", True), ("one", "phone", False),
    ]  # fmt: skip
    assert {(each["method"], each["issuer"], each["address"]) for each in found} == {
        ("TOKEN", "https://issuer", "127.0.0.1")
    }
    assert (await two.delete(f"{SESSIONS}/{found[1]['id']}")).status == 200
    check_problem(await one.get("/api/v1/users/me"), 401)
    assert [each["token_id"] for each in (await two.get(SESSIONS)).data] == ["two"]


async def test_one_that_opened_a_websocket_is_listed_and_closed(server: Server, root: Client) -> None:
    async with raw_client(server.session, server.websocket_url, ana(root, "socket").token) as socket:
        found = (await ana(root, "two").get(SESSIONS)).data
        assert [each["token_id"] for each in found] == ["two", "socket"]
        await ana(root, "two").delete(f"{SESSIONS}/{found[1]['id']}")
        assert (await socket.closed()).code == INVALID_TOKEN[0]


async def test_nobody_sees_or_ends_anothers(server: Server, root: Client, alice: Client) -> None:
    mine = (await ana(root, "one").get(SESSIONS)).data[0]
    assert mine["id"] not in str((await alice.get(SESSIONS)).data)
    check_problem(await alice.delete(f"{SESSIONS}/{mine['id']}"), 404)
    theirs = (await root.get("/api/v1/admin/sessions", user_id=mine["user_id"])).data
    assert [each["token_id"] for each in theirs] == ["one"]
    assert (await root.delete(f"/api/v1/admin/sessions/{mine['id']}")).status == 200
    check_problem(await ana(root, "one").get(SESSIONS), 401)


async def test_pages(server: Server, root: Client) -> None:
    for n in range(5):
        await ana(root, str(n)).me()
    seen, cursor = [], None
    while True:
        page = await ana(root, "4").get(SESSIONS, limit="2", **({"cursor": cursor} if cursor else {}))
        seen += [each["token_id"] for each in page.data]
        cursor = page.metadata["pagination"]["next_cursor"]
        if cursor is None:
            break
    assert seen == ["4", "3", "2", "1", "0"]


async def test_they_are_bounded(server: Server, root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_LISTED_PER_USER", 3)
    for n in range(10):
        await ana(root, str(n)).me()
    assert [each["token_id"] for each in (await ana(root, "9").get(SESSIONS)).data] == ["9", "8", "7"]
