"""What is published to a live channel comes out as it went in: the same bytes in Protobuf, the same value in JSON."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from centrifuge.protocol import client_pb2 as official

from server.realtime.protocol import raw_json
from server.realtime.protocol.live_data import as_json
from tests.carriers import SocketClient, carrier_of
from tests.forms import PROTOBUF, delimited
from tests.realtime_client import RawClient
from tests.serving import Client, Server, serving
from tests.tokens import token

CHANNEL = "cursor:a"
TEXTS = [
    '{"input": "a b"}',
    "12345678901234567890123",
    "-0",
    "1.10",
    "1e5",
    "0.1000000000000000055511151231257827",
    "[ 1 ,\t2 ]",
    '{"b": 1, "a": {"d" : [], "c":null}}',
    '{"a": 1, "a": 2}',
    r'"é \u2028 \/ \ud83d\ude00"',
    '"é 😀 ﾊﾛｰ प्रिया"',
    "[" * 100 + "]" * 100,
    "9" * 300,
    "null",
    "true",
    '""',
]
BINARY = [b"\x00\xff", b"\xff\xfe", b"not JSON", b"{", b"", bytes(range(256)), b'{"a": 1} x', b"NaN"]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", LIVE_CHANNELS="cursor:*") as running:
        yield running


class Both:
    """A subscriber of each form, that see the bytes of their frames."""

    def __init__(self, text: SocketClient, binary: SocketClient) -> None:
        self.text = text
        self.binary = binary

    async def data(self) -> tuple[str, bytes]:
        """Of the next publication: its text in the JSON form, its bytes in Protobuf."""
        return await self._text(), await self._bytes()

    async def _text(self) -> str:
        while True:
            frame = (await self.text.socket.receive()).data
            for line in frame.split("\n"):
                if '"pub"' in line:
                    return raw_json.member(line, "push", "pub", "data")

    async def _bytes(self) -> bytes:
        while True:
            frame = (await self.binary.socket.receive()).data
            size, start = frame[0], 1
            if size & 0x80:
                size, start = size & 0x7F | frame[1] << 7, 2
            reply = official.Reply.FromString(frame[start : start + size])
            if reply.push.channel == CHANNEL and reply.push.HasField("pub"):
                data: bytes = reply.push.pub.data
                return data


@pytest.fixture
async def both(server: Server) -> AsyncIterator[Both]:
    async with AsyncExitStack() as stack:
        found = []
        for carrier in ("websocket", "websocket in Protobuf"):
            open_ = await stack.enter_async_context(carrier_of(server.session, server.url, carrier))
            client = await open_(token("reader"))
            assert "error" not in await client.ask("subscribe", channel=CHANNEL)
            found.append(client)
        yield Both(*found)


async def publish_text(client: RawClient, text: str) -> None:
    publish = f'{{"channel":"{CHANNEL}", "da\\u0074a" :  {text}  }}'
    await client.socket.send_str(f'{{ "id": 7 ,"publish" : {publish} , "other": {{"data": 0}}}}')
    assert "error" not in await client.reply(7)


async def publish_bytes(client: RawClient, data: bytes) -> None:
    command = official.Command(id=7, publish=official.PublishRequest(channel=CHANNEL, data=data))
    await client.socket.send_bytes(delimited(command.SerializeToString()))
    assert "error" not in await client.reply(7)


@pytest.fixture
async def writers(server: Server) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:
        text = await stack.enter_async_context(carrier_of(server.session, server.url, "websocket"))
        binary = await stack.enter_async_context(carrier_of(server.session, server.url, "websocket in Protobuf"))
        yield await text(token("writer")), await binary(token("writer"))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:20])
async def test_json(both: Both, writers: Any, text: str) -> None:
    await publish_text(writers[0], text)
    assert await both.data() == (text, text.encode())
    await publish_bytes(writers[1], text.encode())
    assert await both.data() == (text, text.encode())


@pytest.mark.parametrize("data", BINARY)
async def test_what_is_no_json(both: Both, writers: Any, data: bytes) -> None:
    """Nobody is cut off by it: the JSON form has it as base64, and says so by a tag."""
    await publish_bytes(writers[1], data)
    told, came = await both.data()
    assert came == data
    assert base64.b64decode(json.loads(told)) == data
    history = (await writers[0].ask("history", channel=CHANNEL, limit=1))["history"]["publications"][0]
    assert (base64.b64decode(history["data"]), history["tags"]) == (data, {"encoding": "base64"})


async def test_json_in_several_lines(both: Both, writers: Any) -> None:
    """A newline ends a message of the JSON form: there it is a space."""
    data = b'{\r\n  "a": "x\\ny",\n\n  "b": [1,\n2]}\n'
    await publish_bytes(writers[1], data)
    told, came = await both.data()
    assert came == data
    assert json.loads(told) == {"a": "x\ny", "b": [1, 2]}


@pytest.mark.parametrize("carrier", ["http_stream", "sse", "http_stream in Protobuf"])
async def test_over_other_carriers(server: Server, writers: Any, carrier: str) -> None:
    async with carrier_of(server.session, server.url, carrier) as open_:
        client = await open_(token("reader"))
        await client.ask("subscribe", channel=CHANNEL)
        number = "12345678901234567890123"
        await publish_bytes(writers[1], b'{"n":\r\n%b}' % number.encode())
        pub = (await client.push())["pub"]
        assert Decimal(pub["data"]["n"]) == pytest.approx(Decimal(number))
        await client.ask("publish", channel=CHANNEL, data={"n": 2**53 + 1})
        assert (await client.push())["pub"]["data"] == {"n": 2**53 + 1}


async def test_recovery_and_history(server: Server, writers: Any) -> None:
    await publish_text(writers[0], "12345678901234567890123")
    await writers[0].socket.send_str(f'{{"id":9,"history":{{"channel":"{CHANNEL}","limit":5}}}}')
    assert '"data":12345678901234567890123,' in (await writers[0].socket.receive()).data
    await writers[0].socket.send_str(f'{{"id":9,"subscribe":{{"channel":"{CHANNEL}","recover":true}}}}')
    assert '"data":12345678901234567890123,' in (await writers[0].socket.receive()).data


async def test_nested_too_deeply(writers: Any) -> None:
    """Told so; the connection goes on."""
    deep = "[" * 1_000 + "]" * 1_000
    await writers[0].socket.send_str(f'{{"id":7,"publish":{{"channel":"{CHANNEL}","data":{deep}}}}}')
    answer = await writers[0].reply(7)
    assert answer["error"] == {"code": 107, "message": "bad request: `data` is nested too deeply"}
    assert "ping" in await writers[0].ask("ping")


async def test_where_json_is_needed(server: Server, writers: Any, alice: Client) -> None:
    """In Protobuf, too, `data` of a thread and of an rpc are JSON: what is none is told so, and nothing is closed."""
    thread = await server.client("writer").thread()
    binary = writers[1]
    for body in (
        {"publish": official.PublishRequest(channel=f"thread:{thread['id']}", data=b"\x00\xff")},
        {"rpc": official.RPCRequest(method="get_me", data=b"\x00\xff")},
    ):
        command = official.Command(id=8, **body)
        await binary.socket.send_bytes(delimited(command.SerializeToString()))
        error = (await binary.reply(8))["error"]
        assert (error["code"], error["message"].startswith("bad request: expected JSON")) == (107, True)
    assert "error" not in await binary.ask("publish", channel=f"thread:{thread['id']}", data={"content": "x"})
    ignored = official.Command(id=9, send=official.SendRequest(data=b"\x00\xff"))
    await binary.socket.send_bytes(delimited(ignored.SerializeToString()))
    assert "ping" in await binary.ask("ping")
    assert PROTOBUF is binary.form


def test_the_text_of_a_member() -> None:
    assert raw_json.member(' {"a" : {"b":[1, {"c":"}"}] } , "a": {"b" :7.0} }', "a", "b") == "7.0"
    assert as_json(b'"a"') == (b'"a"', False)
