"""What the protocol has and this server does not serve is refused; what may be declined without a word is declined."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.realtime.protobuf import client_pb2 as schema
from server.realtime.protocol.codes import UNSERVED
from tests.carriers import CARRIERS, carrier_of
from tests.serving import Server, serving
from tests.tokens import token

CHANNEL = "cursor:a"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", LIVE_CHANNELS="cursor:*") as running:
        yield running


ASKED: dict[str, dict[str, Any]] = {
    "subscribe": {"type": 1, "phase": 2, "cursor": "c", "limit": 10, "asc": True, "tf": {"op": "eq", "key": "a"}},
    "publish": {"type": 1, "key": "k", "removed": True},
    "sub_refresh": {"type": 1, "track": [{"signature": "s"}], "untrack": ["k"]},
}


CASES = [(verb, name, value) for verb, fields in ASKED.items() for name, value in fields.items()]


@pytest.mark.parametrize(("verb", "name", "value"), CASES)
@pytest.mark.parametrize("kind", ["thread", "live"])
async def test_each_field(server: Server, kind: str, verb: str, name: str, value: Any) -> None:
    async with carrier_of(server.session, server.url, "websocket") as open_:
        client = await open_(token("alice"))
        channel = f"thread:{(await server.client('alice').thread())['id']}" if kind == "thread" else CHANNEL
        if verb == "sub_refresh":
            await client.ask("subscribe", channel=channel)
        more = {"publish": {"data": {"content": "x"}}, "sub_refresh": {"token": "x"}}.get(verb, {})
        code, message = await client.error(verb, channel=channel, **more, **{name: value})
        assert code == 108
        assert message.startswith(f"not available: `{name}` of {verb} (")
        assert message.endswith("is not served")


def test_no_field_is_left_out() -> None:
    assert {verb: fields.keys() for verb, fields in ASKED.items()} == {v: f.keys() for v, f in UNSERVED.items()}


async def test_their_defaults_are_no_wish(server: Server) -> None:
    async with carrier_of(server.session, server.url, "websocket") as open_:
        client = await open_(token("alice"))
        asked = {"type": 0, "phase": 0, "cursor": "", "limit": 0, "asc": False, "tf": None}
        assert "subscribe" in await client.ask("subscribe", channel=CHANNEL, **asked)
        assert "publish" in await client.ask("publish", channel=CHANNEL, data=1, type=0, key="", removed=False)


async def test_what_is_declined(server: Server) -> None:
    """The result does not say it was accepted, so a client goes on without."""
    async with carrier_of(server.session, server.url, "websocket") as open_:
        client = await open_()
        told = (await client.ask("connect", token=token("alice"), flag=3, dict="d", profile="p", headers={"a": "b"}))[
            "connect"
        ]
        assert not told.keys() & {"flag", "dict"}
        joined = (
            await client.ask("subscribe", channel=CHANNEL, delta="fossil", flag=1, positioned=True, recoverable=True)
        )["subscribe"]
        assert not joined.keys() & {"delta", "id", "type"}
        assert (joined["positioned"], joined["recoverable"]) == (True, True)
        await client.ask("publish", channel=CHANNEL, data="whole")
        assert (await client.push())["pub"]["data"] == "whole"


@pytest.mark.parametrize("carrier", [name for name in CARRIERS if name != "sse"])
async def test_a_map_subscription(server: Server, carrier: str) -> None:
    """In Protobuf by bytes: the schema of the SDK at hand is older than the field."""
    async with carrier_of(server.session, server.url, carrier) as open_:
        client = await open_(token("alice"))
        if "Protobuf" in carrier:
            raw = schema.Command(id=50, subscribe=schema.SubscribeRequest(channel=CHANNEL, type=1)).SerializeToString()
            await client.send_frame(bytes((len(raw),)) + raw)
            answer = await client.reply(50)
        else:
            answer = await client.ask("subscribe", channel=CHANNEL, type=1)
        assert answer["error"]["code"] == 108
        assert "subscribe" in await client.ask("subscribe", channel=CHANNEL), "it has left nothing behind"
