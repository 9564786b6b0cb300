"""Who sent it: Bearer tokens, cookies and from where they may be used, and how long an identity lasts."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from yarl import URL

from actors import limits
from tests.server.operations.sweep.requests import check_problem
from tests.server.quiet import nothing_breaks
from tests.server.raw_http import raw_connection
from tests.serving import Answer, Client, Server, serving
from tests.tokens import token

__all__ = ["nothing_breaks"]

ME = "/api/v1/users/me"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def send(
    server: Server, headers: dict[str, str], method: str = "GET", path: str = ME, **options: object
) -> Answer:
    async with server.session.request(
        method, server.url + path, headers=headers, allow_redirects=False, **options
    ) as response:
        return Answer(response.status, response.headers, await response.read())


def cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"rpotential_auth={value}"}


async def test_ways_to_bring_a_token(server: Server) -> None:
    good = token("alice")
    for headers in (
        {"Authorization": f"Bearer {good}"},
        {"Authorization": f"bearer  {good} "},
        {"Authorization": f"BEARER {good}", **cookie("nonsense")},
        cookie(good),
        {"Cookie": f"other=1; rpotential_auth={good}; more=2"},
    ):
        answer = await send(server, headers)
        assert answer.status == 200, headers
        assert answer.data["name"] == "Alice"


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Basic {good}", "{good}", "Bearer nonsense", "Bearer a.b.c", "Bearer {good} {good}",
        "Bearer {good}, Bearer {good}", "Bearer,{good}", "Bearer: {good}", "Bearer {good}x", "Bearer .{good}",
        "Token {good}", "Bearer ..", "Bearer null", "Bearer {long}", "Bearer\u00a0{good}", "Digest username=x",
    ],
)  # fmt: skip
async def test_headers_that_bring_none(server: Server, header: str) -> None:
    """A header that is wrong is not made up for by a cookie that is right."""
    text = header.format(good=token("alice"), long="x" * 8_000)
    for more in ({}, cookie(token("alice"))):
        error = check_problem(await send(server, {"Authorization": text, **more}), 401)
        assert error["code"] == "unauthenticated"


@pytest.mark.parametrize("header", [{}, cookie(""), {"Cookie": "rpotential_auth"}, {"Cookie": "rpotential_authx=x"}])
async def test_no_token_at_all(server: Server, header: dict[str, str]) -> None:
    answer = await send(server, header)
    assert "Authorization: Bearer" in check_problem(answer, 401)["detail"]
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="experience"'


async def test_tokens_that_were_good_or_are_for_elsewhere(server: Server) -> None:
    for bring in (lambda text: {"Authorization": f"Bearer {text}"}, cookie):
        expired = await send(server, bring(token("alice", ttl_seconds=-60)))
        assert check_problem(expired, 401)["code"] == "token_expired"
        assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]
        foreign = await send(server, bring(token("alice", domain="example.com")))
        assert check_problem(foreign, 403)["code"] == "domain_not_allowed"
        forged = token("alice").rsplit(".", 1)[0] + "." + "A" * 43
        assert check_problem(await send(server, bring(forged)), 401)["code"] == "unauthenticated"


async def test_an_identity_ends_with_its_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is remembered, but not for a second longer, and within one connection."""
    now = time.time()
    clock = SimpleNamespace(time=lambda: now)
    monkeypatch.setattr("actors.auth.actor.time", clock)
    alice = server.client("alice", ttl_seconds=60, now=now)
    line, header = f"GET {ME} HTTP/1.1", f"Authorization: Bearer {alice.token}"
    async with raw_connection(server.url) as connection:
        assert (await connection.ask(line, header)).status == 200
        assert server.services.tokens.get(alice.token) is not None, "it is remembered"
        now = int(now) + 60 + limits.TOKEN_LEEWAY_SECONDS - 1
        assert (await connection.ask(line, header)).status == 200, "within the leeway for clocks that differ"
        now += 1
        refused = await connection.ask(line, header)
        assert check_problem(refused, 401)["code"] == "token_expired"
        assert server.services.tokens.get(alice.token) is None


async def test_what_is_remembered_is_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOKENS_CACHED", 3)
    clients = [server.client(f"p{n}") for n in range(6)]
    await asyncio.gather(*(client.me() for client in clients))
    assert sum(server.services.tokens.get(client.token) is not None for client in clients) == 3
    assert [(await client.get(ME)).status for client in clients] == [200] * 6, "who was forgotten is looked at anew"


ORIGINS = {
    "the server's own": ("{url}", 201),
    "an allowed one": ("https://app.example.com", 201),
    "another": ("https://evil.example.com", 403),
    "one that ends like it": ("https://app.example.com.evil.com", 403),
    "one that begins like it": ("https://evil-app.example.com", 403),
    "the allowed host by another scheme": ("http://app.example.com", 403),
    "the allowed host on another port": ("https://app.example.com:8443", 403),
    "with credentials": ("http://{host}@evil.example.com", 403),
    "the server's host on another port": ("http://127.0.0.1:1", 403),
    "a sandbox": ("null", 403),
    "nothing": ("", 403),
    "no URL": ("http://[", 403),
    "no text": ("\udcff", 403),
    "none": (None, 201),
}


@pytest.fixture(scope="module")
def allowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("origins") / "data"


@pytest.mark.parametrize("case", ORIGINS)
async def test_a_cookie_works_only_from_here(allowing: Path, case: str) -> None:
    origin, status = ORIGINS[case]
    async with serving(allowing, ALLOWED_ORIGINS="https://app.example.com") as server:
        lines = [] if origin is None else [f"Origin: {origin.format(url=server.url, host=URL(server.url).authority)}"]
        async with raw_connection(server.url) as connection:

            async def ask(first_line: str, credentials: str) -> Answer:
                return await connection.ask(
                    f"{first_line} HTTP/1.1", f"Host: {URL(server.url).authority}", credentials,
                    *(line.encode(errors="surrogateescape") for line in lines), "Content-Type: application/json",
                    "Content-Length: 13", body=b'{"title":"x"}',
                )  # fmt: skip

            by_cookie = f"Cookie: rpotential_auth={token('alice')}"
            answer = await ask("POST /api/v1/threads", by_cookie)
            assert answer.status == status
            if status == 403:
                assert check_problem(answer, 403)["code"] == "origin_not_allowed"
            for method in ("PUT", "PATCH", "DELETE"):
                other = await ask(f"{method} /api/v1/threads/c{'0' * 24}", by_cookie)
                assert other.status == (404 if status == 201 else 403)
            assert (await ask(f"GET {ME}", by_cookie)).status == 200, "reading is safe"
            bearer = await ask("POST /api/v1/threads", f"Authorization: Bearer {token('alice')}")
            assert bearer.status == 201, "a header is never sent by accident"


async def test_a_socket_by_cookie_only_from_here(server: Server, alice: Client) -> None:
    headers = cookie(alice.token)
    for origin in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com"}):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await server.session.ws_connect(server.websocket_url, headers=headers | origin)
    async with server.session.ws_connect(server.websocket_url, headers=headers | {"Origin": server.url}) as socket:
        await socket.send_str('{"id":1,"connect":{}}')
        assert '"connect"' in await socket.receive_str()


async def test_a_cookie_of_another_name(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", AUTH_COOKIE="session") as server:
        assert (await send(server, cookie(token("alice")))).status == 401
        assert (await send(server, {"Cookie": f"session={token('alice')}"})).status == 200


ASKED = "/api/v1/threads?status=ACTIVE&q=a%26b"
RETURNS = {
    "no proxy": ({}, {}, "http://{host}"),
    "a proxy that is not trusted": ({}, {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}, "http://{host}"),
    "TLS taken off": ({"TRUSTED_PROXIES": "127.0.0.1"}, {"X-Forwarded-Proto": "https"}, "https://{host}"),
    "another name": (
        {"TRUSTED_PROXIES": "127.0.0.1"}, {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "Chat.example.com:443"},
        "https://chat.example.com",
    ),
    "RFC 7239": (
        {"TRUSTED_PROXIES": "127.0.0.1"}, {"Forwarded": 'for=1.2.3.4;host="chat.example.com:8443";proto=https'},
        "https://chat.example.com:8443",
    ),
    "said by the operator": ({"PUBLIC_URL": "https://chat.example.com/"}, {}, "https://chat.example.com"),
    "said by the operator, whatever the proxy says": (
        {"PUBLIC_URL": "https://chat.example.com", "TRUSTED_PROXIES": "127.0.0.1"},
        {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "inner"}, "https://chat.example.com",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RETURNS)
async def test_a_browser_comes_back_to_the_address_that_it_used(tmp_path: Path, case: str) -> None:
    settings, headers, base = RETURNS[case]
    async with serving(tmp_path / "data", AUTH_URL="https://login.example.com/in", **settings) as server:
        answer = await send(server, PAGE | headers, path=ASKED)
        expected = base.format(host=URL(server.url).authority) + ASKED
        assert answer.status == 302
        assert URL(answer.headers["Location"]).query["return_to"] == expected


@pytest.mark.parametrize("host", ["inner/evil", "a@b", "in ner", "<x>"])
async def test_a_host_that_is_none_sends_nobody_anywhere(tmp_path: Path, host: str) -> None:
    settings = {"AUTH_URL": "https://login.example.com/in", "TRUSTED_PROXIES": "127.0.0.1"}
    async with serving(tmp_path / "data", **settings) as server:
        assert (await send(server, PAGE | {"X-Forwarded-Host": host}, path=ASKED)).status == 401


async def test_pages_at_the_public_address_are_our_own(tmp_path: Path) -> None:
    """Also behind a proxy that asks by another `Host`, as nginx does by default."""
    async with serving(tmp_path / "data", PUBLIC_URL="https://Chat.example.com:443/") as server:
        thread = {"title": "x"}
        for origin, status in {
            "https://chat.example.com": 201, "http://chat.example.com": 403, "https://chat.example.com:8443": 403,
            "https://evil.example.com": 403, "https://chat.example.com.evil.com": 403,
        }.items():  # fmt: skip
            headers = cookie(token("alice")) | {"Origin": origin}
            async with server.session.post(f"{server.url}/api/v1/threads", headers=headers, json=thread) as answer:
                assert answer.status == status, origin


async def test_browsers_are_sent_to_sign_in(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", AUTH_URL="https://login.example.com/in?x=1") as server:
        path = "/api/v1/threads?status=ACTIVE&limit=5"
        answer = await send(server, PAGE, path=path)
        assert answer.status == 302
        there = URL(answer.headers["Location"])
        assert there.host == "login.example.com"
        assert dict(there.query) == {"x": "1", "return_to": server.url + path}
        assert answer.headers["X-Correlation-ID"]
        for headers, method in (
            ({"Accept": "application/json"}, "GET"), ({"Accept": "*/*"}, "GET"), ({}, "GET"), (PAGE, "HEAD"),
            (PAGE | {"Authorization": "Bearer nonsense"}, "GET"),
        ):  # fmt: skip
            assert (await send(server, headers, method)).status == 401, (headers, method)
        check_problem(await send(server, PAGE, "POST", "/api/v1/threads", json={"title": "x"}), 401)
        assert (await send(server, PAGE | cookie(token("alice")))).status == 200
        assert (await send(server, PAGE, path="/health")).status == 200
        assert (await send(server, PAGE, path="/nope")).status == 404


@pytest.mark.parametrize("host", [b"\xff", b"[", b"a b", b""])
async def test_a_host_that_is_none_is_sent_nowhere_strange(tmp_path: Path, host: bytes) -> None:
    async with (
        serving(tmp_path / "data", AUTH_URL="https://login.example.com") as server,
        raw_connection(server.url) as connection,
    ):
        answer = await connection.ask(f"GET {ME} HTTP/1.1", b"Host: " + host, "Accept: text/html")
        assert answer.status in (302, 400, 401)
        assert URL(answer.headers.get("Location", "https://login.example.com")).host == "login.example.com"


async def test_without_a_place_to_sign_in_there_is_no_redirect(server: Server) -> None:
    assert (await send(server, PAGE)).status == 401
