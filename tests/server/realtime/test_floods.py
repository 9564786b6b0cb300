"""Frames that nobody needs, of every kind: each counts, so who sends many of them is cut, and is not read any more."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import limits
from server.realtime.protocol.frame_gate import FrameCounter
from server.realtime.protocol.intake import Intake
from server.realtime.session.session import Session
from tests.carriers import StreamClient, carrier_of
from tests.forms import JSON, PROTOBUF
from tests.raw_socket import BINARY, CLOSE, PING, TEXT, RawSocket, frame, raw_socket
from tests.server.realtime.waiting import nothing_is_left
from tests.serving import Server, serving
from tests.tokens import token

PONG, CONTINUATION = 0xA, 0x0
KINDS = {
    "pongs of the protocol": frame(b"{}"),
    "empty text": frame(b""),
    "pings": frame(b"", opcode=PING),
    "large pings": frame(b"x" * 125, opcode=PING),
    "pongs": frame(b"", opcode=PONG),
    "lines of nothing": frame(b"\n" * 40),
    "lines of pongs": frame(b"\n".join([b"{}"] * 40)),
    "a frame of newlines": frame(b"\n" * 60_000),
    "sends": frame(b'{"send":{}}'),
    "many sends in a frame": frame(b"\n".join([b'{"send":{}}'] * 4_000)),
}
FRAGMENTS = frame(b"", opcode=CONTINUATION, final=False)


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", RATE_LIMITS="on") as server:
        yield server


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the frames that reached a session."""
    sizes: list[int] = []
    receive = Session.receive

    def counted(session: Session, data: str | bytes) -> None:
        sizes.append(len(data))
        receive(session, data)

    monkeypatch.setattr(Session, "receive", counted)
    return sizes


async def flood(socket: RawSocket, data: bytes, count: int = 20_000) -> int:
    """Send it again and again, as fast as it goes; answers with what code the server closed."""

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            for _ in range(count * len(data) // 60_000 + 1):
                await socket.send(data * (60_000 // len(data) + 1))

    sending = asyncio.create_task(send())
    code = await socket.close_code()
    async with asyncio.timeout(1.0):  # until the socket is cut
        await socket.gone()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return code


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("address", ["", "?format=protobuf"])
async def test_a_stranger(server: Server, received: list[int], kind: str, address: str) -> None:
    """Also where limits are off: next to nothing is allowed before connect."""
    async with raw_socket(server.url, f"/connection/websocket{address}") as socket:
        assert await flood(socket, KINDS[kind]) == 3501
    assert len(received) <= limits.FRAMES_BEFORE_CONNECT
    await nothing_is_left(server)


async def test_a_stranger_in_fragments(server: Server, received: list[int]) -> None:
    async with raw_socket(server.url) as socket:
        await socket.send(frame(b"", opcode=TEXT, final=False))
        assert await flood(socket, FRAGMENTS) == 3501
    assert received == []


@pytest.mark.parametrize("data", [b"\0", b"\0" * 1_000, b"\2\x08\1"])
async def test_a_stranger_in_protobuf(server: Server, received: list[int], data: bytes) -> None:
    async with raw_socket(server.url, "/connection/websocket?format=protobuf") as socket:
        assert await flood(socket, frame(data, opcode=BINARY)) == 3501
    assert len(received) <= limits.FRAMES_BEFORE_CONNECT


async def test_a_stranger_with_much_in_few_frames(server: Server, received: list[int]) -> None:
    async with raw_socket(server.url) as socket:
        assert await flood(socket, frame(b'{"id":1,"x":"%b"}' % (b"x" * 50_000))) == 3501
    assert sum(received) <= limits.BYTES_BEFORE_CONNECT


async def test_while_connect_is_judged(server: Server) -> None:
    """What a stranger lets wait is bounded in bytes, too."""
    connect = frame(orjson.dumps({"id": 1, "connect": {"token": token("stranger")}}))
    padded = frame(orjson.dumps({"id": 2, "rpc": {"method": "get_me", "data": {"x": "x" * 20_000}}}))
    async with raw_socket(server.url) as socket:
        await socket.send(connect + padded * 10)
        assert await socket.close_code() == 3501


async def test_what_comes_with_the_handshake(server: Server, received: list[int]) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    handshake = (
        f"GET /connection/websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    writer.write(handshake + frame(b"{}") * 5_000)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    assert await RawSocket(reader, writer).close_code() == 3501
    writer.transport.abort()
    assert received == []


@pytest.mark.parametrize("kind", KINDS)
async def test_somebody_known(limited: Server, received: list[int], kind: str) -> None:
    async with raw_socket(limited.url) as socket:
        await socket.command(1, "connect", token=token("alice"))
        assert b'"connect"' in (await socket.frame())[1]
        assert await flood(socket, KINDS[kind], 50_000) == 3013
    assert len(received) <= limits.INTAKE_ITEMS
    await nothing_is_left(limited)


async def test_somebody_known_in_fragments(limited: Server) -> None:
    async with raw_socket(limited.url) as socket:
        await socket.command(1, "connect", token=token("alice"))
        await socket.frame()
        await socket.send(frame(b"", opcode=TEXT, final=False))
        assert await flood(socket, FRAGMENTS) == 3013


async def test_somebody_known_by_requests(limited: Server) -> None:
    """A request beside a stream is a frame like any other."""
    for form, nothing in ((JSON, "\n" * 100), (PROTOBUF, b"\0" * 100)):
        carrier = "http_stream" if form is JSON else "http_stream in Protobuf"
        async with carrier_of(limited.session, limited.url, carrier) as open_:
            client = await open_(token("alice"))
            assert isinstance(client, StreamClient)
            for _ in range(limits.INTAKE_ITEMS // 100 + 1):
                await client.emulate(nothing)
            assert (await client.closed()).code == 3013


async def test_after_the_goodbye(server: Server, received: list[int]) -> None:
    """Whatever a connection was closed for: what comes afterwards is not looked at."""
    async with raw_socket(server.url) as socket:
        await socket.command(1, "connect", token="no token")
        assert await socket.close_code() == 3500
        seen = len(received)
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                await socket.send(frame(b"{}") * 1_000)
        await socket.gone()
    assert len(received) - seen <= 2 * limits.FRAMES_BEFORE_CONNECT


async def test_a_window_later_it_goes_on(limited: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INTAKE_SECONDS", 0.0)
    async with raw_socket(limited.url) as socket:
        await socket.command(1, "connect", token=token("alice"))
        await socket.frame()
        for _ in range(3):
            await socket.send(frame(b"{}") * 700)
            await socket.send(frame(b"", opcode=PING))
            opcode = 0
            while opcode != PONG:
                opcode, _ = await socket.frame()
                assert opcode != CLOSE


@given(st.lists(st.tuples(st.binary(max_size=300), st.booleans()), max_size=30), st.integers(0, 2**32))
def test_frames_are_counted_however_they_are_cut(sent: list[tuple[bytes, bool]], seed: int) -> None:
    stream = b"".join(frame(payload, masked=masked) for payload, masked in sent)
    counter, found, start = FrameCounter(), 0, 0
    cuts = os.urandom(1) + seed.to_bytes(5, "big")
    while start < len(stream):
        size = 1 + cuts[start % len(cuts)] % 40
        found += counter.count(stream[start : start + size], 1_000)
        start += size
    assert found == len(sent)


def test_the_count_is_given_up_where_there_are_too_many() -> None:
    assert FrameCounter().count(frame(b"") * 1_000, 10) == 11


def test_limits_that_are_off_hold_for_strangers_and_at_the_end() -> None:
    intake = Intake()
    assert intake.take(limits.FRAMES_BEFORE_CONNECT)
    assert not intake.take(1)
    intake.welcome(limited=False)
    assert intake.take(10**6, 10**9)
    intake.end()
    assert not intake.take(limits.FRAMES_BEFORE_CONNECT + 1)
