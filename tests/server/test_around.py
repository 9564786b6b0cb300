"""What stands around the server: proxies, caches, browsers of other origins, people who read its log."""

import asyncio
import gzip
import logging
from pathlib import Path

import click
import orjson
import pytest

from cli import settings
from cli.serving.log_lines import TextLine
from server.http.headers.etags import versions_of
from server.http.headers.origins import origin_of
from server.http.request_log import RequestLog
from server.http.throttled_log import ThrottledLog
from tests.server.raw_http import PATIENCE, raw_connection
from tests.serving import Client, Server, serving

CONNECT = b'{"id":1,"connect":{"token":"%b"}}'


@pytest.mark.parametrize("path", ["/api/v1/threads/{}/events", "/api/v1/events", "/api/v1/users/me/events"])
async def test_streams_for_proxies_of_http_1_0(server: Server, alice: Client, path: str) -> None:
    """Without chunks, until the connection ends."""
    thread = await alice.thread()
    async with raw_connection(server.url) as connection:
        await connection.send(f"GET {path.format(thread['id'])} HTTP/1.0", f"Authorization: Bearer {alice.token}")
        head = await connection.head()
        assert (head.status, head.headers.get("Transfer-Encoding")) == (200, None)
        async with asyncio.timeout(PATIENCE):
            begun = await connection.reader.readuntil(b"\n\n")
            assert begun.startswith(b": \nretry: 1000\nid: ")
            await alice.patch("/api/v1/users/me", name="Ana")
            await alice.say(thread, "over 1.0")
            told = await connection.reader.readuntil(b"\n\n")
        assert told.startswith(b"id: ")
        assert orjson.loads(told.partition(b"data: ")[2])


async def test_lines_for_proxies_of_http_1_0(server: Server, alice: Client) -> None:
    async with raw_connection(server.url) as connection:
        body = CONNECT % alice.token.encode()
        await connection.send(
            "POST /connection/http_stream HTTP/1.0", "Content-Type: application/json", f"Content-Length: {len(body)}",
            body=body,
        )  # fmt: skip
        assert (await connection.head()).headers.get("Transfer-Encoding") is None
        async with asyncio.timeout(PATIENCE):
            assert "connect" in orjson.loads(await connection.reader.readuntil(b"\n"))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Upgrade: websocket"],
        ["Connection: Upgrade"],
        ["Upgrade: websocket", "Connection: Upgrade"],
        ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 12"],
        ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x"],
    ],
)
@pytest.mark.parametrize("path", ["/connection/websocket", "/api/v1/ws"])
async def test_a_websocket_without_its_headers(server: Server, headers: list[str], path: str) -> None:
    async with raw_connection(server.url) as connection:
        answer = await connection.ask(f"GET {path} HTTP/1.1", *headers)
    assert (answer.status, answer.error["code"]) == (400, "malformed")
    assert answer.error["detail"].startswith("Expected a WebSocket: `Upgrade: websocket`")


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json", "/docs", "/docs/events", "/problems"])
async def test_what_describes_the_server_is_compressed(server: Server, path: str) -> None:
    url, session = server.url + path, server.session
    plain = await session.get(url, headers={"Accept-Encoding": "identity"})
    body = await plain.read()
    async with raw_connection(server.url) as connection:
        packed = await connection.ask(f"GET {path} HTTP/1.1", "Accept-Encoding: br;q=1.0, gzip;q=0.8, *;q=0.1")
        if len(body) < 1024:
            assert "Content-Encoding" not in packed.headers
            return
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.raw) == body
        assert packed.headers["ETag"] == plain.headers["ETag"][:-1] + '-gzip"'
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert "Accept-Encoding" in plain.headers["Vary"]
        for tag in (packed.headers["ETag"], plain.headers["ETag"], f'"x", W/{packed.headers["ETag"]}', "*"):
            same = await connection.ask(
                f"GET {path} HTTP/1.1", "Accept-Encoding: gzip", f"If-None-Match: {tag}"
            )  # fmt: skip
            assert same.status == 304, tag
        for refused in ("gzip;q=0", "identity", "*;q=0", "gzip; q=0.000", ""):
            answer = await connection.ask(f"GET {path} HTTP/1.1", f"Accept-Encoding: {refused}")
            assert "Content-Encoding" not in answer.headers, refused


async def test_what_has_secrets_is_never_compressed(server: Server, alice: Client) -> None:
    thread = await alice.thread("x" * 200)
    for _ in range(20):
        await alice.say(thread, "x" * 1000)
    answer = await alice.get(f"/api/v1/threads/{thread['id']}/messages", {"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"1-7314ebde-gzip"', 200), ('W/"1-7314ebde-gzip"', 200), ('"1--gzip"', 200), ('"1;gzip"', 200), ("*", 200),
        ('"9", "1-0"', 200), ('"9-ab-gzip" , W/"1"', 200), ('"2", "3"', 412), ('"2"', 412), ("nonsense", 400),
        ('"1', 400), ('"x"', 400), ('"1", x', 400), ("", 400),
    ],
)  # fmt: skip
async def test_tags_that_come_back(alice: Client, header: str, status: int) -> None:
    thread = await alice.thread()
    answer = await alice.patch(f"/api/v1/threads/{thread['id']}", {"If-Match": header}, title="Another")
    assert answer.status == status, answer.json


def test_which_versions_a_header_names() -> None:
    assert versions_of('"1-a", W/"2-b-br"') == {1, 2}
    assert versions_of(" * ") == frozenset()


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://a:443", "https://a"), ("http://a:80/", "http://a"), ("HTTPS://A.Example", "https://a.example"),
        ("https://a:8443", "https://a:8443"), ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
        ("https://[::1]:443", "https://[::1]"), ("http://localhost:5173", "http://localhost:5173"),
    ],
)  # fmt: skip
def test_origins_are_read_as_browsers_spell_them(given: str, origin: str) -> None:
    assert origin_of(given) == origin
    assert settings.load({}, {"ALLOWED_ORIGINS": f"{given} , https://other"})["allowed_origins"] == (
        origin,
        "https://other",
    )


@pytest.mark.parametrize(
    "given",
    [
        "https://a/path", "https://*.example", "null", "a.example", "ftp://a", "https://u:p@a", "https://a?x", "https://",
        "https://a#", "https://a:99999", "https://a b", "*",
    ],
)  # fmt: skip
def test_origins_that_no_page_has(given: str) -> None:
    with pytest.raises(click.ClickException, match="ALLOWED_ORIGINS: expected origins such as"):
        settings.load({}, {"ALLOWED_ORIGINS": given})


async def test_a_refused_preflight_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "server.http.headers.cors._refused",
        ThrottledLog(logging.getLogger("server.cors"), logging.WARNING),
    )
    caplog.set_level(logging.WARNING)
    async with serving(tmp_path / "data", ALLOWED_ORIGINS="HTTPS://App.example:443/") as server:
        asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
        async with server.session.options(f"{server.url}/api/v1/threads", headers=asked) as answer:
            assert answer.status == 204
        for _ in range(5):
            refused = asked | {"Origin": "https://evil.example"}
            async with server.session.options(f"{server.url}/api/v1/threads", headers=refused) as answer:
                assert answer.status == 403
    told = [record.getMessage() for record in caplog.records if record.name == "server.cors"]
    assert told == ["pages of 'https://evil.example' may not call this server: they are not in ALLOWED_ORIGINS"]


async def test_cookies_in_two_lines(server: Server, alice: Client) -> None:
    async with raw_connection(server.url) as connection:
        answer = await connection.ask(
            "GET /api/v1/users/me HTTP/1.1", "Cookie: theme=dark", f"Cookie: rpotential_auth={alice.token}"
        )
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/users/%00", "/api/v1/users/%00%1b%5b31m", "/%7f%0b", "/api/v1/threads/%00/events"])
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
async def test_control_characters_of_a_path(
    server: Server, alice: Client, caplog: pytest.LogCaptureFixture, path: str, method: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_connection(server.url) as connection:
        answer = await connection.ask(f"{method} {path} HTTP/1.1", f"Authorization: Bearer {alice.token}")
    assert answer.status in (404, 405)
    assert "\\u00" not in answer.raw.decode()
    for value in (*answer.headers.values(), answer.error["detail"], *map(TextLine().format, caplog.records)):
        assert not set(map(chr, (*range(9), *range(11, 32), 127))) & set(value)


async def test_a_reported_trace_id_is_found(server: Server, alice: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = await alice.get("/api/v1/threads/nonsense")
    assert answer.error["trace_id"] == answer.error["correlation_id"] == answer.headers["X-Correlation-ID"]
    told = [record.getMessage() for record in caplog.records if record.name == "server.requests"]
    assert any(line.startswith("GET /api/v1/threads/nonsense 404 not_found in ") for line in told)


def test_lines_for_requests_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = [0.0]
    log = RequestLog(clock=lambda: now[0])
    for _ in range(1000):
        log.request("GET", "/x", 404, 0.001, code="not_found", known=False)
    assert len(caplog.records) == 50
    log.request("GET", "/mine", 403, 0.001, code="forbidden", known=True)
    assert caplog.records[-1].getMessage() == "GET /mine 403 forbidden in 1 ms"
    now[0] = 60.0
    log.request("GET", "/x", 404, 0.001, code="not_found", known=False)
    assert caplog.records[-1].getMessage() == "GET /x 404 not_found in 1 ms (950 before were left out)"
