"""Random requests to what emulates a WebSocket: refused with the right code, or taken and then told in the stream."""

import asyncio

import aiohttp
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors import limits
from tests.carriers import Carrier, StreamClient, carrier_of
from tests.forms import JSON, PROTOBUF, delimited
from tests.realtime_client import PATIENCE
from tests.server.operations.sweep.requests import check_problem
from tests.serving import Answer, Client, Server

often = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
words = st.sampled_from(
    ["session", "node", "data", "id", "connect", "subscribe", "rpc", "token", "method", "get_me", "", "{}", '{"id":1}']
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | words | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)
noise = st.binary(max_size=200) | st.binary(max_size=100).map(delimited) | values.map(orjson.dumps)
types = st.sampled_from(["application/json", "application/octet-stream", "text/plain", "application/json; charset=x"])


async def post(server: Server, path: str, body: bytes, content_type: str) -> aiohttp.ClientResponse:
    async with asyncio.timeout(PATIENCE):
        return await server.session.post(server.url + path, data=body, headers={"Content-Type": content_type})


async def check_refusal(response: aiohttp.ClientResponse) -> None:
    check_problem(Answer(response.status, response.headers, await response.read()), 400, 404, 413, 415)


@often
@given(body=noise, content_type=types)
async def test_commands(server: Server, body: bytes, content_type: str) -> None:
    async with await post(server, "/emulation", body, content_type) as response:
        await check_refusal(response)


@often
@given(body=noise, content_type=types)
async def test_connections(server: Server, monkeypatch: pytest.MonkeyPatch, body: bytes, content_type: str) -> None:
    """Nothing that is random connects: it is told so, or stays silent until it is stale."""
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.01)
    async with await post(server, "/connection/http_stream", body, content_type) as response:
        if response.status != 200:
            await check_refusal(response)
            return
        async with asyncio.timeout(PATIENCE):
            said = await response.read()
    form = PROTOBUF if response.content_type == "application/octet-stream" else JSON
    replies = list(form.decode(said if form is PROTOBUF else said.decode().rstrip("\n")))
    assert replies[-1]["push"]["disconnect"]["code"] in (3500, 3501, 3502)


@often
@given(query=st.text(max_size=60) | values.map(lambda value: orjson.dumps(value).decode()))
async def test_queries(server: Server, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.01)
    asking = server.session.get(f"{server.url}/connection/sse", params={"cf_connect": query})
    async with asking as response, asyncio.timeout(PATIENCE):
        if response.status == 200:
            assert b'"disconnect"' in await response.read()
        else:
            await check_refusal(response)


@often
@given(frames=st.lists(noise, max_size=4), is_protobuf=st.booleans())
async def test_commands_of_a_session(server: Server, alice: Client, frames: list[bytes], is_protobuf: bool) -> None:
    """Taken, whatever they are; the stream has the answers, or the end."""
    name = "http_stream in Protobuf" if is_protobuf else "sse"
    async with carrier_of(server.session, server.url, name) as carrier:
        client = await connected(carrier, alice)
        for frame in frames:
            assert await client.emulate(frame if is_protobuf else frame.decode(errors="replace")) in (204, 404)
        with_nothing_new = {"id": 2**32 - 1, "connect": {}}
        assert await client.emulate(carrier.form.encode(with_nothing_new)) in (204, 404)
        end = await client.closed()
        assert end.code == 3501
        assert all(reply["error"]["code"] not in (100, 101) for reply in client.inbox if "error" in reply)


async def connected(carrier: Carrier, who: Client) -> StreamClient:
    client = await carrier(who.token)
    assert isinstance(client, StreamClient)
    return client
