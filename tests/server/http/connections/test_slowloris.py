"""Clients that are slow on purpose: each is ended in bounded time, and everybody else is served meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from actors import limits
from actors.queries import Query
from actors.resources.messages import ListMessages
from cli.serving import assembly
from server.http.connections.connection import Connection
from server.http.connections.request_timeouts import RequestTimeouts, TimeLimits
from server.http.server import HttpServer
from storage.readers.reads import SqliteReads
from tests.builders import until
from tests.raw_socket import small_connection
from tests.server.operations.sweep.requests import check_problem
from tests.server.quiet import nothing_breaks
from tests.server.raw_http import PATIENCE, RawConnection, raw_connection
from tests.serving import Client, Server, serving

__all__ = ["nothing_breaks"]

HASTY = TimeLimits(first_byte=0.3, head=0.3, body=0.6, body_step=0.25, answer=0.3, lingering=0.3, sweep=0.02)
POST = "POST /api/v1/threads HTTP/1.1"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[HttpServer]:
    """Short timeouts."""
    servers: list[HttpServer] = []

    def start(*given: Any, **more: Any) -> HttpServer:
        servers.append(HttpServer(*given, **more, times=HASTY))
        return servers[-1]

    monkeypatch.setattr(assembly, "HttpServer", start)
    return servers


@pytest.fixture
def timeouts(server: Server, started: list[HttpServer]) -> RequestTimeouts[Connection]:
    return started[0]._timeouts


@pytest.fixture
async def server(tmp_path: Path, started: list[HttpServer]) -> AsyncIterator[Server]:
    """A client is served all the time."""
    async with serving(tmp_path / "data") as running:
        alice = running.client("alice")
        await alice.me()
        done = asyncio.Event()
        busy = asyncio.create_task(keep_asking(alice, done))
        yield running
        done.set()
        assert await busy > 0


async def keep_asking(client: Client, done: asyncio.Event) -> int:
    """One request after the other; answers how many were served."""
    served = 0
    while not done.is_set():
        answer = await client.post("/api/v1/threads", title=f"Thread {served}")
        assert answer.status == 201
        served += 1
    return served


async def ended(connection: RawConnection) -> bytes:
    """Wait until the server hangs up; answers what it said before."""
    said = b""
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionError):
            while chunk := await connection.reader.read(65_536):
                said += chunk
    return said


async def drip(connection: RawConnection, text: bytes = b"x") -> bytes:
    """Send a byte now and then until the server has had enough; answers what it said."""
    said = b""
    async with asyncio.timeout(PATIENCE):
        while True:
            connection.writer.write(text)
            try:
                async with asyncio.timeout(0.01):
                    chunk = await connection.reader.read(65_536)
            except TimeoutError:
                continue
            except ConnectionError:
                return said
            if not chunk:
                return said
            said += chunk


def bearer(client: Client) -> str:
    return f"Authorization: Bearer {client.token}"


async def test_whoever_sends_nothing_goes(server: Server) -> None:
    async with AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(raw_connection(server.url)) for _ in range(500)]
        assert await asyncio.gather(*map(ended, idle)) == [b""] * 500


@pytest.mark.parametrize(
    "begun", [b"GET ", b"GET /health HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "]
)
async def test_headers_byte_by_byte(server: Server, begun: bytes) -> None:
    async with raw_connection(server.url) as connection:
        connection.writer.write(begun)
        said = await drip(connection)
        assert said.startswith(b"HTTP/1.0 400 "), "which is the last that is said"
        assert said.count(b"HTTP/1") == 1
        assert b"headers must come within 0.3 s" in said


async def test_headers_that_stop_in_the_middle(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        await connection.send("GET /health HTTP/1.1")
        assert (await connection.answer()).status == 200, "the first request was a good one"
        connection.writer.write(b"GET /hea")
        assert check_problem(await connection.answer(), 400)["code"] == "malformed"
        assert await ended(connection) == b""


async def test_line_breaks_are_no_request(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        assert (await drip(connection, b"\r\n")).startswith(b"HTTP/1.0 400 ")


async def test_headers_in_two_packets_are_fine(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        for _ in range(3):
            connection.writer.write(b"GET /health HTT")
            await connection.writer.drain()
            connection.writer.write(b"P/1.1\r\nHost: x\r\n\r\n")
            assert (await connection.answer()).status == 200


@pytest.mark.parametrize("framing", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
async def test_a_body_byte_by_byte(server: Server, framing: str) -> None:
    alice = server.client("alice")
    async with raw_connection(server.url) as connection:
        await connection.send(POST, bearer(alice), "Content-Type: application/json", framing)
        chunked = framing.endswith("chunked")
        said = await drip(connection, b"1\r\n \r\n" if chunked else b" ")
        assert said.startswith(b"HTTP/1.1 400 ")
        assert b"did not come in time" in said
        assert b"\r\nConnection: close\r\n" in said


async def test_a_chunk_extension_without_an_end(server: Server) -> None:
    """It is no part of the body, however much of it comes."""
    alice = server.client("alice")
    async with raw_connection(server.url) as connection:
        await connection.send(POST, bearer(alice), "Content-Type: application/json", "Transfer-Encoding: chunked")
        connection.writer.write(b"1;")
        assert (await drip(connection, b"x" * 1_000)).startswith(b"HTTP/1.1 400 ")


async def test_a_body_that_never_comes(server: Server) -> None:
    alice = server.client("alice")
    async with raw_connection(server.url) as connection:
        await connection.send(POST, bearer(alice), "Content-Type: application/json", "Content-Length: 10")
        assert "did not come in time" in check_problem(await connection.answer(), 400)["detail"]
        assert await ended(connection) == b""


async def test_a_body_that_keeps_coming_has_its_time_in_all(server: Server) -> None:
    """Enough in every step, and still too slow."""
    alice = server.client("alice")
    async with raw_connection(server.url) as connection:
        await connection.send(POST, bearer(alice), "Content-Type: application/json", "Content-Length: 500000")
        assert b"did not come in time" in await drip(connection, b" " * limits.BODY_STEP_BYTES)


async def test_a_body_that_nobody_reads(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        await connection.send("POST /nope HTTP/1.1", "Content-Length: 1000000000")
        said = await drip(connection, b" " * 2_000)
        assert said.startswith(b"HTTP/1.1 404 ")
        assert said.count(b"HTTP/1.1") == 1


async def test_a_body_in_pieces_is_fine(server: Server) -> None:
    alice = server.client("alice")
    body = b'{"title":"In pieces"}'
    async with raw_connection(server.url) as connection:
        for _ in range(3):
            await connection.send(POST, bearer(alice), "Content-Type: application/json", f"Content-Length: {len(body)}")
            for index in range(len(body)):
                connection.writer.write(body[index : index + 1])
                await connection.writer.drain()
            assert (await connection.answer()).status == 201


async def test_an_answer_that_is_written_slowly_is_fine(server: Server) -> None:
    """A body that is read as it comes: an assistant may think for longer than any other body may take."""
    alice = server.client("alice")
    path = f"/api/v1/threads/{(await alice.thread())['id']}/messages:stream"
    headers = (bearer(alice), "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")
    async with raw_connection(server.url) as slow:
        await slow.send(f"POST {path} HTTP/1.1", *headers, body=b'f\r\n{"text":"One"}\n\r\n')
        assert (await slow.head()).status == 201
        for _ in range(3):  # as long as others are given in all
            async with raw_connection(server.url) as connection:
                await connection.send(POST, bearer(alice), "Content-Type: application/json", "Content-Length: 10")
                assert (await connection.answer()).status == 400
        slow.writer.write(b'f\r\n{"text":"Two"}\n\r\n0\r\n\r\n')
        async with asyncio.timeout(PATIENCE):
            assert b'"content":"OneTwo"' in await slow.reader.readuntil(b"0\r\n\r\n")


async def big_answer(server: Server) -> str:
    """A path whose answer is larger than what kernels take on their own."""
    alice = server.client("alice")
    thread = await alice.thread()
    for _ in range(60):
        await alice.say(thread, "x" * limits.CONTENT_BYTES)
    return f"/api/v1/threads/{thread['id']}/messages?limit=60"


@pytest.mark.parametrize("more", ["", "Connection: close\r\n"])
async def test_an_answer_that_nobody_takes(server: Server, more: str) -> None:
    path = await big_answer(server)
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\n{bearer(server.client('alice'))}\r\n{more}\r\n"
    async with small_connection(server.url) as connection:
        connection.writer.write(head.encode() * (1 if more else 20))
        await connection.reader.readuntil(b"\r\n\r\n")
        await cut(connection.writer)


async def test_answers_do_not_pile_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes nothing may ask as much as it likes: the next request waits for the answer before."""
    path = await big_answer(server)
    asked = []
    ask = SqliteReads.ask

    def counted(reads: SqliteReads, query: Query[Any]) -> Any:
        if isinstance(query, ListMessages):
            asked.append(query)
        return ask(reads, query)

    monkeypatch.setattr(SqliteReads, "ask", counted)
    async with small_connection(server.url) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\n{bearer(server.client('alice'))}\r\n\r\n"
        connection.writer.write(head.encode() * 30)
        await connection.reader.readuntil(b"\r\n\r\n")
        await cut(connection.writer)
    assert len(asked) <= 5, "each answer is 4 MB, and kernels take two or three"


async def test_an_answer_that_is_taken_slowly_is_fine(server: Server, timeouts: RequestTimeouts[Connection]) -> None:
    """As long as enough is taken between two looks."""
    path = await big_answer(server)
    async with raw_connection(server.url) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\n{bearer(server.client('alice'))}\r\n\r\n"
        connection.writer.write(head.encode() * 20)
        await until(lambda: len(timeouts.answers), "a reader that is too slow")
        slow = next(iter(timeouts.answers._until))
        wire = slow._wire = Wire(slow._unsent)  # type: ignore[assignment]
        for taken in (limits.ANSWER_STEP_BYTES, 5 * limits.ANSWER_STEP_BYTES, limits.ANSWER_STEP_BYTES):
            wire.unsent -= taken
            slow.answer_step_is_over()
            assert not wire.is_cut
        wire.unsent -= limits.ANSWER_STEP_BYTES - 1
        slow.answer_step_is_over()
        assert wire.is_cut


class Wire:
    """A transport whose reader takes as much as the test says."""

    def __init__(self, unsent: int) -> None:
        self.unsent = unsent
        self.is_cut = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.is_cut

    def abort(self) -> None:
        self.is_cut = True


async def cut(writer: asyncio.StreamWriter) -> None:
    """Wait until the server has cut the connection, without reading a byte of it: TCP tells who sends."""

    def is_cut() -> bool:
        writer.write(b"x")
        return writer.transport.is_closing()

    await until(is_cut, "the end of the connection", PATIENCE)
