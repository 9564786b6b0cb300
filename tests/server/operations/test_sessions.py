"""Sessions: refreshed, listed, ended; and whatever is open by one that has ended is closed."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.identifiers import new_id
from tests.builders import until_asked
from tests.realtime_client import EventStream, RawClient, event_stream, raw_client
from tests.server.operations.signing_in import PASSWORD, Device, nobody, sign_in, sql
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Client, Server, serving

SESSIONS, PASSWORDS = "/api/v1/auth/sessions", "/api/v1/auth/password"
REFRESH = "/api/v1/auth/refresh"
INVALID_TOKEN = 3500


@pytest.fixture
async def her(alice: Client) -> str:
    return str((await alice.me())["id"])


@pytest.fixture
async def device(server: Server, root: Client, her: str) -> Device:
    return await sign_in(server, root, her)


@pytest.fixture
async def other(server: Server, root: Client, her: str) -> Device:
    return await sign_in(server, root, her)


async def opened(stack: AsyncExitStack, server: Server, device: Device) -> tuple[RawClient, EventStream]:
    """A WebSocket and a stream, open by a session."""
    token = device.client.token
    socket = await stack.enter_async_context(raw_client(server.session, server.websocket_url, token))
    stream = await stack.enter_async_context(event_stream(server.session, f"{server.url}/api/v1/events", token))
    await stream.begun()
    return socket, stream


async def test_whose_and_by_what(alice: Client, device: Device, her: str) -> None:
    assert (await device.client.get("/api/v1/auth/me")).data == await alice.me()
    verified = (await device.client.get("/api/v1/auth/verify")).data
    assert verified == {
        "valid": True, "user": await alice.me(), "credential": "session", "session_id": device.session_id,
        "api_key_id": None, "scopes": None, "expires_at": verified["expires_at"],
    }  # fmt: skip
    by_token = (await alice.get("/api/v1/auth/verify")).data
    assert (by_token["credential"], by_token["session_id"], by_token["user"]["id"]) == ("token", None, her)
    for path in ("/api/v1/auth/me", "/api/v1/auth/verify"):
        check_problem(await alice.get(path, {"Authorization": "Bearer none"}), 401)


# Refreshing


async def test_each_refresh_token_is_good_once_and_answers_the_next(device: Device) -> None:
    seen = {device.refresh_token}
    for _ in range(5):
        assert (await device.refresh()).data["session_id"] == device.session_id
        seen.add(device.refresh_token)
        assert await device.status() == 200
    assert len(seen) == 6


async def test_one_that_comes_again_ends_the_whole_family(server: Server, device: Device, other: Device) -> None:
    """Somebody has stolen it, and nobody can say who: what is open is closed, and no token of the family is good."""
    stolen, before = device.refresh_token, device.client.token
    await device.refresh()
    await device.refresh()
    async with AsyncExitStack() as stack:
        socket, stream = await opened(stack, server, device)
        going_on, _ = await opened(stack, server, other)
        again = await nobody(server).post("/api/v1/auth/refresh", refresh_token=stolen)
        assert check_problem(again, 401)["code"] == "refresh_reused"
        assert (await socket.closed()).code == INVALID_TOKEN
        await stream.ended()
        assert await going_on.ask("ping"), "the other session is another family"
    assert await device.status() == 401
    assert (await device.client.get("/api/v1/auth/me", {"Authorization": f"Bearer {before}"})).status == 401
    assert check_problem(await device.refresh(), 401)["code"] == "unauthenticated"
    assert await other.status() == 200


def used_long_ago(data: Path, seconds: float) -> None:
    """As if each refresh token that was used had been used so much earlier."""
    sql(data, "UPDATE refresh_token SET used_at = used_at - ? WHERE used_at IS NOT NULL", int(seconds * 1000))


async def test_two_tabs_that_wake_at_once_get_the_same_answer(server: Server, device: Device) -> None:
    async with AsyncExitStack() as stack:
        socket, _ = await opened(stack, server, device)
        answers = await asyncio.gather(
            *(nobody(server).post(REFRESH, refresh_token=device.refresh_token) for _ in range(5))
        )
        assert {answer.status for answer in answers} == {200}
        assert {answer.data["session_id"] for answer in answers} == {device.session_id}
        (following,) = {answer.data["refresh_token"] for answer in answers}
        assert following != device.refresh_token
        assert await socket.ask("ping")
    device.refresh_token = following
    assert (await device.refresh()).status == 200
    assert await device.status() == 200


async def test_the_second_tab_may_come_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        root = server.client("root", role="ADMIN")
        device = await sign_in(server, root, (await root.me())["id"])
        first = (await nobody(server).post(REFRESH, refresh_token=device.refresh_token)).data
    async with serving(tmp_path / "data") as server:
        second = (await nobody(server).post(REFRESH, refresh_token=device.refresh_token)).data
    assert second["refresh_token"] == first["refresh_token"]


@pytest.mark.parametrize("late", [False, True])
async def test_the_grace_is_short(late: bool, server: Server, device: Device, tmp_path: Path) -> None:
    before = device.refresh_token
    assert (await device.refresh()).status == 200
    used_long_ago(tmp_path / "data", limits.REFRESH_GRACE_SECONDS + (0.5 if late else -3))
    again = await nobody(server).post(REFRESH, refresh_token=before)
    assert again.status == (401 if late else 200)
    assert (await device.refresh()).status == (401 if late else 200)
    assert await device.status() == (401 if late else 200)


async def test_no_session_that_has_ended_has_a_grace(server: Server, device: Device) -> None:
    before = device.refresh_token
    await device.refresh()
    await device.client.post("/api/v1/auth/logout")
    assert check_problem(await nobody(server).post(REFRESH, refresh_token=before), 401)["code"] == "unauthenticated"


async def test_tokens_that_are_none(server: Server, device: Device) -> None:
    for body, status in (
        ({"refresh_token": "xpr_" + "x" * 43}, 401), ({"refresh_token": device.client.token[:128]}, 401), ({}, 401),
        ({"refresh_token": ""}, 400), ({"refresh_token": "x" * 129}, 400), ({"refresh_token": 1}, 400),
    ):  # fmt: skip
        check_problem(await nobody(server).post("/api/v1/auth/refresh", **body), status)
    refresh = {"Authorization": f"Bearer {device.refresh_token}"}
    check_problem(await nobody(server).get("/api/v1/auth/me", refresh), 401)
    assert await device.status() == 200


async def test_the_use_of_a_session_is_noted_once_in_a_while(device: Device, tmp_path: Path) -> None:
    data = tmp_path / "data"
    await device.refresh()
    sql(data, "UPDATE session SET last_seen_at = 1000")
    assert await device.status() == 200

    async def was_noted() -> bool:
        return sql(data, "SELECT last_seen_at FROM session") > [(1000,)]

    await until_asked(was_noted)


async def test_a_session_expires_a_month_after_it_was_refreshed_last(
    alice: Client, device: Device, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    sql(data, "UPDATE session SET expires_at = expires_at - 1000000")
    await device.refresh()
    ((seen, until),) = sql(data, "SELECT last_seen_at, expires_at FROM session")
    assert until - seen == limits.SESSION_SECONDS * 1000 == 30 * 24 * 3600 * 1000
    sql(data, "UPDATE session SET expires_at = last_seen_at")
    check_problem(await device.refresh(), 401)
    assert await device.status() == 401
    methods = [session["method"] for session in (await alice.get(SESSIONS)).data]
    assert methods == ["TOKEN"], "what has expired is not listed"


async def test_sessions_outlive_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        root = server.client("root", role="ADMIN")
        one, two = [await sign_in(server, root, (await root.me())["id"]) for _ in range(2)]
        await one.client.post("/api/v1/auth/logout")
    async with serving(tmp_path / "data") as server:
        for device, status in ((one, 401), (two, 200)):
            token, device.client = device.client.token, nobody(server)
            device.client.token = token
            assert await device.status() == status
            assert (await device.refresh()).status == status


# Ending


async def test_signing_out(server: Server, device: Device, other: Device) -> None:
    async with AsyncExitStack() as stack:
        socket, stream = await opened(stack, server, device)
        assert (await device.client.post("/api/v1/auth/logout")).data == {"signed_out": True}
        assert (await socket.closed()).code == INVALID_TOKEN
        await stream.ended()
    assert await device.status() == 401
    check_problem(await device.refresh(), 401)
    assert await other.status() == 200
    async with raw_client(server.session, server.websocket_url) as socket:
        await socket.send(socket.command("connect", token=device.client.token))
        assert (await socket.closed()).code == INVALID_TOKEN


async def test_signing_out_with_a_token_of_another_issuer(server: Server, alice: Client) -> None:
    """There is no session to end, so that one token is taken no more."""
    again = alice.again()
    async with raw_client(server.session, server.websocket_url, again.token) as socket:
        assert (await again.post("/api/v1/auth/logout")).status == 200
        assert (await socket.closed()).code == INVALID_TOKEN
    assert [(await client.get("/api/v1/auth/me")).status for client in (again, alice)] == [401, 200]


async def test_where_one_is_signed_in(device: Device, other: Device, alice: Client, bob: Client, her: str) -> None:
    token, *listed = (await device.client.get(SESSIONS)).data
    assert (token["method"], token["current"]) == ("TOKEN", False)
    assert [(session["id"], session["current"]) for session in listed] == [
        (other.session_id, False), (device.session_id, True),
    ]  # fmt: skip
    first = listed[0]
    assert (first["user_id"], first["method"], first["address"]) == (her, "LINK", "127.0.0.1")
    assert "aiohttp" in first["user_agent"]
    assert [session["method"] for session in (await bob.get(SESSIONS)).data] == ["TOKEN"]
    page = await alice.get(SESSIONS, limit="1")
    assert page.data == [{**token, "current": True}]
    page = await alice.get(SESSIONS, limit="1", cursor=page.metadata["pagination"]["next_cursor"])
    rest = await alice.get(SESSIONS, limit="1", cursor=page.metadata["pagination"]["next_cursor"])
    assert [page.data[0]["id"], rest.data[0]["id"]] == [other.session_id, device.session_id]


async def test_ending_one(server: Server, device: Device, other: Device, bob: Client, root: Client) -> None:
    path = f"{SESSIONS}/{other.session_id}"
    check_problem(await bob.delete(path), 404)
    check_problem(await device.client.delete(f"{SESSIONS}/{new_id()}"), 404)
    async with AsyncExitStack() as stack:
        socket, stream = await opened(stack, server, other)
        for _ in range(2):
            assert (await device.client.delete(path)).data == {"id": other.session_id, "deleted": True}
        assert (await socket.closed()).code == INVALID_TOKEN
        await stream.ended()
    assert [await found.status() for found in (device, other)] == [200, 401]
    check_problem(await other.refresh(), 401)
    assert (await root.delete(f"/api/v1/admin/sessions/{device.session_id}")).status == 200
    assert await device.status() == 401


async def test_ending_all_others(
    server: Server, root: Client, device: Device, other: Device, alice: Client, her: str
) -> None:
    third = await sign_in(server, root, her)
    async with AsyncExitStack() as stack:
        sockets = [(await opened(stack, server, found))[0] for found in (other, third)]
        assert (await device.client.delete(SESSIONS)).data == {"ended": 2}
        assert [(await socket.closed()).code for socket in sockets] == [INVALID_TOKEN] * 2
    assert [await found.status() for found in (device, other, third)] == [200, 401, 401]
    assert (await device.client.delete(SESSIONS)).data == {"ended": 0}
    assert (await alice.delete(SESSIONS)).data == {"ended": 1}, "whoever asks by no session ends them all"


async def test_a_user_who_is_out_refreshes_nothing(root: Client, device: Device, her: str) -> None:
    await root.patch(f"/api/v1/users/{her}", status="DEACTIVATED")
    assert await device.status() == 401
    check_problem(await device.refresh(), 401)
    await root.patch(f"/api/v1/users/{her}", status="ACTIVE")
    assert await device.status() == 401, "sessions that were ended stay so"


# Passwords


async def test_a_new_password_ends_the_other_sessions(server: Server, device: Device, other: Device) -> None:
    async with AsyncExitStack() as stack:
        socket, _ = await opened(stack, server, other)
        going_on, _ = await opened(stack, server, device)
        first = await device.client.post(PASSWORDS, new_password=PASSWORD)
        assert first.data == {"sessions_ended": 1}
        assert (await socket.closed()).code == INVALID_TOKEN
        assert await going_on.ask("ping")
    assert [await found.status() for found in (device, other)] == [200, 401]
    wrong: tuple[dict[str, Any], ...] = ({}, {"current_password": "not the right one"}, {"current_password": None})
    for current in wrong:
        check_problem(await device.client.post(PASSWORDS, new_password="another password", **current), 403)
    changed = await device.client.post(PASSWORDS, current_password=PASSWORD, new_password="another password")
    assert changed.data == {"sessions_ended": 0}
    for password, status in ((PASSWORD, 401), ("another password", 200)):
        login = await nobody(server).post("/api/v1/auth/login", email="alice@rpotential.ai", password=password)
        assert login.status == status


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 12, "passwordpassword", "x" * 1025, None, 5])
async def test_passwords_that_are_none(alice: Client, password: object) -> None:
    error = check_problem(await alice.post(PASSWORDS, new_password=password), 400)
    assert error["errors"].keys() == {"new_password"}


@pytest.mark.parametrize("password", ["пароль–密码–🔑🔑", "twelve chars", "  spaces  around  it  "])
async def test_passwords_of_any_characters(server: Server, alice: Client, password: str) -> None:
    assert (await alice.post(PASSWORDS, new_password=password)).status == 200
    login = await nobody(server).post("/api/v1/auth/login", email="alice@rpotential.ai", password=password)
    assert login.status == 200


async def test_a_token_is_said_to_expire_when_it_says_so(server: Server) -> None:
    """Not when the leeway for clocks that differ is over."""
    ends = int(time.time()) + 60
    alice = server.client("alice").saying(sub="alice", domain="rpotential.ai", exp=ends)
    shown = (await alice.get("/api/v1/auth/verify")).data["expires_at"]
    assert datetime.fromisoformat(shown).timestamp() == ends
