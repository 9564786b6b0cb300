from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Client, Server, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def alice(server: Server) -> Client:
    client = server.client("alice")
    await client.me()
    return client


@pytest.fixture
async def bob(server: Server) -> Client:
    client = server.client("bob")
    await client.me()
    return client


@pytest.fixture
async def root(server: Server) -> Client:
    client = server.client("root", role="ADMIN")
    await client.me()
    return client


@pytest.fixture
async def bot(server: Server) -> Client:
    client = server.client("bot", kind="ASSISTANT")
    await client.me()
    return client


@pytest.fixture
async def thread(alice: Client, bob: Client) -> Any:
    return await alice.thread(members=[{"user_id": (await bob.me())["id"]}])
