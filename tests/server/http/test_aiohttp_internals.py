"""The private parts of aiohttp that the server uses exist and behave: the first tests to run with a new version."""

import ast
import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from packaging.requirements import Requirement
from packaging.version import Version

from server.http import aiohttp_internals
from server.http.aiohttp_internals import (
    EMPTY_PAYLOAD,
    GO_ON,
    NegotiatedWebSocket,
    RequestProtocol,
    UnreadableRequest,
    bytes_written,
    cookies_of_header,
    writes_chunks,
)
from tests.builders import until

ROOT = Path(__file__).parents[3]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


class Served:
    """One client, and the protocol that serves it."""

    protocol: RequestProtocol

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def head(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)


@asynccontextmanager
async def served(handler: Callable[[web.BaseRequest], Any]) -> AsyncIterator[Served]:
    loop, made = asyncio.get_running_loop(), []
    manager = web.Server(handler)  # type: ignore[arg-type]

    def protocol() -> RequestProtocol:
        made.append(RequestProtocol(manager, loop=loop))
        return made[-1]

    listening = await loop.create_server(protocol, "127.0.0.1", 0)
    client = Served(*await asyncio.open_connection(*listening.sockets[0].getsockname()))
    try:
        await until(lambda: bool(made))
        client.protocol = made[0]
        yield client
    finally:
        client.writer.close()
        listening.close()
        await manager.shutdown(1)


async def ok(_: web.BaseRequest) -> web.Response:
    return web.Response(text="ok")


def test_the_installed_version_is_one_that_pyproject_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = next(r for r in map(Requirement, project["dependencies"]) if r.name == "aiohttp")
    installed = Version(version("aiohttp"))
    assert wanted.specifier.contains(installed)
    assert not wanted.specifier.contains(f"{installed.major}.{installed.minor + 1}.0"), "private parts move in a minor"
    assert not wanted.specifier.contains("3.14.3"), "has no _buffer_paused"


def test_no_other_module_uses_a_private_part() -> None:
    private = {name for kind in (web.RequestHandler, web.WebSocketResponse, web.Request) for name in _private(kind)}
    found = []
    for path in (ROOT / "server").rglob("*.py"):
        tree = ast.parse(path.read_text())
        if path == Path(aiohttp_internals.__file__) or path.name.endswith("_pb2.py"):
            continue
        own = {name for node in ast.walk(tree) for name in _defined_by(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aiohttp":
                names = [*node.module.split("."), *(alias.name for alias in node.names)]  # type: ignore[union-attr]
                found += [(path.name, name) for name in names if name.startswith("_") or name == "EMPTY_PAYLOAD"]
            if isinstance(node, ast.Attribute) and node.attr in private - own and not node.attr.startswith("__"):
                found.append((path.name, node.attr))
    assert found == []


def test_a_connection_keeps_no_field_under_a_private_name_of_aiohttp() -> None:
    from server.http.connections.connection import Connection

    assert not set(Connection.__slots__) & _private(web.RequestHandler)


def _private(kind: type) -> set[str]:
    return {name for base in kind.__mro__[:-1] for name in vars(base) if name[0] == "_" and name[:2] != "__"}


def _defined_by(node: ast.AST) -> set[str]:
    """Names that a class of this file gives to its own fields and methods."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
            return {name}
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name}
    return set()


async def test_states_from_the_first_byte_to_the_next_request() -> None:
    may_answer = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        await may_answer.wait()
        return await ok(request)

    async with served(handler) as client:
        protocol = client.protocol
        assert (protocol.requests_parsed, protocol.is_handling, list(protocol.pending)) == (0, False, [])
        assert not any((protocol.is_upgraded, protocol.is_closing, protocol.is_force_closed))
        client.writer.write(POST)
        await until(lambda: protocol.is_handling)
        assert protocol.requests_parsed == 1
        client.writer.write(b"abcd" + GET)
        await until(lambda: protocol.requests_parsed == 2)
        request, body = protocol.pending[0]
        assert (request.method, body.is_eof(), body is EMPTY_PAYLOAD) == ("GET", True, True)
        may_answer.set()
        assert (await client.head()).startswith(b"HTTP/1.1 200")
        await client.reader.readexactly(2)
        assert (await client.head()).startswith(b"HTTP/1.1 200")
        await until(lambda: not protocol.is_handling)
        now = asyncio.get_running_loop().time()
        assert abs(protocol.loop_time() - now) < 1
        assert protocol.keepalive_ends_at > now
        protocol.close()
        assert protocol.is_closing
        protocol.force_close()
        assert protocol.is_force_closed


@pytest.mark.parametrize("is_waiting", [True, False])
async def test_what_is_added_as_unreadable_is_answered_with_400(is_waiting: bool) -> None:
    began, may_answer = asyncio.Event(), asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.Response:
        began.set()
        await may_answer.wait()
        return await ok(request)

    async with served(handler) as client:
        if not is_waiting:
            client.writer.write(GET)
            await began.wait()
        client.protocol.add_unreadable("no such thing")
        assert isinstance(client.protocol.pending[-1][0], UnreadableRequest)
        may_answer.set()
        if not is_waiting:
            await client.head()
            await client.reader.readexactly(2)
        assert (await client.head()).startswith(b"HTTP/1.0 400")


async def test_what_is_no_http_stands_among_the_pending_ones() -> None:
    async with served(ok) as client:
        client.protocol.data_received(b"\x00\x01\r\n\r\n")
        assert isinstance(client.protocol.pending[0][0], UnreadableRequest)
        assert client.protocol.requests_parsed == 1
        assert (await client.head()).startswith(b"HTTP/1.0 400")


async def test_reading_stops_for_good() -> None:
    async with served(ok) as client:
        assert not any((client.protocol.is_queue_full, client.protocol.is_reading_paused))
        client.protocol.stop_reading()
        assert client.protocol.is_queue_full
        assert client.protocol.is_reading_paused
        assert client.protocol.transport is not None
        assert not client.protocol.transport.is_reading()


async def test_a_body_whose_reader_is_slow_pauses_reading_though_no_queue_is_full() -> None:
    may_read = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.Response:
        await may_read.wait()
        return web.Response(text=str(len(await request.read())))

    async with served(handler) as client:
        client.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + bytes(1_000_000))
        await until(lambda: client.protocol.is_reading_paused)
        assert not client.protocol.is_queue_full
        may_read.set()
        await client.head()
        assert await client.reader.readexactly(7) == b"1000000"


async def test_a_websocket_agrees_on_what_was_chosen_from_all_lines(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[list[str]] = []

    def choose(lines: Any) -> str | None:
        seen.append(list(lines))
        return "b"

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        socket = NegotiatedWebSocket(choose)
        await socket.prepare(request)
        assert socket.ws_protocol == "b"
        await socket.receive()
        return socket

    async with served(handler) as client:
        client.writer.write(UPGRADE + b"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\r\n")
        head = await client.head()
        assert b"101 Switching" in head
        assert head.count(b"Sec-WebSocket-Protocol: b\r\n") == head.count(b"Sec-WebSocket-Protocol") == 1
        assert seen == [["a", "b"]]
        assert client.protocol.is_upgraded
        assert not caplog.records


async def test_a_gate_in_front_of_the_frame_parser_gets_all_bytes_and_answers_as_it_does() -> None:
    fed: list[bytes] = []

    class Gated(RequestProtocol):
        def set_parser(self, parser: Any, data_received_cb: Callable[[], None] | None = None) -> None:
            outer = parser.feed_data

            class Gate:
                def feed_data(self, data: bytes) -> tuple[bool, bytes]:
                    fed.append(data)
                    answer: tuple[bool, bytes] = outer(data)
                    assert answer == GO_ON
                    return answer

                feed_eof = parser.feed_eof

            gate: Any = Gate()
            super().set_parser(gate, data_received_cb)

    got: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        got.append(await socket.receive_str())
        return socket

    loop, manager = asyncio.get_running_loop(), web.Server(handler)  # type: ignore[arg-type]
    listening = await loop.create_server(lambda: Gated(manager, loop=loop), "127.0.0.1", 0)
    client = Served(*await asyncio.open_connection(*listening.sockets[0].getsockname()))
    client.writer.write(UPGRADE + b"\r\n")
    await client.head()
    frame = b"\x81\x82\0\0\0\0hi"
    client.writer.write(frame)
    await until(lambda: bool(got))
    assert (b"".join(fed), got) == (frame, ["hi"])
    client.writer.close()
    listening.close()
    await manager.shutdown(1)


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_a_writer_says_whether_it_writes_chunks(is_chunked: bool) -> None:
    seen: list[bool] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={} if is_chunked else {"Content-Length": "0"})
        if is_chunked:
            response.enable_chunked_encoding()
        writer = await response.prepare(request)
        assert isinstance(writer, AbstractStreamWriter)
        seen.append(writes_chunks(writer))
        return response

    async with served(handler) as client:
        client.writer.write(GET)
        await client.head()
        assert seen == [is_chunked]


async def test_bytes_of_a_response_are_counted_once_it_is_prepared() -> None:
    seen: list[int] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5"})
        seen.append(bytes_written(response))
        await response.prepare(request)
        before = bytes_written(response)
        await response.write(b"hello")
        seen.append(bytes_written(response) - before)
        return response

    async with served(handler) as client:
        client.writer.write(GET)
        await client.head()
        await until(lambda: len(seen) == 2)
        assert seen[0] == 0
        assert seen[1] >= 5


def test_cookies_of_a_header_are_read_by_name() -> None:
    assert cookies_of_header('a=1; b="2"; a=3; c') == {"a": "3", "b": "2", "c": ""}
