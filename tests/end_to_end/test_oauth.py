"""Signing in at a certified identity provider, through a real server: browser, provider, callback, session."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.oidc.provider import Browser, running, secret
from tests.serving import Client, ServerProcess, free_port

PATH = "/api/v1/auth/oauth/google"


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(tmp_path / "provider.log", callback=f"{url}{PATH}/callback") as issuer:
        process = ServerProcess(
            tmp_path / "data", PORT=str(port), PUBLIC_URL=url, OIDC_ISSUER=issuer, OIDC_CLIENT_ID="app",
            OIDC_CLIENT_SECRET=secret("app"), ALLOWED_DOMAINS="corp.example,rpotential.ai", COOKIE_SECURE="off",
        )  # fmt: skip
        await process.start()
        yield process
        await process.stop()


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody's browser: with a jar for cookies of 127.0.0.1."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def visit(browser: aiohttp.ClientSession, url: str, **query: str) -> tuple[int, str | None, Any]:
    async with browser.get(URL(url).with_query(query), allow_redirects=False) as answer:
        text = await answer.text()
        return answer.status, answer.headers.get("Location"), await answer.json() if text else None


async def sign_in(process: ServerProcess, browser: aiohttp.ClientSession, login: str, **begin: str) -> Any:
    status, location, _ = await visit(browser, process.url + PATH, **begin)
    assert status == 303
    assert location is not None
    callback = f"{process.url}{PATH}/callback"
    back = await Browser(browser, callback).sign_in(location, login)
    return await visit(browser, callback, **back)


async def test_somebody_new_comes_in_and_comes_again(process: ServerProcess, browser: aiohttp.ClientSession) -> None:
    status, _, answer = await sign_in(process, browser, "ana")
    assert status == 200, answer
    ana = answer["data"]["user"]
    assert (ana["email"], ana["name"], ana["domain"], ana["role"]) == (
        "ana@corp.example",
        "Ana Lima",
        "corp.example",
        "USER",
    )
    async with browser.get(f"{process.url}/api/v1/auth/me") as me:  # by the cookies that came with it
        assert (await me.json())["data"]["id"] == ana["id"]
    again = await sign_in(process, browser, "ana", return_to="/docs?x=1")
    assert again[:2] == (303, "/docs?x=1")
    async with browser.get(f"{process.url}/api/v1/auth/sessions") as sessions:
        found = (await sessions.json())["data"]
    assert [session["method"] for session in found] == ["PROVIDER", "PROVIDER"]
    assert {session["user_id"] for session in found} == {ana["id"]}


async def test_an_account_is_linked_by_an_address_that_was_verified(
    process: ServerProcess, browser: aiohttp.ClientSession
) -> None:
    root = Client(browser, process.url, "root", role="ADMIN")
    made = (await root.post("/api/v1/users", email="Ana@Corp.example", name="Ana, by an admin")).data
    ben = (await root.post("/api/v1/users", email="ben@corp.example", name="Ben, by an admin")).data
    _, _, answer = await sign_in(process, browser, "ana")
    assert answer["data"]["user"]["id"] == made["id"]
    browser.cookie_jar.clear()
    status, _, answer = await sign_in(process, browser, "ben")
    assert (status, answer["error"]["code"]) == (403, "domain_not_allowed"), "an address that is not verified is none"
    assert ben["id"] not in str(answer)
    actions = [entry["action"] for entry in (await root.get("/api/v1/admin/audit")).data]
    assert "link_account" in actions


async def test_a_callback_that_nobody_began(process: ServerProcess, browser: aiohttp.ClientSession) -> None:
    callback = f"{process.url}{PATH}/callback"
    for query in ({}, {"code": "x", "state": "y"}, {"error": "access_denied", "state": "y"}):
        status, _, answer = await visit(browser, callback, **query)
        assert (status, answer["error"]["code"]) == (401, "unauthenticated"), query
    _, location, _ = await visit(browser, process.url + PATH)
    assert location is not None
    back = await Browser(browser, callback).sign_in(location, "ana")
    browser.cookie_jar.clear()
    assert (await visit(browser, callback, **back))[0] == 401, "another browser than the one that began"


async def test_nobody_is_sent_elsewhere(process: ServerProcess, browser: aiohttp.ClientSession) -> None:
    for place in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "///x"):
        status, location, answer = await sign_in(process, browser, "ana", return_to=place)
        assert (status, location) == (200, None), (place, answer)


async def test_a_deactivated_user_stays_out(process: ServerProcess, browser: aiohttp.ClientSession) -> None:
    root = Client(browser, process.url, "root", role="ADMIN")
    _, _, answer = await sign_in(process, browser, "ana")
    await root.patch(f"/api/v1/users/{answer['data']['user']['id']}", status="DEACTIVATED")
    browser.cookie_jar.clear()
    status, _, answer = await sign_in(process, browser, "ana")
    assert (status, answer["error"]["code"]) == (401, "unauthenticated")
