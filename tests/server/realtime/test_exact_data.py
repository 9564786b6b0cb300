"""What cannot be kept as it came is refused over every carrier: that command alone, and nothing is written."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.carriers import CARRIERS, Carrier, carrier_of
from tests.serving import Client, Server, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data", LIVE_CHANNELS="lobby") as running:
        yield running


@pytest.fixture(params=CARRIERS)
async def dial(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Carrier]:
    async with carrier_of(server.session, server.url, request.param) as carrier:
        yield carrier


@pytest.mark.parametrize("text", ['{"n":18446744073709551617}', '{"n":-9223372036854775809}', '{"n":1,"n":2}'])
async def test_data_that_cannot_be_kept(dial: Carrier, alice: Client, text: str) -> None:
    thread = await alice.thread()
    client = await dial(alice.token)
    raw = orjson.Fragment(text)
    said: dict[str, Any] = {"thread_id": thread["id"], "content": "Hi", "metadata": raw}
    _, problem = await client.error("rpc", method="create_message", data=said)
    assert "cannot be stored unchanged" in orjson.loads(problem)["detail"]
    channel = f"thread:{thread['id']}"
    _, problem = await client.error("publish", channel=channel, data={"content": "Hi", "metadata": raw})
    assert "cannot be stored unchanged" in orjson.loads(problem)["detail"]
    assert "error" not in await client.ask("publish", channel="lobby", data=raw), "a live channel keeps the bytes"
    kept = {"n": 18446744073709551615, "s": "18446744073709551617"}
    answer = await client.ask("rpc", method="create_message", data={**said, "metadata": kept})
    assert answer["rpc"]["data"]["metadata"] == kept
    assert len((await alice.get(f"/api/v1/threads/{thread['id']}/messages")).data) == 1


async def test_data_that_are_nested_too_deep(dial: Carrier, alice: Client) -> None:
    client = await dial(alice.token)
    deep = orjson.Fragment("[" * 300 + "]" * 300)
    assert "error" not in await client.ask("publish", channel="lobby", data=deep), "nobody here has to read it"
    thread = await alice.thread()
    said = {"thread_id": thread["id"], "content": "Hi", "metadata": {"a": deep}}
    _, problem = await client.error("rpc", method="create_message", data=said)
    assert "nested" in problem
