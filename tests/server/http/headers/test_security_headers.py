"""What every answer tells browsers, whatever it is an answer to."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web

from server.http.headers import security_headers
from tests.server.raw_http import raw_connection
from tests.serving import Client, Server, serving
from tests.tokens import token

ME = "GET /api/v1/users/me"
UPGRADE = (
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {base64.b64encode(b'0' * 16).decode()}",
)  # fmt: skip
ALICE = f"Authorization: Bearer {token('alice', ttl_seconds=86_400)}"
ANSWERS: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "a resource": (200, ME, (ALICE,)),
    "the head of one": (200, ME.replace("GET", "HEAD"), (ALICE,)),
    "what is open": (200, "GET /health", ()),
    "an operation's refusal": (400, "GET /api/v1/users?limit=0", (ALICE,)),
    "nobody": (401, ME, ()),
    "a cookie from elsewhere": (
        403, "POST /api/v1/threads", (f"Cookie: rpotential_auth={token('alice')}", "Origin: https://evil.example"),
    ),
    "nothing there": (404, "GET /nope", ()),
    "another method": (405, "DELETE /health", ()),
    "no JSON": (415, "POST /api/v1/threads", (ALICE, "Content-Length: 2", "Content-Type: text/plain")),
    "a stream": (200, "GET /api/v1/events", (ALICE,)),
    "a WebSocket": (101, "GET /connection/websocket", UPGRADE),
    "none": (400, "GET /connection/websocket", ()),
    "an expectation": (400, "GET /health", ("Expect: nonsense",)),
    "one of what is not there": (400, "GET /nope", ("Expect: nonsense",)),
    "no HTTP": (400, "GARBAGE /", ()),
    "no header": (400, "GET /health", ("no header",)),
    "a preflight of a stranger": (
        403, "OPTIONS /health", ("Origin: https://evil.example", "Access-Control-Request-Method: GET"),
    ),
}  # fmt: skip


def check(headers: Mapping[str, str]) -> None:
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Server"] == "experience"
    assert headers["Cache-Control"].split(",")[0] in ("no-store", "private")
    assert "Strict-Transport-Security" not in headers, "nobody has said that it is TLS"
    assert not [name for name in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("case", ANSWERS)
async def test_every_answer(server: Server, case: str) -> None:
    status, line, headers = ANSWERS[case]
    async with raw_connection(server.url) as connection:
        await connection.send(f"{line} HTTP/1.1", *headers, body=b"{}" if "Content-Length: 2" in headers else b"")
        answer = await connection.head()
        assert answer.status == status
        check(answer.headers)


async def test_each_header_once(server: Server, alice: Client) -> None:
    for path in ("/api/v1/users/me", "/nope"):
        headers = (await alice.get(path)).headers
        assert len(list(headers)) == len(set(headers))


async def test_what_has_a_version_may_be_kept_but_is_asked_for(alice: Client) -> None:
    thread = await alice.thread()
    path = f"/api/v1/threads/{thread['id']}"
    found = await alice.get(path)
    assert found.headers["Cache-Control"] == "private, no-cache"
    same = await alice.get(path, {"If-None-Match": found.headers["ETag"]})
    assert same.status == 304
    assert same.headers["Cache-Control"] == "private, no-cache"
    assert same.headers["ETag"] == found.headers["ETag"]
    check(same.headers)
    assert (await alice.get("/api/v1/unread")).headers["Cache-Control"] == "no-store"
    assert (await alice.post("/api/v1/threads", title=5)).headers["Cache-Control"] == "no-store"


async def test_redirects_too(tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "data", AUTH_URL="https://login.example.com") as server,
        raw_connection(server.url) as connection,
    ):
        answer = await connection.ask(f"{ME} HTTP/1.1", "Accept: text/html")
        assert answer.status == 302
        check(answer.headers)


def test_a_page_keeps_its_own() -> None:
    own = {
        "Content-Security-Policy": "default-src 'self'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "public, max-age=3600",
    }
    page = web.Response(headers=own)
    security_headers.protect(page)
    assert {name: page.headers[name] for name in own} == own
    assert page.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("trusted", "headers", "told"),
    [
        ("127.0.0.0/8", ["X-Forwarded-Proto: https"], True), ("127.0.0.0/8", ["X-Forwarded-Proto: http"], False),
        ("127.0.0.0/8", [], False), ("10.0.0.0/8", ["X-Forwarded-Proto: https"], False),
        ("", ["X-Forwarded-Proto: https"], False),
    ],
)  # fmt: skip
async def test_tls_is_for_ever_once_there_is_tls(tmp_path: Path, trusted: str, headers: list[str], told: bool) -> None:
    async with (
        serving(tmp_path / "data", TRUSTED_PROXIES=trusted) as server,
        raw_connection(server.url) as connection,
    ):
        for line in ("GET /health", "GET /nope", ME):
            answer = await connection.ask(f"{line} HTTP/1.1", *headers)
            expected = "max-age=31536000; includeSubDomains" if told else None
            assert answer.headers.get("Strict-Transport-Security") == expected
