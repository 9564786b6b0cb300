"""Frames that are none: each ends its own connection with the right code, and nothing else."""

import asyncio
import json
import random
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from tests.raw_socket import BINARY, CLOSE, PING, frame, raw_socket
from tests.realtime_client import RawClient
from tests.server.one_server import alice, dial, server
from tests.server.realtime.conftest import Dial
from tests.server.realtime.waiting import connections, until
from tests.serving import Client, Server

__all__ = ["alice", "dial", "server"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def client(dial: Dial, alice: Client) -> RawClient:
    return await dial(alice)


@pytest.mark.parametrize(
    "text",
    [
        "x", "{", "[]", "5", "null", '"text"', '{"id":1', "{'id':1}", '{"id":1,"ping":{}}x', "\x00", "{}\n[]", " ",
        '[{"id":1,"ping":{}}]', '{"id":1,"ping":{}},{"id":2,"ping":{}}', "NaN", '{"id":1,"rpc":{"data":NaN}}',
        '{"id":1,"rpc":{"method":"\\ud800"}}', "[" * 30_000, '{"a":' * 10_000, '{"id":1,"ping":{}}\r\nx',
    ],
)  # fmt: skip
async def test_what_is_not_json_objects(client: RawClient, text: str) -> None:
    await client.socket.send_str(text)
    end = await client.closed()
    assert end.code == 3501
    assert end.reason.startswith("bad request")


@pytest.mark.parametrize("number", [None, 0, -1, 2**32, 2**63, 2**64, 10**40, 1.5, "1", True, [], {}])
async def test_ids_that_are_none(client: RawClient, number: Any) -> None:
    command = {"id": number, "ping": {}}
    await client.send(command)
    assert (await client.closed()).code == 3501


async def test_no_id(client: RawClient) -> None:
    await client.send({"ping": {}})
    assert (await client.closed()).code == 3501


async def test_the_largest_id_and_one_that_comes_twice(client: RawClient) -> None:
    number = 2**32 - 1
    await client.send({"id": number, "ping": {}}, {"id": number, "ping": {}})
    assert [await client.reply(number) for _ in range(2)] == [{"id": number, "ping": {}}] * 2


async def test_what_stands_before_the_bad_line_is_answered(client: RawClient) -> None:
    await client.socket.send_str('{"id":5,"ping":{}}\n\n{}\nx\n{"id":6,"ping":{}}')
    assert (await client.reply(5))["ping"] == {}
    assert (await client.closed()).code == 3501
    assert client.inbox == []


async def test_two_verbs_are_one_command(client: RawClient) -> None:
    await client.send({"id": 5, "ping": {}, "rpc": {"method": "get_me"}})
    assert "ping" in await client.reply(5)
    assert (await client.ask("ping"))["ping"] == {}
    assert client.inbox == []


async def test_a_binary_frame(client: RawClient) -> None:
    await client.socket.send_bytes(b'{"id":5,"ping":{}}')
    assert (await client.closed()).code == 3501
    assert client.inbox == []


# Sizes


def sized(size: int, char: str = "x") -> str:
    """A command of exactly so many bytes."""
    bare = '{"id":5,"rpc":{"method":"get_me","data":{"nonsense":""}}}'
    left = size - len(bare)
    width = len(char.encode())
    return bare.replace('""', '"' + char * (left // width) + "x" * (left % width) + '"')


@pytest.mark.parametrize("char", ["x", "€", "𝄞"])
async def test_the_largest_frame(client: RawClient, char: str) -> None:
    await client.socket.send_str(sized(65_536, char))
    assert (await client.reply(5))["error"]["code"] == 107
    assert (await client.ask("ping"))["ping"] == {}


@pytest.mark.parametrize("char", ["x", "€", "𝄞"])
@pytest.mark.parametrize("size", [65_537, 100_000, 262_000])
async def test_a_frame_that_is_too_large(client: RawClient, size: int, char: str) -> None:
    """Told in words first: the SDK shows the error of the command, and why the connection closed."""
    await client.socket.send_str(sized(size, char))
    answer = await client.reply(5)
    assert answer["error"] == {
        "code": 106, "message": f"limit exceeded: a frame has at most 65536 bytes, {size} came",
    }  # fmt: skip
    assert (await client.closed()).code == 3501


async def test_a_frame_that_is_too_large_and_no_command(client: RawClient) -> None:
    await client.socket.send_str("x" * 70_000)
    assert (await client.closed()).code == 3501
    assert client.inbox == []


@pytest.mark.parametrize("size", [262_145, 5_000_000])
async def test_a_frame_that_is_absurd(server: Server, alice: Client, size: int) -> None:
    async with raw_socket(server.url) as socket:
        await socket.command(1, "connect", token=alice.token)
        assert b'"connect"' in (await socket.frame())[1]
        await socket.send(frame(b"x" * 100, final=False))
        asyncio.ensure_future(socket.send(frame(b"y" * size, opcode=0))).add_done_callback(
            lambda done: done.exception()
        )
        assert await socket.close_code() == 1009
        await socket.gone()
    assert (await alice.get("/health")).data["connections"] == 0


async def test_much_after_the_last_word(server: Server, alice: Client) -> None:
    """A peer that goes on sending still gets the code: closing over unread input would be a reset."""
    for _ in range(20):
        async with raw_socket(server.url) as socket:
            await socket.send(frame(orjson.dumps({"id": 1, "connect": {"token": alice.token}})))
            await socket.frame()
            flood = frame(b"[]") + frame(b'{"id":1,"ping":{}}' + b" " * 60_000) * 50
            sending = asyncio.create_task(socket.send(flood))
            assert await socket.close_code() == 3501
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


# Broken off, and broken


@pytest.mark.parametrize("length", [1, 2, 3, 6, 7, 40])
async def test_half_a_frame(server: Server, alice: Client, length: int) -> None:
    whole = frame(orjson.dumps({"id": 1, "connect": {"token": alice.token}}))
    async with raw_socket(server.url) as socket:
        await socket.send(whole[:length])
        await until(lambda: connections(server) == 1)
    await until(lambda: connections(server) == 0)


async def test_a_command_in_many_fragments(server: Server, alice: Client) -> None:
    thread = await alice.thread()
    words = orjson.dumps({"id": 1, "connect": {"token": alice.token}})
    words += b"\n" + orjson.dumps({"id": 2, "subscribe": {"channel": f"thread:{thread['id']}"}})
    async with raw_socket(server.url) as socket:
        for start in range(0, len(words), 100):
            piece = words[start : start + 100]
            last = start + 100 >= len(words)
            await socket.send(frame(piece, opcode=0 if start else 1, final=last))
            await socket.send(frame(b"are you there", opcode=PING))
        said = b""
        while b'"subscribe"' not in said:
            opcode, payload = await socket.frame()
            said += payload if opcode == 1 else b""
        assert b'"error"' not in said


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b'{"id":1,"connect":{"token":"\xff\xfe"}}'), 1007),
        (frame(b"\xc3", final=False) + frame(b"\x28", opcode=0), 1007),
        (frame(b"{}", opcode=0x3), 1002),
        (frame(b"{}", rsv=4), 1002),
        (frame(b"{}", opcode=PING, final=False), 1002),
        (frame(b"x" * 126, opcode=PING), 1002),
        (frame(b"{}", final=False) + frame(b"{}"), 1002),
        (frame(b"\x03", opcode=CLOSE), 1002),
        (frame(b"\x00\x01", opcode=CLOSE), 1002),
    ],
    ids=lambda given: given if isinstance(given, int) else "data",  # a mask is random, and a test's name is not
)
async def test_what_breaks_the_rules_of_websockets(server: Server, data: bytes, code: int) -> None:
    async with raw_socket(server.url) as socket:
        await socket.send(data)
        assert await socket.close_code() == code
        await socket.gone()
    await until(lambda: connections(server) == 0)


async def test_an_orderly_goodbye(server: Server, alice: Client) -> None:
    async with raw_socket(server.url) as socket:
        await socket.send(frame(b"\x03\xe8bye", opcode=CLOSE))
        assert await socket.close_code() == 1000
        await socket.gone()
    await until(lambda: connections(server) == 0)


async def test_noise(server: Server, alice: Client) -> None:
    """Random bytes as frames, and random commands: answered or closed, never a defect."""
    chance = random.Random(20261123)
    words: list[Any] = [
        "connect", "subscribe", "rpc", "publish", "history", "refresh", "id", "method", "data", "channel", "since",
        "epoch", "offset", "recover", "flag", "limit", "reverse", "token", "get_me", "create_message", 0, 1, -1, 2**64,
        1.5, True, None, "", "thread:x", [], {},
    ]  # fmt: skip

    def value(depth: int) -> Any:
        if depth and chance.random() < 0.5:
            return {str(chance.choice(words)): value(depth - 1) for _ in range(chance.randint(0, 4))}
        return [value(depth - 1)] if depth and chance.random() < 0.1 else chance.choice(words)

    for _ in range(40):
        async with raw_socket(server.url) as socket:
            await socket.send(frame(orjson.dumps({"id": 1, "connect": {"token": alice.token}})))
            await socket.frame()
            for _ in range(10):
                if chance.random() < 0.1:
                    await socket.send(
                        frame(chance.randbytes(chance.randint(0, 300)), opcode=chance.choice((1, BINARY)))
                    )
                command = {"id": 2, chance.choice(words[:6]): {str(chance.choice(words)): value(3) for _ in range(6)}}
                await socket.send(frame(json.dumps(command).encode()))
    assert (await alice.get("/health")).status == 200


@pytest.mark.parametrize("path", ["/connection/websocket", "/api/v1/ws"])
async def test_both_addresses(server: Server, alice: Client, path: str) -> None:
    async with server.session.ws_connect(server.url + path) as socket:
        await socket.send_str('{"id":1,"connect":{}}')
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 3500


async def test_a_request_that_is_no_upgrade(alice: Client) -> None:
    answer = await alice.get("/connection/websocket")
    assert answer.status == 400
    assert answer.error["code"] == "malformed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"Sec-WebSocket-Key": "short"}, {"Sec-WebSocket-Key": "no base64!"}, {"Sec-WebSocket-Version": "99"},
        {"Sec-WebSocket-Version": "x"}, {"Upgrade": "h2c"}, {"Connection": "close"},
    ],
)  # fmt: skip
async def test_handshakes_that_are_none(alice: Client, wrong: dict[str, str]) -> None:
    right = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    answer = await alice.get("/connection/websocket", right | wrong)
    assert (answer.status, answer.error["code"]) == (400, "malformed")


@pytest.mark.parametrize("protocols", [("centrifuge-json",), ("centrifuge-json", "other")])
async def test_the_json_form_asked_for_by_name(dial: Dial, alice: Client, protocols: tuple[str, ...]) -> None:
    client = await dial(alice, protocols=protocols)
    assert client.socket.protocol == "centrifuge-json"


@pytest.mark.parametrize(
    ("lines", "agreed"),
    [
        ([""], None),
        (["graphql-ws"], None),
        (["graphql-ws, , other"], None),
        (["other", "centrifuge-json"], "centrifuge-json"),
        (["other,centrifuge-protobuf"], "centrifuge-protobuf"),
        (["centrifuge-protobuf ,centrifuge-json"], "centrifuge-protobuf"),
        (["CENTRIFUGE-JSON"], None),
    ],
)
async def test_subprotocols(
    server: Server, alice: Client, caplog: pytest.LogCaptureFixture, lines: list[str], agreed: str | None
) -> None:
    """The first of ours is taken, wherever it stands; one of others is no news to the log."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    named = "".join(f"Sec-WebSocket-Protocol: {line}\r\n" for line in lines)
    writer.write(
        f"GET /connection/websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{named}"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.transport.abort()
    assert head.startswith("HTTP/1.1 101")
    answered = [line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-prot")]
    assert answered == ([agreed] if agreed else [])
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
