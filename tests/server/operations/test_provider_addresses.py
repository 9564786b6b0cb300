"""Which addresses of an identity provider count as verified."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from server.outbound.oidc import Begun
from tests.oidc.issuer import Issuer
from tests.serving import Server, serving

PATH = "/api/v1/auth/oauth/google"
SignIn = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
async def issuer(aiohttp_server: Any) -> Issuer:
    found = Issuer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.handle)
    found.url = str((await aiohttp_server(app)).make_url("")).rstrip("/")
    return found


@pytest.fixture
async def sign_in(tmp_path: Path, issuer: Issuer) -> SignIn:
    async def arrive(**settings: str) -> tuple[int, Any]:
        known = {"OIDC_ISSUER": issuer.url, "OIDC_CLIENT_ID": "app", "OIDC_CLIENT_SECRET": "secret"}
        known |= {"PUBLIC_URL": "http://127.0.0.1", "ALLOWED_DOMAINS": "corp.example"}
        async with serving(tmp_path / "data", **{**known, **settings}) as server:
            return await come_back(server, issuer)

    return arrive


async def come_back(server: Server, issuer: Issuer) -> tuple[int, Any]:
    """Status, and the user or the problem, of somebody who has signed in there."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.get(server.url + PATH, allow_redirects=False) as begun:
            location, cookie = begun.headers["Location"], begun.cookies["rpotential_oauth"].value
        query = issuer.answer_to(Begun(location, ""))
        url = URL(f"{server.url}{PATH}/callback").with_query(query)
        async with browser.get(url, headers={"Cookie": f"rpotential_oauth={cookie}"}) as answer:
            found = await answer.json()
            return answer.status, found["data"]["user"] if found["success"] else found["error"]


async def test_a_provider_that_never_says_so_is_trusted_by_name(sign_in: SignIn, issuer: Issuer) -> None:
    """Entra ID: an e-mail address, and no `email_verified`, neither in the token nor in userinfo."""
    issuer.claims, issuer.userinfo = {"email_verified": None}, {"email": "ana@corp.example"}
    status, problem = await sign_in()
    assert (status, problem["code"]) == (403, "domain_not_allowed")
    assert "ana@corp.example" in problem["detail"]
    assert "TRUSTED_EMAIL_ISSUERS" in problem["detail"]
    status, user = await sign_in(TRUSTED_EMAIL_ISSUERS=f"https://elsewhere.example,{issuer.url}")
    assert (status, user["email"], user["domain"]) == (200, "ana@corp.example", "corp.example")
    assert (await sign_in(TRUSTED_EMAIL_ISSUERS="https://elsewhere.example"))[0] == 403


@pytest.mark.parametrize("said", [False, "false", 1, "yes"])
async def test_trust_is_for_silence_alone(sign_in: SignIn, issuer: Issuer, said: Any) -> None:
    issuer.claims = {"email_verified": said}
    assert (await sign_in(TRUSTED_EMAIL_ISSUERS=issuer.url))[0] == 403


async def test_userinfo_is_asked_where_the_token_does_not_say(sign_in: SignIn, issuer: Issuer) -> None:
    issuer.claims = {"email_verified": None}
    issuer.userinfo = {"email": "Ana@corp.example", "email_verified": True}
    status, user = await sign_in()
    assert (status, user["email"]) == (200, "ana@corp.example")
    assert issuer.asked.count("userinfo") == 1


async def test_a_trusted_provider_need_not_answer_that(sign_in: SignIn, issuer: Issuer) -> None:
    issuer.claims = {"email_verified": None}
    issuer.say("userinfo", b'{"error": "insufficient_scope"}', 403)
    assert (await sign_in(TRUSTED_EMAIL_ISSUERS=issuer.url))[0] == 200


async def test_without_any_address_the_refusal_says_so(sign_in: SignIn, issuer: Issuer) -> None:
    issuer.claims, issuer.metadata = {"email": None, "hd": "corp.example"}, {"userinfo_endpoint": None}
    status, problem = await sign_in(TRUSTED_EMAIL_ISSUERS=issuer.url)
    assert (status, problem["code"]) == (403, "domain_not_allowed")
    assert "no e-mail address" in problem["detail"]
