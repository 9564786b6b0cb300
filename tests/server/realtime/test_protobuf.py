"""The Protobuf form: its schema is the protocol's, each event is encoded once, and no bytes bring it down."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from centrifuge.protocol import client_pb2 as official
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.delivery.publication import Publication, Publications
from server.realtime.protobuf import client_pb2 as schema
from server.realtime.protobuf import codec
from server.realtime.protocol import json_codec
from server.realtime.protocol.codes import VERBS, BadFrame
from server.realtime.transports.websocket import PROTOBUF_FORM
from tests.carriers import SocketClient
from tests.forms import JSON, PROTOBUF, bare, delimited
from tests.server.realtime.conftest import Dial
from tests.serving import Client, Server

ROOT = Path(__file__).parents[3]
SOURCE = "server/realtime/protobuf/client.proto"


# The schema


def test_what_was_generated_is_of_the_schema(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path=.", f"--python_out={tmp_path}", SOURCE]
    subprocess.run(command, cwd=ROOT, check=True)
    made = (tmp_path / SOURCE).with_name("client_pb2.py").read_text()
    assert (ROOT / SOURCE).with_name("client_pb2.py").read_text() == made, "run `make protobuf`"


@pytest.mark.parametrize("name", schema.DESCRIPTOR.message_types_by_name)
def test_the_schema_is_the_protocols(name: str) -> None:
    """As the official SDK has it: names, numbers and types; nothing more, but less of it."""
    ours, theirs = fields(schema.DESCRIPTOR, name), fields(official.DESCRIPTOR, name)
    newer = {field: ours.pop(field)[0] for field in NEWER.get(name, {}) if field not in theirs}
    assert newer == {field: NEWER[name][field] for field in newer}
    if "tf" in ours:  # only seen to be refused: as bytes, which are on the wire what a message is
        assert ours.pop("tf")[0] == theirs["tf"][0]
    assert ours == {field: theirs[field] for field in ours}


NEWER = {
    "SubscribeRequest": {"type": 15, "phase": 16, "cursor": 17, "limit": 18, "asc": 19},
    "PublishRequest": {"type": 3, "key": 4, "removed": 5},
    "SubRefreshRequest": {"type": 3, "track": 4, "untrack": 5},
}
"""Field → number, as the protocol has them since the SDK's schema was made."""


def fields(schema: Any, name: str) -> dict[str, tuple[Any, ...]]:
    return {
        field.name: (field.number, field.type, field.is_repeated, field.message_type and field.message_type.name)
        for field in schema.message_types_by_name[name].fields
    }


def test_every_verb_is_in_it() -> None:
    assert set(fields(schema.DESCRIPTOR, "Command")) == VERBS | {"id"}
    assert set(fields(schema.DESCRIPTOR, "Reply")) == VERBS - {"send"} | {"id", "error", "push"}


# What goes out


def publications(*offsets: int) -> list[Publication]:
    return [Publication(offset, offset, "message.created", b'{"offset":%d}' % offset) for offset in offsets]


def test_an_event_is_encoded_once_for_each_form() -> None:
    told = Publications("thread:x", publications(1, 2, 3))
    assert told.wire(codec.pushes) is told.wire(codec.pushes)
    assert told.wire(json_codec.pushes) is told.wire(json_codec.pushes)
    assert told.wire(codec.pushes) != told.wire(json_codec.pushes)


@given(st.lists(st.integers(0, 2**63 - 1), max_size=20), st.text(min_size=1, max_size=50))
def test_pushes_say_the_same_in_both_forms(offsets: list[int], name: str) -> None:
    channel = orjson.loads(orjson.dumps(name.replace('"', "").replace("\\", "").translate(dict.fromkeys(range(32)))))
    items = publications(*offsets)
    ours = list(PROTOBUF.decode(codec.pushes(channel, items)))
    theirs = list(JSON.decode(json_codec.pushes(channel, items).decode())) if items else []
    assert ours == [bare(push) for push in theirs]


@given(st.integers(1, 2**32 - 1), st.integers(0, 200_000))
def test_replies_of_any_size(number: int, size: int) -> None:
    raw = orjson.dumps("x" * size)
    assert list(PROTOBUF.decode(codec.reply(number, "rpc", codec.data(raw)))) == [
        {"id": number, "rpc": {"data": "x" * size}}
    ]


def test_the_examples_of_the_docs() -> None:
    """The same in both forms, either way."""
    page = (ROOT / "docs/realtime.md").read_text()
    rows = re.findall(r"^\| [\w, ]+ \| `({.*})` \| `((?:[0-9a-f]{2} ?)+)` \|$", page, re.MULTILINE)
    assert len(rows) == 7
    for shown, wire in rows:
        told, frame = orjson.loads(shown), bytes.fromhex(wire)
        if "push" in told or "error" in told or told.get("rpc", {}).keys() == {"data"}:
            assert list(PROTOBUF.decode(frame)) == [told]
        else:
            assert list(read(frame)) == [told]
            assert PROTOBUF.encode(told) == frame


# What comes in


@given(st.binary(max_size=300))
def test_random_bytes_are_commands_or_none(frame: bytes) -> None:
    try:
        found = list(codec.commands(frame))
    except BadFrame as error:
        assert str(error).startswith("expected ")  # noqa: PT017
    else:
        assert all(isinstance(command, dict) for command in found)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), lambda inner: st.lists(inner), max_leaves=5
)
positions = st.fixed_dictionaries({"recover": st.just(True), "offset": st.integers(1, 2**64 - 1)})
commands = st.one_of(
    st.fixed_dictionaries(
        {"connect": st.fixed_dictionaries({"subs": st.dictionaries(st.text(), positions, min_size=1, max_size=3)})}
    ),
    st.fixed_dictionaries({"rpc": st.fixed_dictionaries({"method": st.text(min_size=1), "data": values})}),
    st.fixed_dictionaries({"publish": st.fixed_dictionaries({"channel": st.text(min_size=1), "data": values})}),
    st.fixed_dictionaries(
        {
            "subscribe": st.fixed_dictionaries(
                {"channel": st.text(min_size=1), "recover": st.just(True), "offset": st.integers(1, 2**64 - 1)}
            )
        }
    ),
    st.fixed_dictionaries(
        {"history": st.fixed_dictionaries({"limit": st.integers(-(2**31), -1), "since": st.just({})})}
    ),
    st.sampled_from([{"ping": {}}, {"presence": {}}, {"send": {}}, {"unsubscribe": {}}]),
)


@given(st.lists(st.tuples(st.integers(1, 2**32 - 1), commands), max_size=5))
def test_commands_are_what_they_are_in_json(told: list[tuple[int, dict[str, Any]]]) -> None:
    sent = [{"id": number, **command} for number, command in told]
    assert list(read(PROTOBUF.encode(*sent))) == sent


def read(frame: bytes) -> Iterator[dict[str, Any]]:
    """Commands with their `data`, which stay bytes until their verb says what they are."""
    for command in codec.commands(frame):
        for body in command.values():
            if isinstance(body, dict) and "data" in body:
                body["data"] = orjson.loads(body["data"])
        yield command


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b"\x05", "a command of 5 bytes, 0 came"),
        (b"\x80", "the length of a command"),
        (b"\xff\xff\xff\xff\x7f", "a command of 34359738367 bytes, 0 came"),
        (b"\x80\x80\x80\x80\x80\x00", "the length of a command"),
        (b"\x01\xff", "a Command in Protobuf"),
        (b"\x02\x22\x05", "a Command in Protobuf"),
        (b"\x06\x22\x04\x0a\x02\xff\xfe", "a Command in Protobuf"),  # a token that is no UTF-8
    ],
)
def test_frames_that_are_none(frame: bytes, expected: str) -> None:
    with pytest.raises(BadFrame, match=f"expected {expected}"):
        list(codec.commands(frame))


def test_what_is_not_known_is_passed_over() -> None:
    """Fields that another version of the protocol has; but what has nothing else in it is no pong."""
    more = official.Command(id=7)
    more.connect.token = "x"
    more.connect.headers["x"] = "y"
    assert list(codec.commands(delimited(more.SerializeToString()))) == [{"id": 7, "connect": {"token": "x"}}]
    assert list(codec.commands(b"\0\0")) == [{}, {}]
    assert list(codec.commands(delimited(b"\xf8\x07\x01"))) == [{"id": 0}]


# Against a server


@pytest.fixture
async def client(dial: Dial, alice: Client) -> SocketClient:
    socket = await dial(protocols=(PROTOBUF_FORM,))
    client = SocketClient(socket.socket, PROTOBUF)
    await client.connect(alice.token)
    return client


async def test_the_form_is_agreed_on(dial: Dial) -> None:
    for asked in ((PROTOBUF_FORM,), ("other", PROTOBUF_FORM), (PROTOBUF_FORM, "centrifuge-json")):
        assert (await dial(protocols=asked)).socket.protocol == PROTOBUF_FORM


@pytest.mark.parametrize("query", ["format=protobuf", "cf_protocol=protobuf"])
async def test_the_form_by_the_address(server: Server, alice: Client, query: str) -> None:
    async with server.session.ws_connect(f"{server.websocket_url}?{query}") as socket:
        client = SocketClient(socket, PROTOBUF)
        assert "client" in await client.connect(alice.token)


@pytest.mark.parametrize("query", ["format=json", "cf_protocol=x", ""])
async def test_other_addresses_are_json(server: Server, alice: Client, query: str) -> None:
    async with server.session.ws_connect(f"{server.websocket_url}?{query}") as socket:
        assert "client" in await SocketClient(socket, JSON).connect(alice.token)


async def test_a_text_frame(client: SocketClient) -> None:
    await client.socket.send_str('{"id":5,"ping":{}}')
    assert (await client.closed()).code == 3501


async def test_an_absurd_frame(client: SocketClient) -> None:
    await client.socket.send_bytes(b"\0" * 300_000)
    assert (await client.closed()).code == 1009


async def test_a_frame_of_pongs(client: SocketClient) -> None:
    await client.send_frame(b"\0" * 65_536)
    assert (await client.ask("ping"))["ping"] == {}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    frames=st.lists(
        st.binary(max_size=100)
        | st.binary(max_size=60).map(delimited)
        | st.binary(max_size=60).map(lambda noise: delimited(b"\x08\x05" + noise)),
        max_size=4,
    )
)
async def test_noise(server: Server, alice: Client, frames: list[bytes]) -> None:
    """Random bytes, random messages, random messages with an id: answered or closed, never a defect."""
    async with server.session.ws_connect(server.websocket_url, protocols=(PROTOBUF_FORM,)) as socket:
        client = SocketClient(socket, PROTOBUF)
        await client.connect(alice.token)
        for frame in frames:
            await client.send_frame(frame)
        await client.send({"id": 2**32 - 1, "ping": {}}, {"id": 5, "connect": {}})
        end = await client.closed()
        assert end.code in (3500, 3501)
        errors = [reply["error"]["code"] for reply in client.inbox if "error" in reply]
        assert not {100, 101} & set(errors)
