"""Pages of other origins: those that an operator names read everything, all others nothing; and what no page may do."""

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from server.api import operations
from server.api.registry import Operation
from tests.server.one_server import alice
from tests.server.operations.sweep.requests import check_problem
from tests.server.raw_http import raw_connection
from tests.serving import Answer, Client, Server, serving
from tests.tokens import token

__all__ = ["alice"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP, OTHER, EVIL = "https://app.example.com", "http://localhost:3000", "https://evil.example.com"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
NOT_ALLOWED = [
    EVIL, "null", "*", "", "https://app.example.com.evil.com", "https://evil-app.example.com", "http://app.example.com",
    "https://app.example.com:8443", "https://app.example.com/", "https://sub.app.example.com", "https://localhost:3000",
    "https://app.example.com, https://evil.example.com",
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One for all tests: what each of them changes is a thread of its own."""
    async with serving(tmp_path_factory.mktemp("cors") / "data", ALLOWED_ORIGINS=f"{APP},{OTHER}") as running:
        yield running


async def send(server: Server, method: str, path: str, headers: Mapping[str, str], **more: Any) -> Answer:
    async with server.session.request(
        method, server.url + path, headers=headers, allow_redirects=False, **more
    ) as answer:
        return Answer(answer.status, answer.headers, await answer.read())


def may_read(answer: Answer, origin: str = APP) -> bool:
    headers = answer.headers
    assert headers.get("Access-Control-Allow-Origin") in (None, origin)
    assert headers.get("Access-Control-Allow-Credentials") in (None, "true")
    return "Access-Control-Allow-Origin" in headers and "Access-Control-Allow-Credentials" in headers


@pytest.mark.parametrize("operation", operations.ALL, ids=lambda operation: operation.name)
async def test_a_page_may_ask_what_it_may_send(server: Server, operation: Operation) -> None:
    """For every path: the methods of all operations on it."""
    path = re.sub(r"\{\w+\}", "c" + "0" * 24, operation.path)
    answer = await send(server, "OPTIONS", path, {"Origin": APP, **ASKS})
    assert (answer.status, answer.raw) == (204, b"")
    assert may_read(answer)
    assert set(operation.methods) <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert set(answer.headers["Access-Control-Allow-Headers"].split(", ")) == {
        "Authorization", "Content-Digest", "Content-Range", "Content-Type", "Idempotency-Key", "If-Match",
        "If-None-Match", "If-Range", "Last-Event-ID", "Range", "Repr-Digest", "Traceparent", "Tracestate",
        "Tus-Resumable", "Upload-Checksum", "Upload-Defer-Length", "Upload-Length", "Upload-Metadata", "Upload-Offset",
        "X-Correlation-ID", "X-HTTP-Method-Override", "X-Requested-With",
    }  # fmt: skip
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert answer.headers["X-Correlation-ID"]
    assert answer.headers["Vary"].endswith("Origin")


async def test_streams_may_be_asked_for_too(server: Server) -> None:
    for path in ("/api/v1/events", f"/api/v1/threads/c{'0' * 24}/events"):
        answer = await send(server, "OPTIONS", path, {"Origin": OTHER, "Access-Control-Request-Method": "GET"})
        assert answer.status == 204
        assert may_read(answer, OTHER)
        assert answer.headers["Access-Control-Allow-Methods"] == "GET"


@pytest.mark.parametrize("origin", NOT_ALLOWED)
async def test_strangers_may_not(server: Server, alice: Client, origin: str) -> None:
    async with raw_connection(server.url) as connection:
        asked = await connection.ask(
            "OPTIONS /api/v1/threads HTTP/1.1", f"Origin: {origin}", "Access-Control-Request-Method: POST"
        )
        assert check_problem(asked, 403)["code"] == "origin_not_allowed"
        bearer = f"Authorization: Bearer {alice.token}"
        answer = await connection.ask("GET /api/v1/users/me HTTP/1.1", f"Origin: {origin}", bearer)
        assert answer.status == 200, "a token was shown: that no browser hands it to the page is the browser's part"
    for told in (asked, answer):
        assert not [name for name in told.headers if name.startswith("Access-Control")]
        assert told.headers["Vary"].endswith("Origin")
        assert told.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("headers", [{}, {"Origin": APP}, {"Access-Control-Request-Method": "POST"}])
async def test_options_of_no_page_is_no_method(server: Server, headers: dict[str, str]) -> None:
    answer = await send(server, "OPTIONS", "/api/v1/threads", headers)
    assert check_problem(answer, 405)["code"] == "method_not_allowed"
    assert "POST" in answer.headers["Allow"]


async def test_what_is_not_there_is_not_there_for_pages(server: Server) -> None:
    answer = await send(server, "OPTIONS", "/nope", {"Origin": APP, **ASKS})
    check_problem(answer, 404)
    assert may_read(answer)


SIGNED_IN = {"Authorization": f"Bearer {token('alice', ttl_seconds=86_400)}"}
ANSWERS: Mapping[str, tuple[int, str, str, dict[str, str]]] = {
    "a resource": (200, "GET", "/api/v1/users/me", SIGNED_IN),
    "nobody": (401, "GET", "/api/v1/users/me", {}),
    "nothing there": (404, "GET", "/nope", {}),
    "another method": (405, "DELETE", "/health", {}),
    "a refusal": (
        400,
        "GET",
        "/api/v1/users?limit=0",
        SIGNED_IN,
    ),
    "an expectation": (400, "GET", "/health", {"Expect": "nonsense"}),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_every_answer_may_be_read(server: Server, case: str) -> None:
    status, method, path, headers = ANSWERS[case]
    answer = await send(server, method, path, {"Origin": APP, **headers})
    assert answer.status == status
    assert may_read(answer)
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"ETag", "Location", "X-Correlation-ID", "Retry-After", "RateLimit", "RateLimit-Policy"}
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Vary"].endswith("Origin")
    alone = await send(server, method, path, headers)
    assert alone.headers["Vary"].endswith("Origin"), "a cache must not give this answer to a page"
    assert not may_read(alone)


async def test_a_stream_may_be_read(server: Server, alice: Client) -> None:
    for headers in ({"Authorization": f"Bearer {alice.token}"}, {"Cookie": f"rpotential_auth={alice.token}"}):
        async with server.session.get(server.url + "/api/v1/events", headers={"Origin": APP, **headers}) as stream:
            assert stream.status == 200
            assert stream.headers["Access-Control-Allow-Origin"] == APP


async def test_304_and_its_tag(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}"
    tag = (await alice.get(path)).headers["ETag"]
    answer = await alice.get(path, {"Origin": APP, "If-None-Match": tag})
    assert answer.status == 304
    assert may_read(answer)


async def test_without_a_list_there_is_nothing_to_say(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as server:
        answer = await send(server, "GET", "/health", {"Origin": APP})
        assert answer.status == 200
        assert "Origin" not in answer.headers.get("Vary", "")
        assert not may_read(answer)
        own = await send(server, "GET", "/health", {"Origin": server.url})
        assert own.status == 200, "the server's own page needs no leave"


# What a page of elsewhere may not do with a browser's cookie


COOKIE = {"Cookie": f"rpotential_auth={token('alice', ttl_seconds=86_400)}"}
ELSEWHERE: Mapping[str, dict[str, str]] = {
    "a stranger": {"Origin": EVIL},
    "a sandbox": {"Origin": "null"},
    "nobody, across sites": {"Sec-Fetch-Site": "cross-site"},
    "nobody, across hosts": {"Sec-Fetch-Site": "same-site"},
    "a stranger who says it is not": {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"},
}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("case", ELSEWHERE)
async def test_nothing_is_changed_from_elsewhere(server: Server, alice: Client, method: str, case: str) -> None:
    thread = await alice.thread("Mine")
    path = "/api/v1/threads" + ("" if method == "POST" else f"/{thread['id']}")
    body: dict[str, Any] = {} if method == "DELETE" else {"json": {"title": "Theirs"}}
    before = (await alice.get("/api/v1/threads")).data
    answer = await send(server, method, path, COOKIE | ELSEWHERE[case], **body)
    assert check_problem(answer, 403)["code"] == "origin_not_allowed"
    assert (await alice.get("/api/v1/threads")).data == before
    allowed = await send(server, method, path, COOKIE | {"Origin": APP}, **body)
    assert allowed.status in (200, 201, 204)


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
async def test_a_server_with_a_users_cookie_names_no_page_and_may_write(
    server: Server, alice: Client, headers: dict[str, str]
) -> None:
    """No browser leaves out both headers: the first system's server-side clients do."""
    thread = await alice.thread("Mine")
    answer = await send(server, "PATCH", f"/api/v1/threads/{thread['id']}", COOKIE | headers, json={"title": "Ours"})
    assert answer.status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "no such word"])
async def test_a_browser_that_comes_from_elsewhere_says_so(server: Server, alice: Client, site: str) -> None:
    answer = await send(server, "POST", "/api/v1/threads", COOKIE | {"Sec-Fetch-Site": site}, json={"title": "x"})
    assert check_problem(answer, 403)["code"] == "origin_not_allowed"
    headers = COOKIE | {"Sec-Fetch-Site": site, "Origin": server.url}
    assert (await send(server, "POST", "/api/v1/threads", headers, json={"title": "x"})).status == 403


SIMPLE = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", None]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("media_type", SIMPLE)
async def test_no_form_is_a_body(server: Server, alice: Client, method: str, media_type: str | None) -> None:
    """What a page may send without asking first is not read, whoever sends it."""
    thread = await alice.thread("Mine")
    path = "/api/v1/threads" + ("" if method == "POST" else f"/{thread['id']}")
    headers = {"Content-Type": media_type} if media_type else {}
    for who in ({"Authorization": f"Bearer {alice.token}"}, COOKIE | {"Origin": APP}):
        answer = await send(
            server, method, path, who | headers, data=b'{"title":"Theirs"}',
            skip_auto_headers=["Content-Type"],
        )  # fmt: skip
        check_problem(answer, 415)


@pytest.mark.parametrize("case", ELSEWHERE)
async def test_no_stream_for_pages_of_elsewhere(server: Server, alice: Client, case: str) -> None:
    thread = await alice.thread()
    for path in ("/api/v1/events", f"/api/v1/threads/{thread['id']}/events"):
        answer = await send(server, "GET", path, COOKIE | ELSEWHERE[case])
        assert check_problem(answer, 403)["code"] == "origin_not_allowed"


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": APP}, {"Origin": "{url}"}]
)
async def test_a_stream_for_pages_of_ours(server: Server, alice: Client, headers: dict[str, str]) -> None:
    sent = {name: value.format(url=server.url) for name, value in headers.items()}
    async with server.session.get(server.url + "/api/v1/events", headers=COOKIE | sent) as stream:
        assert stream.status == 200


async def test_a_stream_by_header_is_nobody_s_accident(server: Server, alice: Client) -> None:
    bearer = {"Authorization": f"Bearer {alice.token}", "Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    async with server.session.get(server.url + "/api/v1/events", headers=bearer | COOKIE) as stream:
        assert stream.status == 200


@pytest.mark.parametrize("case", ELSEWHERE)
async def test_no_socket_for_pages_of_elsewhere(server: Server, case: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await server.session.ws_connect(server.websocket_url, headers=COOKIE | ELSEWHERE[case])
