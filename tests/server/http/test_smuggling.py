"""Requests that two servers may read differently: refused and hung up on, so that nothing hides in what follows."""

import asyncio
import logging
import re

import pytest

from tests.server.one_server import alice, server
from tests.server.quiet import nothing_breaks, said_seldom
from tests.server.raw_http import PATIENCE, RawConnection, raw_connection
from tests.serving import Client, Server

__all__ = ["alice", "nothing_breaks", "server"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

HIDDEN = b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Correlation-ID: hidden\r\n\r\n"
CHUNKS = b"d\r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n"


async def everything(connection: RawConnection) -> bytes:
    """All that the server says until it hangs up."""
    async with asyncio.timeout(PATIENCE):
        return await connection.reader.read()


async def check_refused(server: Server, raw: bytes) -> None:
    """One answer, 400, and then nothing more."""
    async with raw_connection(server.url) as connection:
        connection.writer.write(raw)
        said = await everything(connection)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.split(b" ", 2)[1] == b"400", said
    assert b"application/problem+json" in head
    assert b"nosniff" in head
    assert b'"code":"malformed"' in body
    assert len(re.findall(rb"HTTP/1\.\d \d\d\d ", said)) == 1, "what is behind it is no request"
    assert b"hidden" not in said


def post(client: Client, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = [
        b"POST /api/v1/threads HTTP/" + version, b"Host: x", b"Authorization: Bearer " + client.token.encode(),
        b"Content-Type: application/json", *headers,
    ]  # fmt: skip
    return b"\r\n".join(lines) + b"\r\n\r\n"


LENGTHS = {
    "both": (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "both, the other way round": (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    "twice": (b"Content-Length: 13", b"Content-Length: 13"),
    "two": (b"Content-Length: 13", b"Content-Length: 0"),
    "a list": (b"Content-Length: 13, 13",),
    "with a sign": (b"Content-Length: +13",),
    "below nothing": (b"Content-Length: -1",),
    "hexadecimal": (b"Content-Length: 0xd",),
    "with a fraction": (b"Content-Length: 13.0",),
    "empty": (b"Content-Length: ",),
    "beyond every number": (b"Content-Length: 99999999999999999999999",),
    "a space before the colon": (b"Content-Length : 13",),
    "a vertical tab": (b"Content-Length: \x0b13",),
}


@pytest.mark.parametrize("case", LENGTHS)
async def test_lengths_that_are_none(server: Server, alice: Client, case: str) -> None:
    await check_refused(server, post(alice, *LENGTHS[case]) + b'{"title":"x"}' + HIDDEN)
    assert (await alice.get("/api/v1/threads")).data == []


ENCODINGS = [
    (b"Transfer-Encoding: xchunked",), (b"Transfer-Encoding: chunked, identity",),
    (b"Transfer-Encoding: identity, chunked",), (b"Transfer-Encoding: gzip, chunked",),
    (b"Transfer-Encoding: chunked, chunked",), (b"Transfer-Encoding: \x0bchunked",), (b"Transfer-Encoding: chunked;x",),
    (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), (b"Transfer-Encoding:\r\n chunked",),
    (b"Transfer-Encoding : chunked",), (b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
]  # fmt: skip


@pytest.mark.parametrize("headers", ENCODINGS)
async def test_encodings_that_are_none(server: Server, alice: Client, headers: tuple[bytes, ...]) -> None:
    await check_refused(server, post(alice, *headers) + CHUNKS + HIDDEN)
    assert (await alice.get("/api/v1/threads")).data == []


async def test_chunks_need_http_1_1(server: Server, alice: Client) -> None:
    await check_refused(server, post(alice, b"Transfer-Encoding: chunked", version=b"1.0") + CHUNKS + HIDDEN)


CHUNKED = {
    "a line feed after the size": b"d\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
    "a line feed after the data": b"d\r\n" + b'{"title":"x"}' + b"\n0\r\n\r\n",
    "a line feed in an extension": b"d;a\nb\r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
    "a size below nothing": b"-d\r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
    "a size with 0x": b"0xd\r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
    "a space after the size": b"d \r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
    "a size beyond every number": b"fffffffffffffffff\r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
    "more than its size": b"2\r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
    "no size": b"\r\n" + b'{"title":"x"}' + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("case", CHUNKED)
async def test_chunks_that_two_servers_read_differently(server: Server, alice: Client, case: str) -> None:
    await check_refused(server, post(alice, b"Transfer-Encoding: chunked") + CHUNKED[case] + HIDDEN)
    assert (await alice.get("/api/v1/threads")).data == []


LINES = {
    "line feeds alone": HIDDEN.replace(b"\r\n", b"\n"),
    "one of them alone": b"GET /health HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n",
    "the last alone": b"GET /health HTTP/1.1\r\nHost: x\r\n\n",
    "a carriage return alone": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\rX-B: c\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
    "a folded first header": b"GET /health HTTP/1.1\r\n X-A: b\r\nHost: x\r\n\r\n",
    "no name": b"GET /health HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
    "a space in a name": b"GET /health HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n",
    "nothing in a value": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: \x00\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/0.9, said": b"GET /health HTTP/0.9\r\nHost: x\r\n\r\n",
    "HTTP/2": b"GET /health HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": b"GET /health HTTP/1.2\r\nHost: x\r\n\r\n",
    "a small method": b"get /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in a path": b"GET /health x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a WebSocket of 2010": b"GET /health HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key1: x\r\n\r\n",
}


@pytest.mark.parametrize("case", LINES)
async def test_lines_that_are_none(server: Server, case: str) -> None:
    await check_refused(server, LINES[case] + HIDDEN)


async def test_what_hides_behind_a_good_request_is_refused_after_it(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        bad = HIDDEN.replace(b"hidden", b"second").replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")
        connection.writer.write(HIDDEN.replace(b"hidden", b"first") + bad + b"0\r\n\r\n" + HIDDEN)
        said = await everything(connection)
    assert re.findall(rb"HTTP/1\.\d (\d\d\d) ", said) == [b"200", b"400"]
    assert b"first" in said
    assert b"hidden" not in said


async def test_chunks_as_they_should_be(server: Server, alice: Client) -> None:
    for chunks in (CHUNKS, CHUNKS.replace(b"d\r\n", b"D;name=value\r\n"), b"1\r\n \r\n" + CHUNKS):
        async with raw_connection(server.url) as connection:
            connection.writer.write(post(alice, b"Transfer-Encoding: chunked") + chunks + HIDDEN)
            assert (await connection.answer()).status == 201
            assert (await connection.answer()).headers["X-Correlation-ID"] == "hidden", "the next request, in its place"


# How much of it


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([b"A: b"] * 98, 200), ([b"A: b"] * 102, 400),
        ([b"A: " + b"x" * 8_000] * 7, 200), ([b"A: " + b"x" * 8_000] * 9, 400), ([b"A: " + b"x" * 8_000] * 60, 400),
        ([b"A: " + b"x" * 8_180], 200), ([b"A: " + b"x" * 8_200], 400), ([b"A" * 9_000 + b": x"], 400),
    ],
)  # fmt: skip
async def test_how_much_headers_may_be(server: Server, headers: list[bytes], status: int) -> None:
    async with raw_connection(server.url) as connection:
        connection.writer.write(b"\r\n".join([b"GET /health HTTP/1.1", b"Host: x", *headers]) + b"\r\n\r\n")
        assert (await connection.answer()).status == status


async def test_headers_that_never_end(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        connection.writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n" + (b"A: " + b"x" * 8_000 + b"\r\n") * 9)
        answer = await connection.answer()
        assert answer.status == 400
        assert "65536 bytes" in answer.error["detail"]


async def test_trailers_that_never_end(server: Server, alice: Client) -> None:
    trailers = CHUNKS[:-2] + b"A: b\r\n" * 500
    await check_refused(server, post(alice, b"Transfer-Encoding: chunked") + trailers)


async def test_a_thousand_requests_at_once_are_answered_in_order(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        connection.writer.write(b"".join(HIDDEN.replace(b"hidden", b"n%d" % number) for number in range(1_000)))
        for number in range(1_000):
            assert (await connection.answer()).headers["X-Correlation-ID"] == f"n{number}"


# Expect, CONNECT, Upgrade


@pytest.mark.parametrize("path", ["/health", "/nope", "/api/v1/threads"])
async def test_expectations_that_nobody_meets(server: Server, path: str) -> None:
    async with raw_connection(server.url) as connection:
        for _ in range(2):
            answer = await connection.ask(f"GET {path} HTTP/1.1", "Expect: nonsense", "X-Correlation-ID: e1")
            assert answer.status == 400
            assert answer.error["code"] == "malformed"
            assert answer.headers["X-Correlation-ID"] == answer.error["trace_id"] == "e1"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_no_tunnels(server: Server) -> None:
    async with raw_connection(server.url) as connection:
        answer = await connection.ask("CONNECT example.com:443 HTTP/1.1")
        assert answer.status in (404, 405)
        assert answer.error["code"] in ("not_found", "method_not_allowed")


async def test_other_protocols_are_not_switched_to(server: Server) -> None:
    for headers in (
        ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
        ["Connection: Upgrade", "Upgrade: websocket"], ["Connection: Upgrade", "Upgrade: TLS/1.0"],
    ):  # fmt: skip
        async with raw_connection(server.url) as connection:
            assert (await connection.ask("GET /health HTTP/1.1", *headers)).status == 200
            assert (await connection.ask("GET /health HTTP/1.1")).status == 200


async def test_garbage_is_no_news_about_us(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for an operator who wants to see it, and no traceback."""
    said_seldom(monkeypatch)
    with caplog.at_level(logging.INFO):
        await check_refused(server, LINES["two hosts"])
    told = [record for record in caplog.records if "not HTTP" in record.getMessage()]
    assert len(told) == 1
    assert told[0].exc_info is None
