"""What every response has, and what every request may bring."""

import re
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.serving import Client, Server, serving, token


async def test_the_envelope(alice: Client) -> None:
    answer = await alice.get("/api/v1/users", limit="5")
    assert answer.json["success"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer.metadata["timestamp"])
    assert answer.metadata["version"] == "1.0"
    assert answer.metadata["pagination"] == {"limit": 5, "next_cursor": None, "has_more": False}
    assert answer.metadata["correlation_id"] == answer.headers["X-Correlation-ID"]


async def test_a_problem(alice: Client) -> None:
    answer = await alice.post("/api/v1/threads", title=5)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.error) == {
        "type", "title", "status", "detail", "errors", "code", "retryable", "timestamp", "trace_id",
    }  # fmt: skip
    assert answer.error["type"] == "https://experience.rpotential.dev/problems/validation-failed"
    assert answer.error["errors"] == {"title": ["Input should be a valid string; got 5."]}


@pytest.mark.parametrize("path", ["/api/v1/users/me", "/nope", "/api/v1/threads/x", "/health"])
async def test_correlation_ids_come_back(alice: Client, path: str) -> None:
    given = await alice.get(path, {"X-Correlation-ID": "abc-1.2:3_4"})
    assert given.headers["X-Correlation-ID"] == "abc-1.2:3_4"
    for bad in ("a b", "x" * 129, "<script>", ""):
        made = (await alice.get(path, {"X-Correlation-ID": bad})).headers["X-Correlation-ID"]
        assert made != bad
        assert re.fullmatch(r"c[0-9a-z]{24}", made)


async def test_paths_and_methods(alice: Client) -> None:
    assert (await alice.get("/api/v1/nope")).error["code"] == "not_found"
    wrong = await alice.delete("/api/v1/users")
    assert wrong.status == 405
    assert set(wrong.headers["Allow"].split(", ")) >= {"GET", "POST"}
    head = await alice.request("HEAD", "/api/v1/users/me")
    assert (head.status, head.raw) == (200, b"")
    assert "ETag" in head.headers


async def test_bodies(alice: Client) -> None:
    path = "/api/v1/threads"
    sent = {"Content-Type": "text/plain"}
    assert (await alice.request("POST", path, data=b'{"title":"x"}', headers=sent)).status == 415
    sent = {"Content-Type": "application/vnd.api+json"}
    assert (await alice.request("POST", path, data=b'{"title":"x"}', headers=sent)).status == 201
    sent = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await alice.request("POST", path, data=b"nonsense", headers=sent)).status == 415
    twice = await alice.request("GET", "/api/v1/users?limit=1&limit=2")
    assert twice.error["errors"] == {"limit": ["This query parameter was given more than once."]}

    async def endless():  # type: ignore[no-untyped-def]
        for _ in range(64):
            yield b"x" * 65_536

    sent = {"Content-Type": "application/json"}
    large = await alice.request("POST", path, data=endless(), headers=sent)
    assert large.status == 413


async def test_health(server: Server, alice: Client) -> None:
    async with server.session.get(server.url + "/health") as response:
        health = (await response.json())["data"]
    assert health["status"] == "ok"
    assert health["checks"]["database"] == {"status": "ok", "reason": None}
    assert (await alice.get("/api/v1/health")).data["status"] == "ok"
    assert (await alice.get("/health/live")).data == {"status": "alive"}
    assert (await alice.get("/health/ready")).status == 200
    assert (await alice.get("/api/v1")).data["api"] == "v1"
    server.services.draining = True
    assert (await alice.get("/health/ready")).error["detail"] == "server: draining"
    server.services.draining = False


async def test_ways_to_bring_a_token(server: Server, alice: Client) -> None:
    session, url = server.session, f"{server.url}/api/v1/users/me"
    cookie = {"Cookie": f"rpotential_auth={alice.token}"}
    for headers, status in (
        ({"Authorization": f"Bearer {alice.token}"}, 200),
        ({"Authorization": f"bearer  {alice.token}"}, 200),
        (cookie, 200),
        ({}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": f"Basic {alice.token}"}, 401),
        ({"Authorization": alice.token}, 401),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Cookie": "rpotential_auth="}, 401),
        ({"Cookie": "other=" + alice.token}, 401),
    ):
        async with session.get(url, headers=headers) as response:
            assert response.status == status, headers
    expired = {"Authorization": f"Bearer {token('alice', ttl_seconds=-60)}"}
    async with session.get(url, headers=expired) as response:
        assert response.status == 401
        assert (await response.json())["error"]["code"] == "token_expired"
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    foreign = {"Authorization": f"Bearer {token('alice', domain='example.com')}"}
    async with session.get(url, headers=foreign) as response:
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "domain_not_allowed"


async def test_a_cookie_works_only_from_here(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", ALLOWED_ORIGINS="https://app.example.com") as server:
        cookie = {"Cookie": f"rpotential_auth={token('alice')}"}
        for origin, status in (
            (server.url, 201),
            ("https://app.example.com", 201),
            ("https://evil.example.com", 403),
            ("null", 403),
            (None, 403),
        ):
            headers = cookie | ({"Origin": origin} if origin else {})
            async with server.session.post(
                f"{server.url}/api/v1/threads", json={"title": "x"}, headers=headers
            ) as answer:
                assert answer.status == status, origin
                if status == 403:
                    assert (await answer.json())["error"]["code"] == "origin_not_allowed"
            if status == 403:
                with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                    await server.session.ws_connect(server.websocket_url, headers=headers)
                continue
            async with server.session.ws_connect(server.websocket_url, headers=headers) as socket:
                await socket.send_str('{"id":1,"connect":{}}')
                assert '"connect"' in (await socket.receive_str())


async def test_browsers_are_sent_to_sign_in(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", AUTH_URL="https://login.example.com/in?x=1") as server:
        url = f"{server.url}/api/v1/users/me"
        page = {"Accept": "text/html,application/xhtml+xml"}
        async with server.session.get(url, headers=page, allow_redirects=False) as response:
            assert response.status == 302
            there = URL(response.headers["Location"])
            assert there.host == "login.example.com"
            assert dict(there.query) == {"x": "1", "return_to": url}
            assert response.headers["X-Correlation-ID"]
        async with server.session.get(url, headers={"Accept": "application/json"}) as response:
            assert response.status == 401
        async with server.session.post(url, headers=page) as response:
            assert response.status in (401, 405)
