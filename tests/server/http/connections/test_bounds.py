"""What one client can have the server hold: connections, answers that nobody takes, bodies that do not end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from cli.serving import assembly
from server.http.server import HttpServer
from server.limits.refusals import RefusalPace
from server.limits.sockets import SocketLimits
from server.limits.token_bucket import Rate
from tests.builders import until
from tests.raw_socket import small_connection
from tests.server.quiet import nothing_breaks, said_seldom
from tests.server.raw_http import PATIENCE, raw_connection
from tests.serving import Server, serving

__all__ = ["nothing_breaks"]

GET = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[HttpServer]:
    servers: list[HttpServer] = []

    def start(*given: Any, **more: Any) -> HttpServer:
        servers.append(HttpServer(*given, **{**more, "sockets": SocketLimits(40, 30)}))
        return servers[-1]

    monkeypatch.setattr(assembly, "HttpServer", start)
    return servers


@pytest.fixture
async def server(tmp_path: Path, started: list[HttpServer], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(limits, "UNSENT_BYTES_PER_USER", 8_000_000)
    monkeypatch.setattr(limits, "UNFINISHED_BYTES_PER_USER", 200_000)
    async with serving(tmp_path / "data", RATE_LIMITS="on") as running:
        yield running


@pytest.mark.parametrize("said", [b"", GET.encode(), b"GET /health/live HTTP/1.1\r\nHost:"])
async def test_idle_connections_make_room_for_new_ones(
    server: Server, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    """Whatever they have said, and however many there are; who asks now is served."""
    caplog.set_level(logging.WARNING, "server.http.server")
    alice = server.client("alice")
    await alice.me()
    port = int(server.url.rpartition(":")[2])
    async with AsyncExitStack() as stack:
        for _ in range(120):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(said)
            if said.endswith(b"\r\n\r\n"):
                async with asyncio.timeout(PATIENCE):
                    assert (await reader.readuntil(b"\r\n")) == b"HTTP/1.1 200 OK\r\n"
        health = (await server.client("bob").get("/health")).data["sockets"]
        assert health["open"] <= 30
        assert health["most"] == 40
        assert health["closed_idle"] >= 90
        assert health["refused"] == 0
        await alice.me()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["127.0.0.1 holds 30 connections: idle ones are closed for new ones"]


async def test_where_all_are_busy_a_new_one_is_told_so(server: Server) -> None:
    alice = server.client("alice")
    thread = await alice.thread()
    async with AsyncExitStack() as stack:
        for _ in range(30):
            connection = await stack.enter_async_context(raw_connection(server.url))
            await connection.send(
                f"GET /api/v1/threads/{thread['id']}/events HTTP/1.1", f"Authorization: Bearer {alice.token}"
            )
            assert (await connection.head()).status == 200
        refused = await stack.enter_async_context(raw_connection(server.url))
        answer = await refused.answer()
        assert (answer.status, answer.error["code"], answer.headers["Retry-After"]) == (503, "overloaded", "5")
        assert await refused.reader.read() == b""
        assert server.services.sockets.refused == 1
    await until(lambda: server.services.sockets.open == 0)


async def test_answers_that_are_not_taken_are_cut(server: Server, started: list[HttpServer]) -> None:
    """The oldest of that user first; nobody else's."""
    alice, bob = server.client("alice"), server.client("bob")
    thread = await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
    for _ in range(80):  # what a kernel takes on its own is 2.5 MB
        await alice.say(thread, "x" * 60_000)
    path = f"GET /api/v1/threads/{thread['id']}/context?max_tokens=1000000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer"
    unsent = started[0].bounds.unsent
    async with AsyncExitStack() as stack:
        theirs = await stack.enter_async_context(small_connection(server.url))
        await theirs.send(f"{path} {bob.token}\r\n\r\n".encode())
        await until(lambda: unsent.total > 100_000)
        bobs = unsent.total
        for _ in range(20):
            slow = await stack.enter_async_context(small_connection(server.url))
            await slow.send(f"{path} {alice.token}\r\n\r\n".encode())
        await until(lambda: unsent.ended > 3)
        assert unsent.total - bobs <= limits.UNSENT_BYTES_PER_USER
        assert not theirs.reader.at_eof()
        assert (await alice.me())["name"] == "Alice"
    await until(lambda: unsent.total == 0)


async def test_bodies_that_do_not_end_are_cut(server: Server, started: list[HttpServer]) -> None:
    alice = server.client("alice")
    unfinished = started[0].bounds.unfinished
    async with AsyncExitStack() as stack:
        held = []
        for _ in range(5):
            connection = await stack.enter_async_context(raw_connection(server.url))
            await connection.send(
                "POST /api/v1/threads HTTP/1.1", f"Authorization: Bearer {alice.token}", "Content-Length: 400000",
                "Content-Type: application/json", body=b" " * 60_000,
            )  # fmt: skip
            held.append(connection)
        answer = await held[0].answer()
        assert (answer.status, answer.error["code"], answer.error["retryable"]) == (503, "overloaded", True)
        # What came before its token was looked at is held for its address.
        assert all(size <= 200_000 for size in unfinished._sums.values())
        assert (await alice.post("/api/v1/threads", title="x" * 100)).status == 201
    await until(lambda: unfinished.total == 0)


@pytest.mark.parametrize(
    ("path", "kind", "most"),
    [
        ("/emulation", "application/json", 2 * limits.FRAME_BYTES + 1024),
        ("/emulation", "application/octet-stream", 2 * limits.FRAME_BYTES + 1024),
        ("/connection/http_stream", "application/json", limits.FRAME_BYTES),
        ("/connection/http_stream", "application/octet-stream", limits.FRAME_BYTES),
        ("/api/v1/auth/login", "application/json", limits.STRANGER_BODY_BYTES),
        ("/api/v1/auth/refresh", "application/json", limits.STRANGER_BODY_BYTES),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_small_bodies_of_strangers(server: Server, path: str, kind: str, most: int, chunked: bool) -> None:
    """Refused by what is announced, before it comes, or as soon as too much has come."""
    async with raw_connection(server.url) as connection:
        size = "Transfer-Encoding: chunked" if chunked else "Content-Length: 400000"
        body = b"%x\r\n%b\r\n" % (most + 1, b" " * (most + 1)) if chunked else b""
        await connection.send(f"POST {path} HTTP/1.1", f"Content-Type: {kind}", size, body=body)
        answer = await connection.answer()
    assert (answer.status, answer.error["code"]) == (413, "too_large")
    assert str(most) in answer.error["detail"]


async def test_who_is_nobody_is_told_before_the_body(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        answer = await connection.ask(
            "POST /api/v1/threads HTTP/1.1", "Content-Length: 400000", "Content-Type: application/json"
        )
    assert answer.status == 401


async def test_what_is_not_http_is_logged_once_a_while(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    said_seldom(monkeypatch)
    for _ in range(50):
        async with raw_connection(server.url) as connection:
            assert (await connection.ask("GET /health HTTP/1.1", "Host: x", "Host: y")).status == 400
    assert len([record for record in caplog.records if "not HTTP" in record.getMessage()]) == 1


async def test_of_a_body_behind_a_refusal_no_more_is_read_than_its_sender_needs(server: Server) -> None:
    """It is answered at once; what still comes stays with its sender."""
    sent, piece = 0, bytes(65_536)
    async with raw_connection(server.url) as connection:
        size = 1 << 30
        answer = await connection.ask("POST /nothing/here HTTP/1.1", f"Content-Length: {size}")
        assert answer.status == 404
        connection.writer.transport.set_write_buffer_limits(0)
        with suppress(TimeoutError, ConnectionError):
            while sent < size:
                connection.writer.write(piece)
                async with asyncio.timeout(0.5):
                    await connection.writer.drain()
                sent += len(piece)
    assert limits.LINGERING_BYTES <= sent < limits.LINGERING_BYTES + 16_000_000, "what the kernel keeps is beside it"


async def test_refusals_without_end_slow_their_sender(
    server: Server, started: list[HttpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over new connections; requests from the same address that are good wait for nothing."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(limits, "REFUSAL_WAIT_SECONDS", 0.2)
    pace = RefusalPace(Rate(10.0, 3))
    monkeypatch.setattr(started[-1].bounds, "refusals", pace)
    alice = server.client("alice")
    await alice.me()

    async def took(ask: Any) -> float:
        began = loop.time()
        await ask
        return loop.time() - began

    async def refused() -> None:
        async with raw_connection(server.url) as connection:
            assert (await connection.ask("GET /nothing/here HTTP/1.1")).status == 404

    for _ in range(5):
        await refused()
    assert await took(refused()) > 0.05
    assert await took(alice.me()) < 0.1
