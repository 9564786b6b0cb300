"""HTTP around the operations: correlation ids, problems outside of them, bytes that are no good HTTP, health."""

import asyncio
import re

import pytest
from aiohttp import ClientPayloadError

from actors import limits
from actors.identifiers import is_id
from server.http import middleware
from server.realtime.sse import followed
from server.resources.health import operations as health
from tests.builders import until
from tests.realtime_client import event_stream
from tests.server.operations.sweep.requests import check_problem
from tests.server.quiet import nothing_breaks
from tests.server.raw_http import raw_connection
from tests.serving import Client, Server

__all__ = ["nothing_breaks"]

PATHS = ["/api/v1/users/me", "/nope", "/api/v1/threads/x", "/health", "/api/v1/users?limit=0"]


@pytest.mark.parametrize("path", PATHS)
async def test_correlation_ids_come_back(alice: Client, path: str) -> None:
    for good in ("abc-1.2:3_4", "x" * 128, "0"):
        answer = await alice.get(path, {"X-Correlation-ID": good})
        assert answer.headers["X-Correlation-ID"] == good
        assert (answer.metadata["correlation_id"] if answer.status == 200 else answer.error["trace_id"]) == good
    for bad in ("a b", "x" * 129, "<script>", "", "é", "a\tb", "a,b"):
        made = (await alice.get(path, {"X-Correlation-ID": bad})).headers["X-Correlation-ID"]
        assert made != bad
        assert is_id(made)
    assert len({(await alice.get(path)).headers["X-Correlation-ID"] for _ in range(5)}) == 5


async def test_a_problem_says_what_was_wrong(alice: Client) -> None:
    answer = await alice.post("/api/v1/threads", title=5, colour="red")
    error = check_problem(answer, 400)
    assert error["type"] == "https://experience.rpotential.dev/problems/validation-error"
    assert error["errors"] == {
        "title": ["Input should be a valid string; got 5."],
        "colour": ["This field is not known here."],
    }
    assert error["retryable"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", error["timestamp"])


async def test_a_defect_is_told_as_one(
    alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No inside shows; the log has it, under the id that the client is told."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    seen: list[str] = []
    monkeypatch.setattr(health, "iso_time", broken)
    monkeypatch.setattr(middleware.logger, "error", lambda *_, **__: seen.append(middleware.correlation_id.get()))
    answer = await alice.get("/health")
    error = check_problem(answer, 500)
    assert (error["code"], error["retryable"]) == ("internal", True)
    assert b"secret" not in answer.raw
    assert seen == [error["trace_id"]]


async def test_half_an_answer_breaks_off_where_the_fault_is_ours(
    server: Server, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(events: object) -> object:
        raise RuntimeError("a secret")

    monkeypatch.setattr(followed, "user_publications", broken)
    monkeypatch.setattr(middleware.logger, "error", lambda *_, **__: None)
    async with event_stream(server.session, f"{server.url}/api/v1/users/me/events", alice.token) as stream:
        with pytest.raises(ClientPayloadError):
            raise AssertionError(f"told: {await stream.next()}")


# Bytes


@pytest.mark.parametrize(
    "first_line",
    [
        "GET /\xff HTTP/1.1", "GET /api/v1/users?\xff HTTP/1.1", "GARBAGE / HTTP/1.1", "GET / HTTP/9.9", "\x00",
        "GET http://[/ HTTP/1.1", f"GET /{'a' * 20_000} HTTP/1.1", "\x16\x03\x01\x02", "{}", "GET  /health HTTP/1.1 x",
    ],
)  # fmt: skip
async def test_what_is_not_http(server: Server, first_line: str) -> None:
    async with raw_connection(server.url) as connection:
        answer = await connection.ask(first_line.encode("latin-1"))
        assert check_problem(answer, 400)["code"] == "malformed"
        assert await connection.reader.read() == b"", "it hangs up"


@pytest.mark.parametrize(
    "header",
    [
        b"X-Large: " + b"a" * 20_000, b"Content-Length: x", b"Content-Length: -1", b"no colon", b" folded: x",
        b"A\x00: x", b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Transfer-Encoding: nonsense",
    ],
)  # fmt: skip
async def test_headers_that_are_none(server: Server, header: bytes) -> None:
    async with raw_connection(server.url) as connection:
        answer = await connection.ask("POST /api/v1/threads HTTP/1.1", header)
        assert check_problem(answer, 400)["code"] == "malformed"


@pytest.mark.parametrize(
    "header",
    [
        b"X-Correlation-ID: \xff", b"Idempotency-Key: \xff\xfe", b"Content-Type: text/\xff", b"Content-Type: \xff",
        b"If-Match: \xff", b"If-None-Match: \xff", b"Accept: \xff", b"Host: \xff", b"Cookie: \xff=\xff; ;;=\"",
        b"X: \xff", b"Content-Encoding: \xff", b"Cookie: rpotential_auth=\xff", b"Origin: \xff", b"Host: [", b"Host: ",
    ],
)  # fmt: skip
async def test_headers_that_are_not_utf_8(server: Server, alice: Client, header: bytes) -> None:
    async with raw_connection(server.url) as connection:
        for token in (f"Authorization: Bearer {alice.token}", "X-No: token"):
            for line in ("POST /api/v1/threads HTTP/1.1", "GET /api/v1/users/me HTTP/1.1"):
                answer = await connection.ask(line, token, header, "Content-Length: 2", body=b"{}")
                assert answer.status in (200, 400, 401, 403, 415), answer.raw
                assert answer.headers["X-Correlation-ID"]


@pytest.mark.parametrize("body", [b"zz\r\n", b"5\r\nab", b"-1\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n"])
async def test_chunks_that_are_none(server: Server, alice: Client, body: bytes) -> None:
    async with raw_connection(server.url) as connection:
        await connection.send(
            "POST /api/v1/threads HTTP/1.1", f"Authorization: Bearer {alice.token}", "Content-Type: application/json",
            "Transfer-Encoding: chunked", body=body,
        )  # fmt: skip
        if connection.writer.can_write_eof():
            connection.writer.write_eof()
        try:
            answer = await connection.answer()
        except asyncio.IncompleteReadError:
            return  # it said goodbye while it spoke: there is nobody to answer
        assert check_problem(answer, 400)["code"] == "malformed"
    assert (await alice.get("/api/v1/threads")).data == []


async def test_clients_that_hang_up_in_the_middle(server: Server, alice: Client) -> None:
    before = asyncio.all_tasks()
    for length, sent in ((100, b"{"), (1_000_000, b" " * 600_000), (13, b'{"title":"x"')):
        async with raw_connection(server.url) as connection:
            await connection.send(
                "POST /api/v1/threads HTTP/1.1", f"Authorization: Bearer {alice.token}",
                "Content-Type: application/json", f"Content-Length: {length}", body=sent,
            )  # fmt: skip
            connection.cut()
    await until(lambda: not asyncio.all_tasks() - before, "the end of the requests")
    assert (await alice.get("/api/v1/threads")).data == []


async def test_many_requests_on_one_connection(server: Server, alice: Client) -> None:
    """Sent all at once, answered in order, each by itself."""
    token = f"Authorization: Bearer {alice.token}"
    async with raw_connection(server.url) as connection:
        for number in range(20):
            line = f"GET {PATHS[number % len(PATHS)]} HTTP/1.1"
            await connection.send(line, token, f"X-Correlation-ID: n{number}")
        answers = [await connection.answer() for _ in range(20)]
    assert [answer.headers["X-Correlation-ID"] for answer in answers] == [f"n{number}" for number in range(20)]
    assert [answer.status for answer in answers[:5]] == [200, 404, 404, 200, 400]


async def test_a_body_that_nobody_read_is_no_request(server: Server, alice: Client) -> None:
    hidden = b"DELETE /api/v1/threads HTTP/1.1\r\nHost: x\r\nX-Correlation-ID: hidden\r\n\r\n"
    token = f"Authorization: Bearer {alice.token}"
    async with raw_connection(server.url) as connection:
        for line, headers, body, status in (
            ("POST /api/v1/threads", [], hidden, 401),
            ("POST /api/v1/threads", [token], hidden, 415),
            ("POST /nope", [token], hidden, 404),
            ("DELETE /health", [], hidden, 405),
            ("GET /health", [], hidden, 200),
            ("POST /api/v1/threads", [token], hidden + b" " * limits.BODY_BYTES, 413),
        ):
            refused = await connection.ask(f"{line} HTTP/1.1", *headers, f"Content-Length: {len(body)}", body=body)
            assert refused.status == status, line
            after = await connection.ask("GET /health HTTP/1.1", "X-Correlation-ID: after")
            assert (after.status, after.headers["X-Correlation-ID"]) == (200, "after")


async def test_a_body_that_waits_to_be_asked_for(server: Server, alice: Client) -> None:
    async with raw_connection(server.url) as connection:
        await connection.send(
            "POST /api/v1/threads HTTP/1.1", f"Authorization: Bearer {alice.token}", "Content-Type: application/json",
            "Content-Length: 13", "Expect: 100-continue",
        )  # fmt: skip
        assert (await connection.answer()).status == 100
        connection.writer.write(b'{"title":"x"}')
        assert (await connection.answer()).status == 201


async def test_the_largest_body(alice: Client) -> None:
    thread = await alice.thread()
    frame = b'{"content":"x"%b}'
    spaces = b" " * (limits.BODY_BYTES - len(frame) + 2)
    path, headers = f"/api/v1/threads/{thread['id']}/messages", {"Content-Type": "application/json"}
    assert (await alice.request("POST", path, data=frame % spaces, headers=headers)).status == 201
    assert (await alice.request("POST", path, data=frame % (spaces + b" "), headers=headers)).status == 413


# Health


async def test_health(server: Server) -> None:
    session = server.session
    for path in ("/health", "/api/v1/health", "/health/ready"):
        async with session.get(server.url + path, headers={"Authorization": "nonsense"}) as response:
            assert response.status == 200
            health = (await response.json())["data"]
        assert health["status"] == "ok"
        assert health["checks"] == {name: {"status": "ok", "reason": None} for name in ("database", "server", "files")}
    async with session.get(server.url + "/health/live") as response:
        assert (await response.json())["data"] == {"status": "alive"}
    async with session.get(server.url + "/api/v1") as response:
        assert (await response.json())["data"]["links"]["events"] == "/api/v1/events"


async def test_a_server_that_drains_is_not_ready(server: Server, alice: Client) -> None:
    server.services.draining = True
    refused = await alice.get("/health/ready")
    assert check_problem(refused, 503)["detail"] == "server: draining"
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await alice.get("/health")).data["status"] == "unavailable"
    assert (await alice.get("/health/live")).status == 200
    assert (await alice.get("/api/v1/users/me")).status == 200, "requests in flight are answered"


async def test_what_comes_after_the_end_is_told_to_come_back(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    await server.services.directory.journal.close()
    refused = await alice.post(f"/api/v1/threads/{thread['id']}/messages", content="x")
    assert check_problem(refused, 503)["code"] == "shutting_down"
    assert refused.headers["Retry-After"] == "5"
